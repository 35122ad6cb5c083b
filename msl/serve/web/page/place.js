// What is searched for stands in the address, so that it can be kept, sent and gone back to.
const QUERIES = ["text", "item", "class", "picture"];
const KEYS = [...QUERIES, "side", "find", "k", "only", "seen", "part", "run"];
const pictures = new Map(); // files cannot stand in an address: it has their number, for as long as the page is open

export function read() {
  const given = new URLSearchParams(location.search);
  const query = QUERIES.find((key) => given.get(key));
  const keys = KEYS.filter((key) => given.get(key) && (key === query || !QUERIES.includes(key)));
  return Object.fromEntries(keys.map((key) => [key, given.get(key)]));
}

export function address(place) {
  const given = new URLSearchParams(KEYS.filter((key) => place[key]).map((key) => [key, place[key]]));
  return `/${given.size ? "?" : ""}${given}`;
}

// The same settings with another query, or none.
export function asking(place, query) {
  const settings = Object.entries(place).filter(([key]) => !QUERIES.includes(key) && key !== "side");
  return { ...Object.fromEntries(settings), ...query };
}

export const asked = (place) => QUERIES.find((key) => place[key]);

export function keep(file) {
  const number = String(pictures.size + 1);
  pictures.set(number, file);
  return number;
}

export const kept = (number) => pictures.get(number);
