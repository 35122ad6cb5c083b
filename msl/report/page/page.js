"use strict";
// Tables are sorted by buttons in their heads, and a stop of the Tab key only where they scroll; without this script they
// stay as they were written.
const said = document.getElementById("said");
const collator = new Intl.Collator("en", { numeric: true });

function order(table, column, ascending) {
  const numbers = table.tHead.rows[0].cells[column].classList.contains("number");
  const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();
  return (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === "" || y === "") return (x === "") - (y === ""); // missing ones last, either way
    const difference = numbers ? x - y : collator.compare(x, y);
    return ascending ? difference : -difference;
  };
}

function sort(table, head) {
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(order(table, head.cellIndex, ascending)));
  said.textContent = `Sorted by ${head.textContent.trim()}, ${ascending ? "ascending" : "descending"}.`;
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sort(table, head));
  }
}

const scrolls = (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
const resized = new ResizeObserver((boxes) => {
  for (const { target } of boxes) {
    if (scrolls(target)) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const box of document.querySelectorAll(".scroll")) resized.observe(box);
