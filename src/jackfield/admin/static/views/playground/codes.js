// The request as a program's, in a dialog.

import { Dialog, html, Tabs, useState } from "../../ui.js";
import { CODES, fileMark, KEY } from "./code.js";
import { buildBody } from "./request.js";
import { CodeBlock } from "./words.js";

/** Show the conversation with the question that is being written; `url` is the gateway's. */
export function Codes({ url, model, read, turns, draft, onClose }) {
  const [shown, setShown] = useState("curl");
  const hasWords = draft.trim() !== "";
  const question = { id: "", text: draft.trim() || "Hello", files: [], lanes: [{ tries: [], at: 0 }] };
  const asked = hasWords || turns.length === 0 ? [...turns, question] : turns;
  const files = asked.flatMap((turn) => turn.files.filter((file) => file.data));
  const dataOf = (file) => fileMark(files.indexOf(file));
  // The last question is what is asked; its answer is what comes back.
  const body = buildBody({ model: model || "default", read, turns: asked, lane: 0, until: asked.at(-1).id, dataOf });
  const text = CODES[shown].render({ url, body, files });
  const names = [...new Set(files.map((file) => file.name))];
  return html`<${Dialog} title="This request as code" isWide onClose=${onClose}>
    <${Tabs} label="Language" value=${shown} onChange=${setShown} tabs=${Object.entries(CODES).map(([key, { name }]) => ({ key, name }))}>
      <${CodeBlock} language=${CODES[shown].name} text=${text} label=${`Code: ${CODES[shown].name}`} />
    <//>
    <p class="hint">Put a gateway key in the place of <code>${KEY}</code>; keys are made under Usage. It asks the gateway at <code>${url}</code>, as every program does.</p>
    ${names.length > 0 && html`<p class="hint">Run it beside ${names.join(", ")}: the program reads ${names.length > 1 ? "these files" : "this file"}.</p>`}
  <//>`;
}
