// One provider: how it is, its credentials, and what can be done about them.

import { ask, edit } from "../../api.js";
import { Badge, Button, Card, confirm, html, Notice, Said, sentence, toast, Trouble, useAction, useNow, useState } from "../../ui.js";
import { Credential } from "./credential.js";
import { KeyDialog } from "./key.js";
import { isLink, sayStatus, sayTest } from "./words.js";

/** A card. onConnect(id) shows the ways to sign in, onEdit(id) the form of a server of one's own. */
export function ProviderCard({ card, reload, onConnect, onEdit }) {
  const now = useNow();
  const [tone, words] = sayStatus(card.status, now);
  const [replacing, setReplacing] = useState(null);
  const [results, setResults] = useState(null);
  const act = useAction(async (change) => {
    setResults(null);
    await change();
    reload();
  });
  const test = useAction(async () => {
    act.clear();
    setResults((await ask("providers/test", { method: "POST", body: { provider: card.id } })).results);
    reload();
  });
  const profiles = card.credentials.filter((each) => each.kind === "profile");
  const hasKey = card.credentials.some((each) => !each.reason);
  const footer = html`
    <${Button} isSmall icon="play" isBusy=${test.isBusy} disabled=${!hasKey} onClick=${() => test.run()} aria-label="Test connection to ${card.name}">Test connection<//>
    <${Button} isSmall icon="key" onClick=${() => onConnect(card.id)} aria-label="${hasKey ? "Add credential" : "Add a key"} for ${card.name}">${hasKey ? "Add credential" : "Add a key"}<//>
    ${card.isCustom &&
    html`<span class="card-end">
      <${Button} isSmall tone="quiet" icon="edit" label="Edit ${card.name}" onClick=${() => onEdit(card.id)} />
      <${Button} isSmall tone="quiet" icon="trash" label="Remove ${card.name}" onClick=${() => act.run(() => removeServer(card))} />
    </span>`}`;
  const about = html`<span class="mono">${card.id}</span>${card.isInUse ? " · in use" : ""} · ${card.models === 1 ? "1 model" : `${card.models} models`}`;
  const badge = html`<${Badge} tone=${tone}>${words}<//>`;
  return html`<${Card} title=${card.name} about=${about} aside=${badge} footer=${footer} class="provider" data-provider=${card.id}>
    <p class="provider-url hint">
      <span class="mono">${card.url || "The address is not whole: a variable in it is not set"}</span>
      ${isLink(card.doc) && html` <a href=${card.doc} target="_blank" rel="noopener noreferrer">Documentation<span class="unseen"> of ${card.name}, in a new tab</span></a>`}
    </p>
    ${card.credentials.length > 0 &&
    html`<ul class="credentials" aria-label="Credentials of ${card.name}">
      ${card.credentials.map((each, at) => html`<${Credential} key=${`${each.label}-${at}`} ...${{ each, card, profiles, now, run: act.run, onReplace: setReplacing }} />`)}
    </ul>`}
    ${card.credentials.length === 0 && html`<p class="hint">No key: set <code>${card.variables[0] ?? "a variable"}</code>, add a key, or sign in.</p>`}
    ${card.rests.length > 0 && html`<${Rests} ...${{ card, run: act.run }} />`}
    ${card.order && html`<${Order} ...${{ card, run: act.run }} />`}
    <${Trouble} error=${act.error ?? test.error} />
    ${results && html`<${Results} results=${results} />`}
    ${replacing && html`<${KeyDialog} card=${card} credential=${replacing} onClose=${() => setReplacing(null)} onDone=${() => (setReplacing(null), reload())} />`}
  <//>`;
}

/** How each credential's test went. */
export function Results({ results }) {
  return html`<div class="stack" role="status">
    ${results.map(
      (each) => html`<${Notice} key=${each.label} tone=${each.status === "ok" ? "ok" : "bad"} title=${sentence(sayTest(each))}>
        ${results.length > 1 && html`<p class="mono">${each.label}</p>`}
        ${each.message && html`<p>${sentence(each.message)}</p>`}
        ${each.hint && html`<${Said} text=${each.hint} />`}
      <//>`,
    )}
  </div>`;
}

function Rests({ card, run }) {
  const [first] = card.rests;
  const end = () => run(() => ask("providers/rests/end", { method: "POST", body: { provider: card.id } }));
  const models = card.rests.map((each) => each.model).filter(Boolean);
  const what = models.length ? `${models.length === 1 ? models[0] : `${models.length} models`} of it` : "It";
  const clear = html`<${Button} isSmall onClick=${end} aria-label="Clear the rests of ${card.name}">Clear<//>`;
  return html`<${Notice} tone="warn" title="${what} rests after failures." action=${clear}>${first.message && sentence(first.message)}<//>`;
}

function Order({ card, run }) {
  const clear = () => run(() => ask("providers/order", { method: "POST", body: { provider: card.id, ids: null } }));
  return html`<p class="hint row">
    <span>${card.orderIsStored ? "Used in the order you gave." : "Used in the order that the config gives."}</span>
    ${card.orderIsStored && html`<${Button} isSmall tone="quiet" onClick=${clear} aria-label="Forget the order of ${card.name}">Forget the order<//>`}
  </p>`;
}

async function removeServer(card) {
  const used = card.usedBy.length ? ` It is used as ${card.usedBy.join(", ")}; choose others there.` : "";
  const keys = card.credentials.filter((each) => each.kind === "profile").length;
  const text = `${card.name} goes out of the config${keys ? ", and its stored keys out of the credential store" : ""}.${used}`;
  if (await confirm({ title: `Remove ${card.name}?`, text, action: "Remove", tone: "danger" })) {
    await edit("custom/remove", { provider: card.id, keys: true });
    toast(`${card.name} is removed.`);
  }
}
