// The page: what the form says goes into the address, what the address says is searched for and shown.
import { overview, search } from "./ask.js";
import { listen } from "./keys.js";
import { address, asked, asking, keep, kept, read } from "./place.js";
import { column, failed, make, many, preview } from "./results.js";

const PATIENCE = 200; // ms before it is said that a search takes its time
const byId = (id) => document.getElementById(id);
const form = byId("form"), box = byId("text"), results = byId("results"), said = byId("said");
let there, running, shownPicture;

const names = () => there.runs.map((run) => run.name);
const capital = (word) => word[0].toUpperCase() + word.slice(1);

function describe() {
  const parts = there.runs.map((run) => `${run.name}: ${Object.entries(run.counts).map(([what, n]) => `${n.toLocaleString("en")} ${what}s`).join(", ")}`);
  byId("about").textContent = parts.join("; ");
  document.title = `Search ${names().join(" and ")}`;
  const first = there.runs[0];
  for (const find of [...first.modalities, ...(first.names ? ["names"] : [])]) {
    const radio = make("input", { type: "radio", name: "find", value: find });
    byId("find").append(make("label", {}, radio, find === "names" ? "Names" : `${capital(find)}s`));
  }
  describeClasses();
  byId("more").open = matchMedia("(min-width: 40rem)").matches;
  form.elements.k.max = there.limits.k;
  box.maxLength = there.limits.text;
  byId("runs").hidden = there.runs.length < 2;
  form.elements.run.append(...names().map((name) => make("option", { value: name }, `${name} alone`)));
}

function describeClasses() {
  const classes = new Map(there.runs.flatMap((run) => run.classes).map((each) => [each.name, each]));
  for (const [label, seen] of [["unseen", false], ["seen", true]]) {
    const group = [...classes.values()].filter((each) => each.seen === seen && each.items);
    if (group.length) form.elements.only.append(make("optgroup", { label }, ...group.map((each) => make("option", { value: each.name }, `${each.name} (${each.items})`))));
  }
  const unseen = [...classes.values()].filter((each) => !each.seen).slice(0, 12);
  const links = unseen.map((each) => make("li", {}, make("a", { href: address({ class: each.name }) }, each.name)));
  if (links.length) byId("start").append(make("p", {}, "Classes never trained on, to begin with:"), make("ul", {}, ...links));
}

function settings() {
  const given = Object.fromEntries(["find", "k", "only", "seen", "part", "run"].map((key) => [key, form.elements[key].value]));
  if (given.k === String(there.k)) delete given.k;
  if (!form.dataset.found && !read().find) delete given.find; // not chosen: the other modality than the query's
  return given;
}

function fill(place) {
  box.value = place.text ?? "";
  for (const key of ["only", "seen", "part", "run"]) form.elements[key].value = place[key] ?? "";
  form.elements.k.value = place.k ?? there.k;
  choose(place.find ?? there.runs[0].modalities[0]);
  if (["only", "seen", "part", "k"].some((key) => place[key])) byId("more").open = true;
}

function choose(find) {
  for (const radio of form.querySelectorAll("[name=find]")) radio.checked = radio.value === find;
  byId("filters").disabled = find === "names";
}

// What is searched with, if it is no text.
function chosen(place, item) {
  URL.revokeObjectURL(shownPicture);
  const file = kept(place.picture);
  shownPicture = file && URL.createObjectURL(file);
  const what = {
    item: `${place.side ?? "item"}: ${item?.text ?? place.item}`,
    class: `class: ${place.class}`,
    picture: `picture: ${file?.name ?? "none"}`,
  }[asked(place)];
  byId("chosen").hidden = !what;
  byId("chosen").replaceChildren();
  if (!what) return;
  const own = file ? make("img", { src: shownPicture, alt: "" }) : undefined;
  const shownItem = item && place.side === "image" ? preview(item, "", there.limits.preview) : undefined;
  const away = make("button", { type: "button" }, "Remove");
  away.addEventListener("click", clear);
  byId("chosen").append(own ?? shownItem ?? "", make("p", {}, what), away);
}

async function show() {
  running?.abort();
  const place = read(), mine = new AbortController();
  running = mine;
  fill(place);
  chosen(place);
  byId("start").hidden = Boolean(asked(place));
  if (!asked(place)) return present(place, [], []);
  results.setAttribute("aria-busy", "true");
  said.textContent = ""; // the same words twice would be said once
  const slow = setTimeout(() => { said.textContent = "Searching …"; }, PATIENCE);
  const runs = names().includes(place.run) ? [place.run] : names();
  const found = await Promise.allSettled(runs.map((run) => search(place, run, there.limits, mine.signal)));
  clearTimeout(slow);
  return mine.signal.aborted ? undefined : present(place, runs, found);
}

function present(place, runs, found) {
  results.removeAttribute("aria-busy");
  const answers = found.map((each) => each.value), several = runs.length > 1, side = there.limits.preview;
  const first = answers.find(Boolean);
  if (first) {
    choose(first.find);
    chosen(place, first.item);
  }
  results.classList.toggle("two", several);
  results.replaceChildren(...found.map((each, index) =>
    each.value ? column(place, each.value, { other: answers[1 - index], several, side }) : failed(runs[index], each.reason, several)));
  byId("meaning").hidden = !first;
  said.textContent = summary(runs, answers);
}

function summary(runs, answers) {
  if (!runs.length) return "";
  const by = (index) => (runs.length > 1 ? ` by ${runs[index]}` : "");
  const parts = answers.map((answer, index) => (answer ? `${many(answer)} found${by(index)}` : `the search${by(index)} failed`));
  const [first, second] = answers.map((answer) => answer?.hits ?? []);
  const shared = second && first.filter((hit) => second.some((other) => other.id === hit.id)).length;
  return capital(`${parts.join(", ")}${shared ? `, ${shared} by both` : ""}.`);
}

function go(place) {
  if (address(place) !== location.pathname + location.search) history.pushState(null, "", address(place));
  return show();
}

function clear() {
  go(asking(settings(), {}));
  box.focus();
}

function withFile(file) {
  if (file) go(asking(settings(), { picture: keep(file) }));
}

function listenToForm() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (box.value.trim()) go(asking(settings(), { text: box.value.trim() }));
    else if (asked(read())) go({ ...asking(settings(), {}), ...queryOf(read()) });
    else box.focus();
  });
  form.addEventListener("change", (event) => {
    if (event.target === box || event.target === byId("file") || !form.reportValidity()) return;
    if (event.target.name === "find") form.dataset.found = "yes";
    if (asked(read())) go({ ...settings(), ...queryOf(read()) });
    byId("filters").disabled = form.elements.find.value === "names";
  });
  byId("choose").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", (event) => { withFile(event.target.files[0]); event.target.value = ""; });
}

const queryOf = ({ text, item, side, class: name, picture }) => ({ text, item, side, class: name, picture });

function listenToPage() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".find, #start a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(Object.fromEntries(new URL(link.href).searchParams)).then(() => { results.focus(); scrollTo(0, 0); });
  });
  document.addEventListener("paste", (event) => withFile([...event.clipboardData.files].find((file) => file.type.startsWith("image/"))));
  document.addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("over"); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    withFile(event.dataTransfer.files[0]);
  });
  addEventListener("popstate", show);
}

try {
  there = await overview();
  describe();
  listenToForm();
  listenToPage();
  listen(box, clear);
  await show();
} catch (error) {
  results.replaceChildren(failed("", error, false));
}
