// Spend and tokens over time, and what belongs to the same time: totals, speeds, errors.

import { Button, Busy, Card, count, Empty, Field, html, Select, Table, Trouble, usd, useAction, useAsk, useState } from "../../ui.js";
import { Chart } from "./chart.js";
import { Errors, Speeds } from "./speeds.js";
import { saveExport } from "./save.js";
import { sumTokens, Totals } from "./totals.js";

const LOOK_MS = 60_000;
const BY = [
  { value: "model", label: "model" },
  { value: "provider", label: "provider" },
  { value: "key", label: "key" },
];
const RANGES = [
  { value: "1", label: "24 hours" },
  { value: "7", label: "7 days" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "dates", label: "from … to …" },
];
const STEPS = [
  { value: "hour", label: "hour" },
  { value: "day", label: "day" },
];
const MOST_DAYS_BY_HOUR = 40;
const LOOKS = [
  { value: "stacked", label: "stacked" },
  { value: "lines", label: "lines" },
];
const METERS = {
  spend: { title: "Spend", valueOf: (use) => Number(use.costUsd), write: usd },
  tokens: { title: "Tokens", valueOf: sumTokens, write: count },
};

/** All of it, for one range. */
export function Spend({ query, go }) {
  const [look, setLook] = useState("stacked");
  const wish = readWish(query);
  const set = (more) => go("usage", asQuery({ ...wish, ...more }));
  const asked = asApi(wish);
  const { data, error, isBusy, reload } = useAsk(asked ? "usage" : null, asked ?? {}, { every: LOOK_MS });
  const save = useAction((format) => saveExport({ ...asked, format }));
  return html`<div class="stack wide-stack">
    <div class="usage-tools">
      <${Select} label="By" value=${wish.by} options=${BY} onChange=${(by) => set({ by })} />
      <${Select} label="Time" value=${wish.range} options=${RANGES} onChange=${(range) => set(newRange(range))} />
      ${wish.range === "dates" &&
      html`<${Field} label="From" type="date" value=${wish.from} onInput=${(from) => set({ from })} /><${Field} label="To" type="date" value=${wish.to} error=${wish.from > wish.to && wish.to && "This is before the first day."} onInput=${(to) => set({ to })} />`}
      <${Select} label="Per" value=${wish.step} options=${STEPS.map((each) => ({ ...each, disabled: each.value === "hour" && daysOf(wish.range, wish) > MOST_DAYS_BY_HOUR }))} onChange=${(step) => set({ step })} />
      <${Select} label="Drawn" value=${look} options=${LOOKS} onChange=${setLook} />
      <div class="row usage-export">
        <${Button} icon="down" isBusy=${save.isBusy} disabled=${!asked} onClick=${() => save.run("csv")}>CSV<//>
        <${Button} icon="down" isBusy=${save.isBusy} disabled=${!asked} onClick=${() => save.run("json")}>JSON<//>
      </div>
    </div>
    <${Trouble} error=${error ?? save.error} onRetry=${reload} />
    ${!data && isBusy && html`<${Busy} />`}
    ${data && html`<${Shown} ...${{ data, look, asked, go }} />`}
  </div>`;
}

function Shown({ data, look, asked, go }) {
  if (data.total.attempts === 0) {
    return html`<${Totals} data=${data} /><${Empty} title="Nothing was asked in this time">Ask in the <a href="#/playground">Playground</a> or through the gateway, or look further back.<//>`;
  }
  return html`<${Totals} data=${data} />
    <div class="charts">
      ${Object.entries(METERS).map(([key, meter]) => html`<${Chart} key=${key} ...${{ ...meter, data, look }} />`)}
    </div>
    <${Card} title="In all" about="Tokens in disjoint buckets. Money of answers without a price is missing.">
      <${Table} label="In all" rows=${data.rows} keyOf=${(row) => row.name} columns=${columns(data)} sortedBy=${{ key: "costUsd", isDown: true }} />
    <//>
    <${Speeds} asked=${asked} />
    <${Errors} asked=${asked} go=${go} />`;
}

function columns({ by, total }) {
  const shareOf = (row) => (Number(total.costUsd) ? `${Math.round((100 * Number(row.costUsd)) / Number(total.costUsd))} %` : "–");
  return [
    { key: "name", name: by[0].toUpperCase() + by.slice(1), isHead: true, isMono: true, sort: true, render: (row) => row.name || "nobody" },
    { key: "costUsd", name: "Cost", align: "end", sort: (row) => Number(row.costUsd), render: (row) => `${usd(row.costUsd)}${row.unpriced ? " + ?" : ""}` },
    { key: "share", name: "Share", align: "end", hideBelow: 600, render: shareOf },
    { key: "requests", name: "Requests", align: "end", sort: true, render: (row) => count(row.requests) },
    { key: "errors", name: "Failed tries", align: "end", sort: true, hideBelow: 600, render: (row) => count(row.errors) },
    { key: "input", name: "Input", align: "end", sort: true, hideBelow: 600, render: (row) => count(row.input + row.cacheWrite) },
    { key: "cacheRead", name: "Cached", align: "end", sort: true, hideBelow: 900, render: (row) => count(row.cacheRead) },
    { key: "output", name: "Output", align: "end", sort: true, hideBelow: 600, render: (row) => count(row.output) },
  ];
}

// -- which time ---

function readWish(query) {
  const range = query.from ? "dates" : RANGES.some((each) => each.value === query.days) ? query.days : "7";
  const asked = STEPS.some((each) => each.value === query.step) ? query.step : range === "1" ? "hour" : "day";
  const step = daysOf(range, query) > MOST_DAYS_BY_HOUR ? "day" : asked;
  return { by: BY.some((each) => each.value === query.by) ? query.by : "model", range, step, from: query.from ?? "", to: query.to ?? "" };
}

function newRange(range) {
  const today = new Date().toISOString().slice(0, 10);
  return range === "dates" ? { range, from: today, to: today, step: "hour" } : { range, from: "", to: "", step: range === "1" ? "hour" : "day" };
}

function asQuery({ by, range, step, from, to }) {
  return { by, step, ...(range === "dates" ? { from, to } : { days: range }) };
}

function daysOf(range, { from, to }) {
  return range === "dates" ? (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1 : Number(range);
}

// Null while a date is half typed, and for a time that ends before it begins.
function asApi({ by, range, step, from, to }) {
  if (range !== "dates") {
    return { by, step, days: range };
  }
  return daysOf(range, { from, to }) >= 1 ? { by, step, from, to } : null;
}
