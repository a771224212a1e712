// A few models side by side.

import { Busy, Button, Dialog, html, Trouble } from "../../ui.js";
import { factsOf, useDetails } from "./model.js";

/** How many fit beside each other. */
export const MOST = 4;

/** A dialog that shows the facts of up to four models in columns; where they differ, it says so. */
export function Compare({ refs, onClose, go }) {
  const { models, error, isBusy } = useDetails(refs);
  const columns = models?.map(factsOf) ?? [];
  const close = html`<${Button} onClick=${onClose}>Close<//>`;
  return html`<${Dialog} title="Compare ${refs.length} models" onClose=${onClose} isWide actions=${close}>
    <${Trouble} error=${error} />
    ${isBusy && html`<${Busy} />`}
    ${models &&
    html`<div class="table-scroll" tabindex="0" role="region" aria-label="Models side by side">
      <table class="compare">
        <thead><tr><th scope="col"><span class="unseen">Fact</span></th>${refs.map((ref) => html`<th scope="col" key=${ref}><code>${ref}</code></th>`)}</tr></thead>
        <tbody>
          ${columns[0].map(([name], at) => {
            const values = columns.map((facts) => facts[at][1]);
            const differs = new Set(values).size > 1;
            return html`<tr key=${name} class=${differs ? "differs" : undefined}>
              <th scope="row">${name}${differs && html` <span class="unseen">(differs)</span>`}</th>
              ${values.map((value, column) => html`<td key=${refs[column]}>${value}</td>`)}
            </tr>`;
          })}
          <tr><th scope="row">Try</th>${refs.map((ref) => html`<td key=${ref}><${Button} isSmall icon="play" label="Try ${ref}" onClick=${() => go("playground", { model: ref })} /></td>`)}</tr>
        </tbody>
      </table>
    </div>`}
  <//>`;
}
