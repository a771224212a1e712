// One answer: who gives it, what it thinks, says and calls, how it ended, and its figures.

import { Badge, count, html, Icon, ms, Notice, Said, sentence, usd, useMemo } from "../../ui.js";
import { figuresOf, isOpen, wordsOf } from "./answer.js";
import { findMisfits } from "./misfit.js";
import { safeUrl } from "./markdown.js";
import { CodeBlock, Words } from "./words.js";

/** Draw an answer as far as it has come. */
export function Answer({ answer }) {
  const thought = wordsOf(answer, "thinking");
  return html`<div class="answer" aria-busy=${isOpen(answer) ? "true" : "false"}>
    <${Head} ...${answer} />
    <${Tries} ...${answer} />
    ${thought &&
    html`<details class="thinking" open=${answer.state === "running" && !wordsOf(answer)}>
      <summary>Thinking</summary><div class="thought" tabindex="0" role="region" aria-label="Thinking">${thought}</div>
    </details>`}
    ${answer.blocks.map((block) => html`<${Block} key=${block.index} block=${block} answer=${answer} />`)}
    <${End} answer=${answer} />
  </div>`;
}

function Head({ model, served, state, end }) {
  const isOther = served && served !== model;
  return html`<p class="answer-head">
    <span class="answer-model mono">${served || model || "the default model"}</span>
    ${isOther && html`<span class="soft">asked: <span class="mono">${model || "the default"}</span></span>`}
    ${state === "waiting" && html`<span class="waiting"><span class="spinner" aria-hidden="true"></span>Waiting for the first word</span>`}
    ${state === "running" && html`<span class="waiting"><span class="spinner" aria-hidden="true"></span>Answering</span>`}
    ${state === "stopped" && html`<${Badge} tone="warn">Stopped by you<//>`}
    ${state === "failed" && html`<${Badge} tone="bad">Failed<//>`}
    ${WHY[end?.finishReason] && state === "done" && html`<${Badge} tone="warn">${WHY[end.finishReason]}<//>`}
  </p>`;
}

const WHY = { length: "Cut at the longest answer allowed", content_filter: "Stopped by the provider’s policy" };

// Who was tried before: told at once while somebody is waited for, and kept small afterwards.
function Tries({ attempts, state, end }) {
  const failed = attempts.filter((each) => each.reason);
  if (failed.length === 0 || state === "stopped") {
    return end?.notice ? html`<p class="tries">${sentence(end.notice)}</p>` : null;
  }
  const list = html`<ol>${attempts.map((each) => html`<li><span class="mono">${each.model}</span>: ${each.reason ? describe(each) : `answered after ${ms(each.ms)}`}</li>`)}</ol>`;
  if (isOpen({ state })) {
    return html`<div class="tries">${list}${state === "waiting" && html`<p>Asking on…</p>`}</div>`;
  }
  const title = state === "done" ? `Answered after ${plural(failed.length, "failed try", "failed tries")}` : `${plural(attempts.length, "try", "tries")} failed`;
  return html`<details class="tries"><summary>${title}</summary>${list}${end?.notice && html`<p>${sentence(end.notice)}</p>`}</details>`;
}

function describe({ reason, message, ms: took }) {
  const said = message && message !== reason ? `${reason}: ${message}` : reason;
  return took === null || took === undefined ? `not asked, ${said}` : `${said} (${ms(took)})`;
}

function plural(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

// -- what it says ---

function Block({ block, answer }) {
  return BLOCKS[block.kind]?.(block, answer) ?? null;
}

const BLOCKS = {
  text: ({ text }, answer) => (answer.schema ? html`<${Structured} text=${text} answer=${answer} />` : html`<${Words} text=${text} />`),
  refusal: ({ text }) => html`<div class="refusal"><p class="step-head"><${Icon} name="alert" />Declined</p><${Words} text=${text} /></div>`,
  call: ({ name, arguments: given }) => html`<div class="call">
    <p class="step-head"><${Icon} name="play" />Calls <code>${name}</code></p>
    <${CodeBlock} language="arguments" text=${pretty(given)} label=${`Arguments of ${name}`} />
  </div>`,
  media: (block) => html`<${Media} ...${block} />`,
};

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// JSON is judged once it is whole; until then it is shown as it comes.
function Structured({ text, answer }) {
  const isWhole = answer.state === "done";
  const verdict = useMemo(() => isWhole && judge(text, answer.schema), [isWhole, text]);
  if (!verdict) {
    return html`<${CodeBlock} language="json" text=${text} />`;
  }
  return html`<div class="structured">
    <p class="step-head">${verdict.misfits.length ? html`<${Badge} tone="bad">${verdict.word}<//>` : html`<${Badge} tone="ok">${verdict.word}<//>`}</p>
    ${verdict.misfits.length > 0 && html`<ul class="misfits">${verdict.misfits.map((each) => html`<li>${each}</li>`)}</ul>`}
    <${CodeBlock} language="json" text=${pretty(text)} />
  </div>`;
}

function judge(text, schema) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { word: "This is not JSON", misfits: [error.message] };
  }
  const misfits = findMisfits(value, schema);
  const isAny = Object.keys(schema).length === 0;
  return { word: misfits.length ? "JSON that does not fit the schema" : isAny ? "Valid JSON" : "Valid JSON, fits the schema", misfits };
}

const SHOWN = /^image\/(png|jpeg|gif|webp)$/;

function Media({ media, mediaType, data, url }) {
  if (media === "image" && data && SHOWN.test(mediaType)) {
    return html`<img class="drawn" src=${`data:${mediaType};base64,${data}`} alt="Picture in the answer" />`;
  }
  const link = url && safeUrl(url);
  const what = `The answer holds ${media === "image" ? "a picture" : media}${mediaType ? ` (${mediaType})` : ""}`;
  return html`<p class="soft">${what}${link ? html`: <a href=${link.href} target="_blank" rel="noopener noreferrer nofollow">${link.href}</a>` : "."}</p>`;
}

// -- how it ended ---

function End({ answer }) {
  const { end, error, state } = answer;
  const isEmpty = state === "done" && answer.blocks.length === 0;
  return html`
    ${isEmpty && html`<${Notice} tone="warn" title="The answer is empty.">Try again, or another model.<//>`}
    ${state === "stopped" && answer.blocks.length === 0 && html`<p class="soft">Nothing had come yet.</p>`}
    ${error && html`<${Notice} tone="bad" title=${sentence(error.message)}>${error.hint && html`<${Said} text=${error.hint} />`}<//>`}
    ${end?.warnings.length > 0 && html`<${Notice} tone="warn" title="Worth knowing">${end.warnings.map((each) => html`<${Said} key=${each} text=${each} />`)}<//>`}
    ${end?.citations.length > 0 && html`<${Sources} citations=${end.citations} />`}
    <${Figures} answer=${answer} />
  `;
}

function Sources({ citations }) {
  const drawn = citations.map(({ url, title }) => {
    const link = safeUrl(url);
    return html`<li>${link ? html`<a href=${link.href} target="_blank" rel="noopener noreferrer nofollow">${title || link.href}</a> <span class="link-target">(${link.host})</span>` : title || url}</li>`;
  });
  return html`<div class="sources"><p class="step-head">Sources</p><ol>${drawn}</ol></div>`;
}

const inTokens = (number) => `${count(number)} ${number === 1 ? "token" : "tokens"}`;
const FIGURES = [
  ["input", "In", inTokens],
  ["cacheRead", "From the cache", inTokens],
  ["cacheWrite", "Into the cache", inTokens],
  ["output", "Out", inTokens],
  ["reasoning", "Of it thinking", inTokens],
  ["costUsd", "Cost", usd],
  ["firstMs", "First token", ms],
  ["speed", "Speed", (number) => `${number.toFixed(number < 10 ? 1 : 0)} tokens/s`],
  ["totalMs", "Whole", ms],
];
const QUIET_AT_ZERO = new Set(["cacheRead", "cacheWrite", "reasoning"]);

function Figures({ answer }) {
  const known = figuresOf(answer);
  const rows = FIGURES.filter(([key]) => key in known && !(known[key] === 0 && QUIET_AT_ZERO.has(key)));
  if (rows.length === 0) {
    return null;
  }
  return html`<dl class="figures" aria-label="Figures">
    ${rows.map(([key, name, write]) => html`<div key=${key}><dt>${name}</dt><dd>${known.estimated && ESTIMATED.has(key) ? "about " : ""}${write(known[key])}</dd></div>`)}
  </dl>`;
}

const ESTIMATED = new Set(["input", "output", "costUsd", "speed"]);
