// Questions to the server; whatever goes wrong is an Error of one line.
import { asked, kept } from "./place.js";

async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is msl serve still running?");
  }
  const found = await response.json().catch(() => ({ error: `The server answered with status ${response.status}.` }));
  if (!response.ok) throw new Error(found.error);
  return found;
}

export const overview = () => answer("/api/runs");

// Search one run for what the place says.
export function search(place, run, limits, signal) {
  const wanted = { run, find: place.find, k: place.k && Number(place.k) };
  const narrowed = {
    classes: place.only && [place.only],
    seen: place.seen && place.seen === "true",
    part: place.part,
  };
  const only = place.find === "names" ? {} : narrowed; // kept in the address for when items are found again
  if (asked(place) === "picture") return withPicture(kept(place.picture), { ...wanted, ...only }, limits, signal);
  const { text, item, side, class: name } = place;
  return answer("/api/search", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...wanted, only, text, item, side, class: name }),
    signal,
  });
}

async function withPicture(file, wanted, limits, signal) {
  if (!file) throw new Error("The picture was forgotten when the page was loaded again. Drop it once more.");
  if (file.size > limits.upload - 10_000) // the form around it takes some bytes
    throw new Error(`The picture has ${(file.size / 1e6).toFixed(1)} MB; ${limits.upload / 1e6} are allowed. Make it smaller.`);
  const form = new FormData();
  form.append("image", file, "picture");
  for (const [key, value] of Object.entries(wanted)) if (value !== undefined) form.append(key, value);
  return answer("/api/search/image", { method: "POST", body: form, signal });
}
