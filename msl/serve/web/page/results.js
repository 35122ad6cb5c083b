// What was found, as elements. Texts are data: they only ever become text.
import { address, asking } from "./place.js";

export function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const cosine = (value) => value.toFixed(3).replace("-", "−");

function mark(seen) {
  if (seen === null) return undefined;
  return make("span", { class: seen ? "seen-mark" : "unseen-mark" }, seen ? "● seen" : "○ unseen");
}

function numbers(found) {
  const score = found.score === null ? undefined : make("span", {}, make("strong", {}, percent(found.score)), " score");
  return make("span", { class: "numbers" }, score, make("span", {}, `cosine ${cosine(found.cosine)}`));
}

function card(place, query, found, ...what) {
  const attributes = { class: `find${found.seen === false ? " unseen" : ""}`, href: address(asking(place, query)) };
  return make("a", attributes, ...what, numbers(found), mark(found.seen));
}

// A picture of `side` pixels at most.
export function preview(shown, alt, side) {
  if (!shown.picture) return undefined;
  const image = make("img", { src: `${shown.picture}&size=${side}`, alt, loading: "lazy" });
  image.addEventListener("error", () => image.remove()); // the file is gone since it was indexed
  return image;
}

function item(place, find, hit, shared, side) {
  const text = make("span", { class: "what" }, hit.text ?? hit.id);
  const classes = hit.classes.length ? make("span", { class: "classes" }, hit.classes.join(", ")) : undefined;
  const picture = find === "image" ? preview(hit, "", side) : undefined;
  const link = card({ ...place, find }, { item: hit.id, side: find }, hit, picture, text, classes);
  if (shared) link.append(make("span", { class: "shared" }, `⇄ in both, no. ${shared} in the other`));
  return link;
}

// A name is searched with as a class or a text, for items.
function name(place, found) {
  const query = found.sort === "class" ? { class: found.name } : { text: found.name };
  const sort = make("span", { class: "classes" }, found.sort);
  return card({ ...place, find: "" }, query, found, make("span", { class: "what" }, found.name), sort);
}

export const many = (answer) => (answer.find === "names" ? `${answer.names.length} names` : `${answer.hits.length} ${answer.find}s`);

// A run's answer; `other` is that of the run beside it, `side` the pixels of a preview.
export function column(place, answer, { other, several, side }) {
  const ranks = new Map((other?.hits ?? []).map((hit, rank) => [hit.id, rank + 1]));
  const items = answer.hits.map((hit) => item(place, answer.find, hit, ranks.get(hit.id), side));
  const finds = [...items, ...answer.names.map((found) => name(place, found))].map((find) => make("li", {}, find));
  const list = make("ol", { class: `finds${answer.find === "image" ? "" : " worded"}` }, ...finds);
  const nothing = make("p", {}, "Nothing fits. Take a filter away.");
  const head = several ? make("h2", {}, answer.run, make("span", {}, ` ${many(answer)}`)) : undefined;
  return make("section", {}, head, finds.length ? list : nothing);
}

export function failed(run, error, several) {
  const said = make("p", { class: "wrong", role: "alert" }, error.message);
  return make("section", {}, several ? make("h2", {}, run) : undefined, said);
}
