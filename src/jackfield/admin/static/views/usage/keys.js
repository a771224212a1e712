// The keys of those who may call the gateway: what each may do, what it has used, made, changed and ended here.

import { ask, gateway } from "../../api.js";
import { ago, Badge, Busy, Button, Card, Code, confirm, Copy, count, Dialog, html, Notice, Table, toast, Trouble, until, usd, useAction, useAsk, useState, useStore } from "../../ui.js";
import { Meter } from "../meter.js";
import { KeyForm } from "./key_form.js";

const LOOK_MS = 15_000;
const TONES = { active: "ok", expired: "warn", revoked: "off" };
const LIMITS = [
  ["requestsPerMinute", "requests a minute"],
  ["tokensPerMinute", "tokens a minute"],
  ["concurrency", "at a time"],
];

/** The table, and the dialogs around it. */
export function Keys({ go }) {
  const { data, error, reload } = useAsk("keys", {}, { every: LOOK_MS });
  const [shown, setShown] = useState(null); // {kind: "new" | "edit" | "secret", key}
  const revoke = useAction(async (key) => {
    const text = `Programs that send the key ${key.name} are refused within a second. It cannot be taken back.`;
    if (await confirm({ title: `Revoke the key ${key.name}?`, text, action: "Revoke it", tone: "danger" })) {
      await ask("keys/revoke", { method: "POST", body: { name: key.id } });
      toast(`The key ${key.name} is revoked.`);
      reload();
    }
  });
  const made = (key) => {
    setShown(key.key ? { kind: "secret", key } : null);
    reload();
  };
  const actions = { edit: (key) => setShown({ kind: "edit", key }), revoke: revoke.run, see: (key) => go("routes", { tab: "calls", key: key.name }) };
  const create = html`<${Button} tone="primary" icon="plus" onClick=${() => setShown({ kind: "new" })}>New key<//>`;
  return html`<div class="stack wide-stack">
    <${Trouble} error=${error ?? revoke.error} onRetry=${reload} />
    <${Card} title="Gateway keys" about="For programs and people that call the gateway. Days and months of budgets begin at midnight UTC." aside=${create}>
      ${data ? html`<${Table} isStacked label="Gateway keys" rows=${data.keys} keyOf=${(key) => key.id} columns=${columns(data.nowMs, actions)} />` : !error && html`<${Busy} />`}
      ${data?.keys.every((key) => key.from) && html`<p class="about">No key was made yet. Each program with a key of its own can be limited and ended alone.</p>`}
    <//>
    ${shown?.kind === "secret" && html`<${Secret} made=${shown.key} onClose=${() => setShown(null)} />`}
    ${(shown?.kind === "new" || shown?.kind === "edit") && html`<${KeyForm} old=${shown.key} onDone=${made} onClose=${() => setShown(null)} />`}
  </div>`;
}

function columns(now, { edit, revoke, see }) {
  return [
    { key: "name", name: "Key", isHead: true, sort: true, render: (key) => html`<span class="mono">${key.name}</span><span class="under">${origin(key)}</span>` },
    { key: "state", name: "State", sort: true, render: (key) => html`<${Badge} tone=${TONES[key.state]}>${key.state}<//>${key.expiresMs && key.state === "active" && html`<span class="under">ends ${until(key.expiresMs, now)}</span>`}` },
    { key: "day", name: "Today", sort: (key) => Number(key.spentDayUsd), render: (key) => spent(key, "day", key.spentDayUsd, key.limits.budgetDay) },
    { key: "month", name: "This month", sort: (key) => Number(key.spentMonthUsd), render: (key) => spent(key, "month", key.spentMonthUsd, key.limits.budgetMonth) },
    { key: "limits", name: "Limits", render: (key) => html`<span class="limits">${limitsOf(key.limits)}</span>` },
    { key: "lastMs", name: "Used last", sort: true, render: (key) => (key.lastMs ? html`<button type="button" class="as-link" onClick=${() => see(key)}>${ago(key.lastMs, now)}<span class="unseen">, show the calls of ${key.name}</span></button>` : "never") },
    { key: "do", name: "Actions", render: (key) => !key.from && key.state !== "revoked" && html`<div class="row key-actions"><${Button} isSmall icon="edit" aria-label=${`Change ${key.name}`} onClick=${() => edit(key)}>Change<//><${Button} isSmall aria-label=${`Revoke ${key.name}`} onClick=${() => revoke(key)}>Revoke<//></div>` },
  ];
}

function spent(key, span, used, limit) {
  if (limit === undefined || limit === null) {
    return usd(used);
  }
  const share = Number(limit) === 0 ? 1 : Number(used) / Number(limit);
  return html`<${Meter} label=${`Budget of ${key.name}, ${span}`} share=${share} words=${`${usd(used)} of ${usd(limit)}`} />`;
}

function limitsOf(limits) {
  const said = LIMITS.filter(([name]) => limits[name]).map(([name, words]) => `${count(limits[name])} ${words}`);
  const models = limits.models?.length ? [limits.models.join(", ")] : [];
  return [...models, ...said].join("; ") || "none";
}

function origin(key) {
  return key.from ? (key.id === "owner" ? "the gateway's own token" : "stands in the config") : key.id;
}

function Secret({ made, onClose }) {
  const url = useStore(gateway).status?.listeners?.[0];
  const actions = html`<${Button} tone="primary" onClick=${onClose}>I have it<//>`;
  return html`<${Dialog} title=${`The key ${made.name}`} actions=${actions}>
    <${Notice} tone="warn" title="It is shown now and never again.">Only a digest of it is kept. Whoever has it can call the gateway.<//>
    <${Code} label="The key">${made.key}<//>
    <div class="row"><${Copy} text=${made.key} label="Copy the key" isSmall=${false} /></div>
    <p class="about">Programs send it as an API key: Authorization: Bearer, x-api-key or x-goog-api-key.${url && html` They call <code>${url}/v1</code> as OpenAI’s address, <code>${url}</code> as Anthropic’s or Gemini’s.`}</p>
  <//>`;
}
