// Numbers and times in words, and searching by few letters. "–" stands for what nobody reported.

const NONE = "–";
const grouped = new Intl.NumberFormat("en");
const UNITS = [
  ["day", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/** Write an amount of dollars: $12.30, $0.0042; null is "–". */
export function usd(amount) {
  if (amount === null || amount === undefined || amount === "") {
    return NONE;
  }
  const value = Number(amount);
  if (value === 0) {
    return "$0";
  }
  const digits = Math.abs(value) >= 1 ? 2 : Math.min(8, 1 - Math.floor(Math.log10(Math.abs(value))));
  return `${value < 0 ? "-" : ""}$${Math.abs(value).toFixed(Math.max(2, digits))}`;
}

/** Write a whole number in groups: 12,345. */
export function count(number) {
  return number === null || number === undefined ? NONE : grouped.format(number);
}

/** Write a size of tokens briefly: 200000 → 200k, 1048576 → 1.05M. */
export function tokens(number) {
  if (number === null || number === undefined) {
    return NONE;
  }
  if (number < 1000) {
    return String(number);
  }
  return number < 999_500 ? `${Math.round(number / 1000)}k` : `${Number((number / 1_000_000).toFixed(2))}M`;
}

/** Write a span of time: 840 ms, 2.4 s, 3 min. */
export function ms(span) {
  if (span === null || span === undefined) {
    return NONE;
  }
  if (span < 1000) {
    return `${Math.round(span)} ms`;
  }
  return span < 60_000 ? `${(span / 1000).toFixed(span < 10_000 ? 1 : 0)} s` : inUnits(span);
}

/** Say how long ago a time was. */
export function ago(time, now = Date.now()) {
  return time ? (now - time < 1000 ? "just now" : `${inUnits(now - time)} ago`) : NONE;
}

/** Say in how long a time will be. */
export function until(time, now = Date.now()) {
  return time ? (time - now < 1000 ? "now" : `in ${inUnits(time - now)}`) : NONE;
}

/** Write a moment in the reader's own time. */
export function moment(time) {
  return time ? new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }) : NONE;
}

/** Write a size: 812 B, 1.4 kB, 3.0 MB. */
export function bytes(size) {
  if (size === null || size === undefined) {
    return NONE;
  }
  const [unit, factor] = size < 1000 ? ["B", 1] : size < 1_000_000 ? ["kB", 1000] : ["MB", 1_000_000];
  return `${factor === 1 ? size : (size / factor).toFixed(1)} ${unit}`;
}

function inUnits(span) {
  const at = UNITS.findIndex(([, size]) => span >= size);
  if (at < 0) {
    return "0 s";
  }
  const [name, size] = UNITS[at];
  const whole = Math.floor(span / size);
  const rest = UNITS[at + 1] && whole < 10 ? Math.floor((span % size) / UNITS[at + 1][1]) : 0;
  const first = `${whole} ${name}${name === "day" && whole > 1 ? "s" : ""}`;
  return rest ? `${first} ${rest} ${UNITS[at + 1][0]}` : first;
}

/**
 * Score how well few letters fit a text, or null: every letter in order, "gpt4o" finds "openai/gpt-4o-mini".
 * Higher is better: letters in a row and at the beginnings of words count most, long texts a little less.
 */
export function fuzzy(needle, text) {
  const wanted = needle.toLowerCase().replace(/\s+/g, "");
  const all = text.toLowerCase();
  if (!wanted) {
    return 0;
  }
  const whole = all.indexOf(needle.trim().toLowerCase());
  if (whole >= 0) {
    return 1000 - whole - all.length / 100;
  }
  let best = null;
  for (let start = all.indexOf(wanted[0]); start >= 0; start = all.indexOf(wanted[0], start + 1)) {
    const score = scoreFrom(wanted, all, start);
    if (score !== null && (best === null || score > best)) {
      best = score;
    }
  }
  return best === null ? null : best - all.length / 100;
}

function scoreFrom(wanted, all, start) {
  let score = 0;
  let before = start - 1;
  for (const letter of wanted) {
    const at = all.indexOf(letter, before + 1);
    if (at < 0) {
      return null;
    }
    const opens = at === 0 || !/[a-z0-9]/.test(all[at - 1]);
    score += at === before + 1 ? 5 : opens ? 3 : 0;
    score -= Math.min(at - before - 1, 10);
    before = at;
  }
  return score;
}

/** Return the items that fit, best first; all of them in their order for an empty needle. */
export function search(needle, items, textOf) {
  if (!needle.trim()) {
    return items;
  }
  return items
    .map((item) => ({ item, score: fuzzy(needle, textOf(item)) }))
    .filter((each) => each.score !== null)
    .sort((a, b) => b.score - a.score)
    .map((each) => each.item);
}
