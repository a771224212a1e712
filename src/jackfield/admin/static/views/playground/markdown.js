// The little of Markdown that answers are drawn with: paragraphs, headings, lists, quotes, code, bold, italic, links.
// Pure: texts become values. HTML is text like any other, and a link leads to http or https or is none.

// None of these tries a long line in more than one way: a hostile answer costs no more than another.
const FENCE = /^ {0,3}(`{3,}|~{3,}(?!~))(?=[^`]*$)\s*([^\s`]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+([^]*)$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:\s+(.*)|\s*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const DEEPEST = 6; // lists and quotes in each other

/** Cut an answer into its parts: [{kind, raw}], each to be read by `parseBlock`. What comes later changes only the last. */
export function splitBlocks(text) {
  const lines = text.split("\n");
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const kind = kindOf(lines[at]);
    const end = ENDS[kind](lines, at);
    blocks.push({ kind, raw: lines.slice(at, end).join("\n") });
    at = end;
  }
  return blocks;
}

function kindOf(line) {
  if (FENCE.test(line)) {
    return "code";
  }
  if (RULE.test(line)) {
    return "rule";
  }
  return HEADING.test(line) ? "heading" : ITEM.test(line) ? "list" : QUOTE.test(line) ? "quote" : "paragraph";
}

// A kind → where a block of it ends.
const ENDS = {
  code: endOfFence,
  rule: (_, at) => at + 1,
  heading: (_, at) => at + 1,
  list: endOfList,
  quote: (lines, at) => endWhile(lines, at, (line) => QUOTE.test(line)),
  paragraph: (lines, at) => endWhile(lines, at, (line) => line.trim() !== "" && kindOf(line) === "paragraph"),
};

function endWhile(lines, at, holds) {
  let end = at + 1;
  while (end < lines.length && holds(lines[end])) {
    end += 1;
  }
  return end;
}

function endOfFence(lines, at) {
  const mark = FENCE.exec(lines[at])[1];
  const close = new RegExp(`^ {0,3}${mark[0] === "`" ? "`" : "~"}{${mark.length},}\\s*$`);
  const end = endWhile(lines, at, (line) => !close.test(line));
  return Math.min(end + 1, lines.length);
}

function endOfList(lines, at) {
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end];
    const isMore = line.trim() ? ITEM.test(line) || /^ {2,}/.test(line) || (lines[end - 1].trim() && kindOf(line) === "paragraph") : hasMore(lines, end);
    if (!isMore) {
      break;
    }
    end += 1;
  }
  return end;
}

function hasMore(lines, at) {
  const next = lines.slice(at, at + 3).find((line) => line.trim());
  return next !== undefined && (ITEM.test(next) || /^ {2,}/.test(next));
}

/** Read one part: {kind, …} with inline parts where it has words, and blocks where it holds some. */
export function parseBlock({ kind, raw }, depth = 0) {
  return READ[depth < DEEPEST || kind === "code" ? kind : "paragraph"](raw, depth);
}

const READ = {
  code: readFence,
  rule: () => ({ kind: "rule" }),
  heading: (raw) => ({ kind: "heading", parts: parseInline((HEADING.exec(raw)?.[2] ?? raw).trimEnd().replace(/(?<!#)#+$/, "").trim()) }),
  list: readList,
  quote: (raw, depth) => ({ kind: "quote", blocks: readBlocks(raw.split("\n").map((line) => QUOTE.exec(line)?.[1] ?? line), depth + 1) }),
  paragraph: (raw) => ({ kind: "paragraph", parts: parseInline(raw.trim()) }),
};

function readBlocks(lines, depth) {
  return splitBlocks(lines.join("\n")).map((block) => parseBlock(block, depth));
}

function readFence(raw) {
  const [first, ...rest] = raw.split("\n");
  const [, mark, language] = FENCE.exec(first) ?? [null, "```", ""];
  const last = rest.at(-1)?.trim() ?? "";
  const isClosed = last.length >= mark.length && last === mark[0].repeat(last.length);
  return { kind: "code", language, text: (isClosed ? rest.slice(0, -1) : rest).join("\n") };
}

function readList(raw, depth) {
  const [, margin, mark] = ITEM.exec(raw.split("\n")[0]);
  const items = [];
  for (const line of raw.split("\n")) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= margin.length + 1) {
      items.push([item[3] ?? ""]);
    } else {
      items.at(-1).push(line);
    }
  }
  const isOrdered = /\d/.test(mark);
  return { kind: "list", isOrdered, start: isOrdered ? Number.parseInt(mark, 10) : 1, items: items.map((lines) => readBlocks(outdent(lines), depth + 1)) };
}

function outdent([first, ...rest]) {
  const margins = rest.filter((line) => line.trim()).map((line) => /^ */.exec(line)[0].length);
  const margin = Math.min(4, ...margins);
  return [first, ...rest.map((line) => line.slice(margin))];
}

// -- words ---

