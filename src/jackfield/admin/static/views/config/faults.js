// What is wrong with the text, and what is odd: checked while it is typed, told with the lines.

import { ask } from "../../api.js";
import { html, Icon, linked, useEffect, useState } from "../../ui.js";

const PAUSE_MS = 350; // between the last letter and the check

/** Check edited files when typing pauses: {issues, warnings, error}; what is unedited was checked when it was read. */
export function useCheck(hash, files, asRead) {
  const [found, setFound] = useState(null);
  const key = JSON.stringify([hash, files]);
  useEffect(() => {
    if (files.length === 0) {
      setFound(null);
      return undefined;
    }
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      ask("config/check", { method: "POST", body: { files }, signal: leaving.signal }).then(
        (said) => setFound({ ...said, error: null }),
        (error) => leaving.signal.aborted || setFound({ issues: [], warnings: [], error }),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [key]);
  return files.length === 0 || !found ? asRead : found;
}

/** Lists issues and warnings; pressing one shows its place. */
export function Faults({ id, issues, warnings, onShow }) {
  const all = [...issues.map((each) => ({ ...each, tone: "bad" })), ...warnings.map((each) => ({ ...each, tone: "warn" }))];
  return html`<div id=${id} class="faults">
    <p role="status" class="faults-sum">${sum(issues.length, warnings.length)}</p>
    ${all.length > 0 &&
    html`<ul class="plain">
      ${all.map(
        (each, at) => html`<li key=${at} class="fault ${each.tone}">
          <${Icon} name="alert" />
          ${each.line
            ? html`<button type="button" class="link" onClick=${() => onShow(each)}>Line ${each.line}${each.column > 1 ? `, column ${each.column}` : ""}</button>`
            : html`<span>${each.file ? each.file.split("/").pop() : "Config"}</span>`}
          <span class="fault-words"><span class="unseen">${each.tone === "bad" ? "Problem:" : "Warning:"}</span> ${each.path && html`<code>${each.path}</code> `}${linked(each.message)}</span>
        </li>`,
      )}
    </ul>`}
  </div>`;
}

function sum(issues, warnings) {
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  if (!issues && !warnings) {
    return "Nothing is wrong with it.";
  }
  return [issues && count(issues, "problem"), warnings && count(warnings, "warning")].filter(Boolean).join(", ");
}
