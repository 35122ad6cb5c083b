"""How well the text of a page stands out, measured in the browser."""

CONTRASTS = """without => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { const c = parts(getComputedStyle(e).backgroundColor);
    return c.length === 4 && c[3] === 0 ? (e.parentElement ? ground(e.parentElement) : [255, 255, 255]) : c; };
  return [...document.body.querySelectorAll("*")].filter(e => !e.closest(without)
      && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => {
    const style = getComputedStyle(e), [a, b] = [light(parts(e.closest("svg") ? style.fill : style.color)), light(ground(e))];
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)];
  });
}"""
"""Of each element with text of its own, but those `without` selects: its contrast (WCAG) and how it begins."""
