// A question and its answers, one below the other or side by side, and what a person can do with them.

import { bytes, Button, Component, Copy, Field, html, Icon, Picker, useState } from "../../ui.js";
import { isOpen, wordsOf } from "./answer.js";
import { Answer } from "./answer_view.js";
import { openCalls } from "./request.js";
import { askAgain, giveResults, showTry } from "./talk.js";
import { CodeBlock } from "./words.js";

/** Draw a turn; one that nothing has happened to is left as it is drawn. */
export class Turn extends Component {
  shouldComponentUpdate({ turn, isLast, names }) {
    return turn !== this.props.turn || isLast !== this.props.isLast || names !== this.props.names;
  }

  render({ turn, isLast, names }) {
    return html`<article class="turn" aria-label=${`Question: ${turn.text.slice(0, 80) || "files"}`}>
      <${Question} ...${turn} />
      <div class=${turn.lanes.length > 1 ? "lanes two" : "lanes"}>
        ${turn.lanes.map((lane, at) => html`<${Lane} key=${at} ...${{ turn, lane, at, isLast, names }} />`)}
      </div>
    </article>`;
  }
}

function Question({ text, files }) {
  return html`<div class="question">
    ${files.length > 0 && html`<ul class="files">${files.map((file) => html`<${FileChip} key=${file.id} file=${file} />`)}</ul>`}
    ${text && html`<p>${text}</p>`}
  </div>`;
}

/** A file of a question: its picture or its kind, its name and size; `onRemove` adds a cross. */
export function FileChip({ file, onRemove }) {
  const isGone = !file.data && !file.text;
  return html`<li class=${isGone ? "file gone" : "file"}>
    ${file.kind === "image" && file.data
      ? html`<img src=${`data:${file.type};base64,${file.data}`} alt=${`Preview of ${file.name}`} />`
      : html`<span class="file-kind" aria-hidden="true">${KINDS[file.kind] ?? "file"}</span>`}
    <span class="file-name">${file.name}</span>
    <span class="file-size">${isGone ? "not kept over the reload" : bytes(file.size)}</span>
    ${onRemove && html`<${Button} tone="quiet" isSmall icon="close" label=${`Remove ${file.name}`} onClick=${onRemove} />`}
  </li>`;
}

const KINDS = { image: "IMG", document: "PDF", audio: "WAV", text: "TXT" };

function Lane({ turn, lane, at, isLast, names }) {
  const { steps } = lane.tries[lane.at];
  const last = steps.at(-1)?.answer;
  const count = lane.tries.length;
  return html`<section class="lane" aria-label=${`Answer of ${last?.model ?? "nobody"}`}>
    ${steps.map((step, number) => (step.answer ? html`<${Answer} key=${number} answer=${step.answer} />` : html`<${Results} key=${number} results=${step.results} />`))}
    ${isLast && openCalls(turn, at).length > 0 && html`<${ResultForm} calls=${openCalls(turn, at)} onGive=${(results) => giveResults(turn.id, at, results)} />`}
    ${last &&
    !isOpen(last) &&
    html`<div class="answer-tools">
      ${count > 1 && html`<${Pager} at=${lane.at} count=${count} onShow=${(to) => showTry(turn.id, at, to)} />`}
      ${isLast && html`<${Again} ...${{ answer: last, names }} onAgain=${(model) => askAgain(turn.id, at, model)} />`}
      ${wordsOf(last) && html`<${Copy} text=${wordsOf(last)} label="Copy answer" />`}
    </div>`}
  </section>`;
}

function Pager({ at, count, onShow }) {
  return html`<div class="pager" role="group" aria-label="Answers to this question">
    <${Button} tone="quiet" isSmall label="Earlier answer" disabled=${at === 0} onClick=${() => onShow(at - 1)}>‹<//>
    <span>Answer ${at + 1} of ${count}</span>
    <${Button} tone="quiet" isSmall label="Later answer" disabled=${at === count - 1} onClick=${() => onShow(at + 1)}>›<//>
  </div>`;
}

function Again({ answer, names, onAgain }) {
  const [isOther, setOther] = useState(false);
  const choose = (model) => {
    setOther(false);
    onAgain(model);
  };
  const isWhole = answer.state === "done";
  return html`<${Button} tone=${isWhole ? "quiet" : "plain"} isSmall icon="refresh" onClick=${() => onAgain("")}>${isWhole ? "Regenerate" : "Try again"}<//>
    <${Button} tone="quiet" isSmall aria-expanded=${isOther ? "true" : "false"} onClick=${() => setOther(!isOther)}>Another model<//>
    ${isOther && html`<${Picker} label="Ask another model instead" isHidden options=${names} value="" placeholder="Find a model" onChange=${choose} class="again-model" autofocus />`}`;
}

// -- tools ---

function Results({ results }) {
  return html`<div class="results">
    ${results.map(({ id, name, text }) => html`<div key=${id}><p class="step-head"><${Icon} name="undo" />Result of <code>${name}</code></p><${CodeBlock} language="result" text=${text} /></div>`)}
  </div>`;
}

function ResultForm({ calls, onGive }) {
  const [texts, setTexts] = useState({});
  const submit = (event) => {
    event.preventDefault();
    onGive(calls.map(({ id, name }) => ({ id, name, text: texts[id] ?? "" })));
  };
  return html`<form class="result-form" onSubmit=${submit}>
    ${calls.map(
      ({ id, name, index }) => html`<${Field} key=${index} label=${`Result of ${name}`} rows=${2} isMono value=${texts[id] ?? ""}
        hint="What the tool returns: text or JSON. The model goes on with it." onInput=${(text) => setTexts({ ...texts, [id]: text })} />`,
    )}
    <div class="row"><${Button} type="submit" tone="primary" isSmall>${calls.length > 1 ? "Send results" : "Send result"}<//></div>
  </form>`;
}
