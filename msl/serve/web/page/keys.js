// The keyboard: / to the box, arrows among the results; Enter on a result follows its link.
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const finds = () => [...document.querySelectorAll(".find")];
const middle = (box) => (box.left + box.right) / 2;

// The find above or below that is nearest to this one's middle.
function beside(current, down) {
  const from = current.getBoundingClientRect();
  const rows = finds()
    .map((find) => ({ find, box: find.getBoundingClientRect() }))
    .filter(({ box }) => (down ? box.top >= from.bottom : box.bottom <= from.top));
  const edge = down ? Math.min(...rows.map(({ box }) => box.top)) : Math.max(...rows.map(({ box }) => box.top));
  const row = rows.filter(({ box }) => Math.abs(box.top - edge) < 2);
  return row.sort((a, b) => Math.abs(middle(a.box) - middle(from)) - Math.abs(middle(b.box) - middle(from)))[0]?.find;
}

function target(event, box) {
  const current = event.target.closest(".find"), all = finds();
  if (!current) return event.key === "ArrowDown" && [box, document.body].concat(document.getElementById("results")).includes(event.target) ? all[0] : undefined;
  if (event.key in STEPS) return all[all.indexOf(current) + STEPS[event.key]];
  if (event.key === "ArrowDown") return beside(current, true);
  if (event.key === "ArrowUp") return beside(current, false) ?? box;
  return undefined;
}

export function listen(box, clear) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "Escape") {
      event.preventDefault();
      clear();
    } else {
      const next = target(event, box);
      if (next) event.preventDefault();
      next?.focus();
    }
  });
}
