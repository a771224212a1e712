// How fast models were, and what failed, in the time that is shown.

import { ago, Busy, Card, count, html, moment, ms, Table, Trouble, useAsk } from "../../ui.js";

const RANKS = ["p50", "p90", "p99"];
const WIDTH = 200;

/** p50, p90 and p99 of each model. */
export function Speeds({ asked }) {
  const { data, error, reload } = useAsk("usage/speeds", asked);
  const rows = data?.rows ?? [];
  const longest = Math.max(1, ...rows.map((row) => row.totalMs.p99 ?? 0));
  const columns = [
    { key: "model", name: "Model", isHead: true, isMono: true, sort: true },
    { key: "answers", name: "Answers", align: "end", sort: true, render: (row) => count(row.answers) },
    ...RANKS.map((rank) => ({ key: `first-${rank}`, name: `First piece ${rank}`, align: "end", sort: (row) => row.firstMs[rank], hideBelow: rank === "p50" ? undefined : 900, render: (row) => ms(row.firstMs[rank]) })),
    ...RANKS.map((rank) => ({ key: `total-${rank}`, name: `Whole ${rank}`, align: "end", sort: (row) => row.totalMs[rank], hideBelow: rank === "p50" ? undefined : 600, render: (row) => ms(row.totalMs[rank]) })),
    { key: "drawn", name: "Whole, drawn", hideBelow: 900, render: (row) => html`<${Spread} ...${{ ranks: row.totalMs, longest }} />` },
  ];
  return html`<${Card} title="How long answers took" about="Of good answers: half took p50 at most, 90 of 100 p90, 99 of 100 p99. Two digits, rounded up; whole days in UTC.">
    <${Trouble} error=${error} onRetry=${reload} />
    ${data ? html`<${Table} isStacked label="How long answers took" rows=${rows} keyOf=${(row) => row.model} empty="No answer in this time" columns=${columns} />` : !error && html`<${Busy} />`}
  <//>`;
}

// From the left edge to p50 thick, to p90 thin, a mark at p99.
function Spread({ ranks, longest }) {
  const at = (value) => ((value ?? 0) / longest) * (WIDTH - 4);
  return html`<svg class="spread" viewBox="0 0 ${WIDTH} 14" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    <rect class="spread-half" y="2" height="10" width=${Math.max(2, at(ranks.p50))} />
    <rect class="spread-most" x=${at(ranks.p50)} y="5.5" height="3" width=${Math.max(0, at(ranks.p90) - at(ranks.p50))} />
    <rect class="spread-end" x=${at(ranks.p99)} y="1" height="12" width="3" />
  </svg>`;
}

/** What failed: type, provider and model, with how often and when last. */
export function Errors({ asked, go }) {
  const { data, error, reload } = useAsk("usage/errors", asked);
  const columns = [
    { key: "type", name: "Error", isHead: true, sort: true },
    { key: "provider", name: "Provider", sort: true, render: (row) => row.provider || "–" },
    { key: "model", name: "Model", isMono: true, sort: true, render: (row) => row.model || "nobody was asked" },
    { key: "count", name: "Times", align: "end", sort: true, render: (row) => count(row.count) },
    { key: "lastMs", name: "Last", sort: true, render: (row) => html`<span title=${moment(row.lastMs)}>${ago(row.lastMs)}</span>` },
    { key: "calls", name: "Calls", render: (row) => html`<button type="button" class="as-link" aria-label=${`Show the calls: ${row.type} at ${row.model || "nobody"}`} onClick=${() => go("routes", { tab: "calls", outcome: row.type, model: row.model })}>Show the calls</button>` },
  ];
  return html`<${Card} title="What failed" about="Each failed try, also where another model stood in.">
    <${Trouble} error=${error} onRetry=${reload} />
    ${data ? html`<${Table} isStacked label="What failed" rows=${data.rows} keyOf=${(row) => `${row.type} ${row.model}`} empty="Nothing failed in this time" columns=${columns} />` : !error && html`<${Busy} />`}
  <//>`;
}
