// One call with every column that the ledger has of it.

import { Badge, Copy, count, Dialog, Facts, html, moment, ms, usd } from "../../ui.js";

/** The dialog. */
export function CallDialog({ call, onClose }) {
  const first = call.attempts[0];
  return html`<${Dialog} title=${`Call to ${call.requested || "no model"}`} isWide onClose=${onClose}>
    <${Facts} rows=${[
      ["Request", html`<span class="mono">${call.request}</span> <${Copy} text=${call.request} label="Copy the id" isBare />`],
      ["Came", moment(call.atMs)],
      ["Took", ms(call.endMs - call.atMs)],
      ["Outcome", call.outcome],
      ["Asked for", call.requested || "–"],
      ["Served by", call.served || "nobody"],
      ["Key", call.key || "–"],
      ["End user", first.endUser || "–"],
      ["Protocol of the caller", first.wireIn || "–"],
      ["Streamed", call.streamed ? "yes" : "no"],
      ["Source", first.source],
      ["Cost", usd(call.costUsd)],
    ]} />
    ${call.attempts.map((each) => html`<section class="try-facts" key=${each.id}>
      <h3>Try ${each.attempt}: <span class="mono">${each.served || "nobody"}</span> <${Badge} tone=${each.outcome === "ok" ? "ok" : "bad"}>${each.outcome}<//></h3>
      <${Facts} rows=${[
        ["Began", `${ms(each.atMs - call.atMs)} after the call came`],
        ["First piece", each.firstMs === null ? "–" : `after ${ms(each.firstMs)}`],
        ["Took", ms(each.totalMs)],
        ["Provider", each.provider || "–"],
        ["Credential", each.profile || "–"],
        ["Protocol of the provider", each.wireOut || "–"],
        ["HTTP status", each.status ?? "–"],
        ["Tokens in", count(each.input)],
        ["Read from a cache", count(each.cacheRead)],
        ["Written to a cache", count(each.cacheWrite)],
        ["Tokens out", count(each.output)],
        ["Of those for thinking", count(each.reasoning)],
        ["Counted by", each.estimated ? "Jackfield, as an estimate" : "the provider"],
        ["Cost", usd(each.costUsd)],
        ["Row", html`<span class="mono">${each.id}</span>`],
      ]} />
    </section>`)}
  <//>`;
}
