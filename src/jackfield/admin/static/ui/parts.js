// Still parts: what a view says, and how it is grouped.

import { advise } from "./advice.js";
import { Button } from "./controls.js";
import { html, useId } from "./core.js";
import { Icon } from "./icon.js";

const MARKS = { info: "info", ok: "check", warn: "alert", bad: "alert" };

/** A group with a title; `aside` stands at the title's end, `footer` below a line. */
export function Card({ title, about, aside, footer, level = 2, class: more = "", children, ...rest }) {
  const id = useId("card");
  return html`<section class="card ${more}" aria-labelledby=${title ? id : undefined} ...${rest}>
    ${title &&
    html`<header class="card-head">
      <div>${heading(level, id, title)}${about && html`<p class="about">${about}</p>`}</div>
      ${aside && html`<div class="card-aside">${aside}</div>`}
    </header>`}
    <div class="card-body">${children}</div>
    ${footer && html`<footer class="card-foot">${footer}</footer>`}
  </section>`;
}

function heading(level, id, title) {
  return level === 3 ? html`<h3 id=${id}>${title}</h3>` : html`<h2 id=${id}>${title}</h2>`;
}

/** A word about a state. tone: ok, warn, bad, off, accent; the words say it too. */
export function Badge({ tone = "off", children, ...rest }) {
  return html`<span class="badge ${tone}" ...${rest}>${children}</span>`;
}

/** Something to be read. tone: info, ok, warn, bad; what is bad is told at once. */
export function Notice({ tone = "info", title, action, children }) {
  return html`<div class="notice ${tone}" role=${tone === "bad" ? "alert" : "note"}>
    <${Icon} name=${MARKS[tone]} />
    <div class="notice-words">${title && html`<strong>${title}</strong>`}${children && html`<div>${children}</div>`}</div>
    ${action && html`<div class="notice-action">${action}</div>`}
  </div>`;
}

/** What failed, and what to do next; `onRetry` adds a button. Draws nothing without an error. */
export function Trouble({ error, onRetry }) {
  if (!error) {
    return null;
  }
  const action = onRetry && html`<${Button} isSmall icon="refresh" onClick=${onRetry}>Try again<//>`;
  return html`<${Notice} tone="bad" title=${sentence(error.message)} action=${action}>${error.hint && html`<${Said} text=${error.hint} />`}<//>`;
}

/** A message of ours, line by line, each a sentence. */
export function Said({ text }) {
  return String(text).split("\n").map((line) => html`<p>${linked(sentence(line))}</p>`);
}

/** Draw a text; where it names a command that a view can do instead, with a way there. */
export function linked(text) {
  return advise(text).map((piece) => (typeof piece === "string" ? piece : html`<a href="#/${piece.place}">${piece.name}</a>`));
}

/** Write a message of ours as a sentence. */
export function sentence(text) {
  const plain = String(text ?? "").trim();
  const isName = /^\S+\/\S/.test(plain); // an address, and the name of a model, stay as they are
  return plain && (isName ? plain[0] : plain[0].toUpperCase()) + plain.slice(1) + (/[.!?:…]$/.test(plain) ? "" : ".");
}

/** Something is under way. */
export function Busy({ children = "Loading…" }) {
  return html`<p class="busy" role="status"><span class="spinner" aria-hidden="true"></span>${children}</p>`;
}

/** There is nothing yet; children say what to do. */
export function Empty({ title, children }) {
  return html`<div class="empty"><p class="empty-title">${title}</p>${children && html`<div>${children}</div>`}</div>`;
}

/** Names with their values: rows are [name, value]. */
export function Facts({ rows }) {
  return html`<dl class="facts">
    ${rows.filter(Boolean).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

/** Text of a program: kept as it is, scrolled when wide. */
export function Code({ label, children }) {
  return html`<pre class="code" tabindex="0" role="region" aria-label=${label}><code>${children}</code></pre>`;
}

const SIDES = [
  [/^(\+\+\+|---) /, "file"],
  [/^@@/, "place"],
  [/^\+/, "added"],
  [/^-/, "gone"],
];

/** What changed, as `diff -u` writes it; the signs stay, so that colour is not all that tells. */
export function Diff({ label, text }) {
  const lines = text.replace(/\n$/, "").split("\n");
  const look = (line) => SIDES.find(([sign]) => sign.test(line))?.[1] ?? "same";
  return html`<pre class="code diff" tabindex="0" role="region" aria-label=${label}>
    ${lines.map((line, at) => html`<code key=${at} class="diff-${look(line)}">${line || " "}</code>`)}
  </pre>`;
}
