// What failed and rests, until when; what is left of quotas and budgets.

import { ask } from "../../api.js";
import { ago, Badge, Button, Card, count, html, moment, Notice, Table, toast, Trouble, until, usd, useAction, useAsk, useNow } from "../../ui.js";
import { Meter } from "../meter.js";

const LOOK_MS = 5000;
const STATES = { resting: ["warn", "rests"], half_open: ["accent", "one tries next"], probing: ["accent", "being tried"] };

/** Rests, quotas and budgets, looked at every few seconds. */
export function Health() {
  const health = useAsk("health", {}, { every: LOOK_MS });
  const budgets = useAsk("budgets", {}, { every: LOOK_MS });
  const now = useNow() + ahead(health.data);
  const reset = useAction(async (place, name) => {
    const { ended } = await ask("health/reset", { method: "POST", body: place });
    toast(ended ? `${name} may be asked again now.` : `Nothing rests at ${name} any more.`);
    health.reload();
  });
  const rests = health.data?.rests ?? [];
  const all = rests.length > 0 && html`<${Button} icon="refresh" isSmall onClick=${() => reset.run({}, "Everybody")}>Try all now<//>`;
  return html`<div class="stack wide-stack">
    <${Trouble} error=${health.error ?? reset.error} onRetry=${health.reload} />
    ${health.data?.problems.map((problem) => html`<${Notice} key=${problem} tone="warn">${problem}<//>`)}
    <${Card} title="Rests" about="Who failed is left alone for a while; then one request finds out whether it is back." aside=${all}>
      ${health.data &&
      html`<${Table} isStacked label="Rests" rows=${rests} keyOf=${keyOf} empty="Nothing rests: no failure is remembered." columns=${restColumns(now, (rest) => reset.run(placeOf(rest), nameOf(rest)))} />`}
    <//>
    <${Card} title="Quotas" about="What replies have told of each credential's quota.">
      ${health.data && html`<${Table} isStacked label="Quotas" rows=${health.data.quotas} keyOf=${(each) => `${each.provider} ${each.credential} ${each.window}`} empty="No reply has told of a quota yet." columns=${quotaColumns(now)} />`}
    <//>
    <${Card} title="Budgets" about="Your own limits of money: models.budget in the config. Days begin at midnight UTC.">
      <${Trouble} error=${budgets.error} onRetry=${budgets.reload} />
      ${budgets.data && html`<${Table} isStacked label="Budgets" rows=${budgets.data.rows} keyOf=${(each) => each.name} empty="No limit is set, and nothing is counted." columns=${BUDGETS} />`}
    <//>
  </div>`;
}

function restColumns(now, tryNow) {
  return [
    { key: "place", name: "Who", isHead: true, render: (rest) => html`<span class="mono">${nameOf(rest)}</span>${rest.credential && html`<span class="under mono">${rest.credential}</span>`}` },
    { key: "state", name: "State", sort: true, render: (rest) => html`<${Badge} tone=${STATES[rest.state][0]}>${STATES[rest.state][1]}<//>` },
    { key: "untilMs", name: "Back", sort: true, render: (rest) => html`<span class="countdown" title=${moment(rest.untilMs)}>${rest.untilMs > now ? until(rest.untilMs, now) : "now"}</span>` },
    { key: "cause", name: "Why", render: (rest) => html`${rest.cause}${rest.status ? ` (${rest.status})` : ""}${rest.says && html`<span class="under says">${rest.says}</span>`}` },
    { key: "failures", name: "Failed", sort: true, align: "end", render: (rest) => html`${rest.failures === null ? "–" : `${count(rest.failures)}×`}${rest.sinceMs && html`<span class="under">first ${ago(rest.sinceMs, now)}</span>`}` },
    { key: "do", name: "Now", render: (rest) => html`<${Button} isSmall onClick=${() => tryNow(rest)} aria-label=${`Try now: ${nameOf(rest)}`}>Try now<//>` },
  ];
}

function quotaColumns(now) {
  return [
    { key: "provider", name: "Provider", isHead: true, sort: true, render: (each) => html`${each.provider}<span class="under mono">${each.credential}</span>` },
    { key: "window", name: "Window", sort: true },
    { key: "used", name: "Used", sort: true, render: (each) => html`<${Meter} label=${`${each.window} of ${each.provider}`} share=${each.used} words=${each.used === null ? "not known" : `${Math.round(each.used * 100)} %${each.nearlyUsed ? ", others go first" : ""}`} />` },
    { key: "resetsMs", name: "Begins anew", sort: true, render: (each) => (each.resetsMs ? until(each.resetsMs, now) : "–") },
    { key: "readMs", name: "Told", sort: true, hideBelow: 600, render: (each) => ago(each.readMs, now) },
  ];
}

const BUDGETS = [
  { key: "name", name: "Account", isHead: true },
  { key: "spent", name: "Spent", render: (each) => html`<${Meter} label=${`Budget: ${each.name}`} share=${shareOf(each)} words=${each.limitUsd === null ? `${usd(each.spentUsd)}, no limit` : `${usd(each.spentUsd)} of ${usd(each.limitUsd)}`} />` },
  { key: "reserved", name: "Reserved for calls under way", align: "end", render: (each) => usd(each.reservedUsd) },
  { key: "left", name: "Left", align: "end", render: (each) => usd(each.leftUsd) },
];

function shareOf({ spentUsd, reservedUsd, limitUsd }) {
  const limit = Number(limitUsd);
  return limitUsd === null ? null : limit === 0 ? 1 : (Number(spentUsd) + Number(reservedUsd)) / limit;
}

function placeOf({ provider, credential, model }) {
  return { provider, ...(credential && { credential }), ...(model && { model }) };
}

function nameOf({ provider, model }) {
  return model ? `${provider}/${model}` : provider;
}

function keyOf({ provider, credential, model }) {
  return `${provider} ${credential} ${model}`;
}

// The gateway's clock may be another than the browser's: its times count.
let skew = 0;
let seen = null;
function ahead(data) {
  if (data && data !== seen) {
    seen = data;
    skew = data.nowMs - Date.now();
  }
  return skew;
}
