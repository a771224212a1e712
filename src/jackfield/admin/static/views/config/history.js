// The changes that are kept, what each would take back, and doing so.

import { edit } from "../../api.js";
import { ago, Button, Busy, Card, Dialog, Diff, Empty, html, moment, Notice, Said, toast, Trouble, useAction, useAsk, useState } from "../../ui.js";

const SHOWN = 8;

/** The list of changes, the last one first. */
export function History() {
  const { data, error, reload } = useAsk("config/history");
  const [opened, setOpened] = useState(0);
  const [isAll, setAll] = useState(false);
  const changes = data?.changes ?? [];
  const shown = isAll ? changes : changes.slice(0, SHOWN);
  return html`<${Card} title="History" about="The text before each change by this page or a command; the last fifty.">
    <${Trouble} error=${error} onRetry=${reload} />
    ${!data && !error && html`<${Busy} />`}
    ${data && changes.length === 0 && html`<${Empty} title="No change yet" />`}
    ${shown.length > 0 &&
    html`<ol class="plain history" aria-label="Changes">
      ${shown.map(
        (change) => html`<li key=${change.number}>
          <span class="history-words">
            <strong>${change.by === "page" ? "This page" : change.by}</strong> ${sayKeys(change.keys)}
            <span class="hint"><time datetime=${new Date(change.atMs).toISOString()} title=${moment(change.atMs)}>${ago(change.atMs)}</time>, change ${change.number}</span>
          </span>
          <${Button} isSmall icon="undo" label="Undo change ${change.number}" onClick=${() => setOpened(change.number)}>Undo<//>
        </li>`,
      )}
    </ol>`}
    ${changes.length > shown.length && html`<${Button} isSmall onClick=${() => setAll(true)}>Show all ${changes.length}<//>`}
    ${opened > 0 && html`<${Undo} number=${opened} onClose=${() => setOpened(0)} />`}
  <//>`;
}

function sayKeys(keys) {
  return keys.length === 0 ? "the text" : html`<code>${keys.slice(0, 2).join(", ")}</code>${keys.length > 2 && ` and ${keys.length - 2} more`}`;
}

function Undo({ number, onClose }) {
  const { data, error } = useAsk("config/change", { number });
  const act = useAction(async () => {
    const said = await edit("config/undo", { number });
    toast(said.changed ? `The config is what it was before change ${number}.` : "Nothing to change.", "ok");
    onClose();
  });
  const actions = html`<${Button} onClick=${onClose}>Leave it<//><${Button} tone="primary" icon="undo" isBusy=${act.isBusy} disabled=${!data?.undo} onClick=${act.run}>Undo<//>`;
  return html`<${Dialog} title="Undo change ${number}" onClose=${onClose} actions=${actions} isWide>
    <${Trouble} error=${act.error ?? error} />
    ${data && html`<p>This makes the config what it was before change ${number}; later changes of the same file go with it. It is a change too, and can be undone.</p>`}
    ${data?.warnings.map((each) => html`<${Notice} key=${each} tone="warn"><${Said} text=${each} /><//>`)}
    ${data && (data.undo ? html`<${Diff} label="What undoing changes" text=${data.undo} />` : html`<p class="hint">The config is as it was then already.</p>`)}
    ${!data && !error && html`<${Busy} />`}
  <//>`;
}