const LINK = /!?\[([^[\]\n]{0,300})\]\(\s*<?((?:[^\s()<>]|\([^\s()<>]*\)){1,2000})>?(?:\s+"[^"\n]{0,300}")?\s*\)/y;
const BARE = /https?:\/\/[^\s<>"'`[\]{}|\\^]+/y;
const ESCAPABLE = /[\\`*_{}[\]()#+\-.!>~|]/;
const MARKS = { "**": "strong", __: "strong", "*": "em", _: "em" };

// Read words: [{kind: text | code | strong | em | link, …}]. One pass; what closes nothing is text.
function parseInline(text) {
  const state = { text, at: 0, open: [{ mark: "", parts: [] }], unclosed: new Set() };
  while (state.at < text.length) {
    readCode(state) || readEscape(state) || readLink(state) || readMark(state) || readText(state);
  }
  while (state.open.length > 1) {
    const { mark, parts } = state.open.pop();
    addText(state, mark);
    state.open.at(-1).parts.push(...parts);
  }
  return joined(state.open[0].parts);
}

function add(state, part) {
  state.open.at(-1).parts.push(part);
}

function addText(state, text) {
  add(state, { kind: "text", text });
}

function readText(state) {
  const next = /[`\\![*_]|https?:/g;
  next.lastIndex = state.at + 1;
  const end = next.exec(state.text)?.index ?? state.text.length;
  addText(state, state.text.slice(state.at, end));
  state.at = end;
  return true;
}

function readCode(state) {
  const { text, at } = state;
  if (text[at] !== "`") {
    return false;
  }
  const run = /`+/y;
  run.lastIndex = at;
  const mark = run.exec(text)[0];
  const end = state.unclosed.has(mark.length) ? -1 : endOfCode(text, at + mark.length, mark.length);
  if (end < 0) {
    state.unclosed.add(mark.length);
    addText(state, mark);
    state.at = at + mark.length;
    return true;
  }
  const inner = text.slice(at + mark.length, end).replace(/\n/g, " ");
  add(state, { kind: "code", text: inner.startsWith(" ") && inner.endsWith(" ") && /[^ ]/.test(inner) ? inner.slice(1, -1) : inner });
  state.at = end + mark.length;
  return true;
}

function endOfCode(text, from, length) {
  const runs = /`+/g;
  runs.lastIndex = from;
  for (let run = runs.exec(text); run; run = runs.exec(text)) {
    if (run[0].length === length) {
      return run.index;
    }
  }
  return -1;
}

function readEscape(state) {
  const { text, at } = state;
  if (text[at] !== "\\" || !ESCAPABLE.test(text[at + 1] ?? "")) {
    return false;
  }
  addText(state, text[at + 1]);
  state.at += 2;
  return true;
}

function readLink(state) {
  const { text, at } = state;
  const first = text[at];
  if (first === "[" || (first === "!" && text[at + 1] === "[")) {
    LINK.lastIndex = at;
    const [all, label, address] = LINK.exec(text) ?? [];
    const url = all && safeUrl(address);
    if (!url) {
      return false;
    }
    state.at += all.length;
    add(state, { kind: "link", text: label.trim() || address, url: url.href, target: shownTarget(label.trim(), url) });
    return true;
  }
  BARE.lastIndex = at;
  const bare = first === "h" && !/\w/.test(text[at - 1] ?? "") ? BARE.exec(text)?.[0].replace(/(?<![.,;:!?)*_~])[.,;:!?)*_~]+$/, "") : null;
  const url = bare && safeUrl(bare);
  if (!url) {
    return false;
  }
  state.at += bare.length;
  add(state, { kind: "link", text: bare, url: url.href, target: shownTarget(bare, url) });
  return true;
}

/** Return the URL of a link that may be followed: http or https; else null. */
export function safeUrl(address) {
  try {
    const url = new URL(address);
    return url.protocol === "http:" || url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}

// Where a link leads is said beside it, unless its words are the address itself, letter by letter.
function shownTarget(label, url) {
  const isSaid = (label === url.href || `${label}/` === url.href) && !url.username && !url.password;
  return isSaid ? "" : url.host;
}

function readMark(state) {
  const { text, at } = state;
  const mark = markAt(state);
  if (!mark) {
    return false;
  }
  const before = text[at - 1] ?? " ";
  const after = text[at + mark.length] ?? " ";
  const isWord = mark[0] === "_" ? (letter) => /[\p{L}\p{N}]/u.test(letter) : () => false;
  const level = state.open.findLastIndex((each) => each.mark === mark);
  if (level > 0 && !/\s/.test(before) && !isWord(after)) {
    close(state, level);
  } else if (level < 0 && !/\s/.test(after) && !isWord(before)) {
    state.open.push({ mark, parts: [] });
  } else {
    addText(state, mark);
  }
  state.at += mark.length;
  return true;
}

// Of three in a row, the one that was opened last is closed first.
function markAt({ text, at, open }) {
  const inner = open.at(-1).mark;
  const isTriple = inner.length === 1 && text.startsWith(inner.repeat(3), at);
  return isTriple ? inner : ["**", "__", "*", "_"].find((each) => text.startsWith(each, at));
}

function close(state, level) {
  while (state.open.length > level + 1) {
    const { mark, parts } = state.open.pop();
    addText(state, mark);
    state.open.at(-1).parts.push(...parts);
  }
  const { mark, parts } = state.open.pop();
  add(state, { kind: MARKS[mark], parts: joined(parts) });
}

function joined(parts) {
  const found = [];
  for (const part of parts) {
    if (part.kind === "text" && found.at(-1)?.kind === "text") {
      found[found.length - 1] = { kind: "text", text: found.at(-1).text + part.text };
    } else {
      found.push(part);
    }
  }
  return found;
}
