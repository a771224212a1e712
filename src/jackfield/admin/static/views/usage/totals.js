// The sums of the whole time beside those of the time before it.

import { count, html, usd } from "../../ui.js";

/** All tokens of a use, of every bucket. */
export function sumTokens(use) {
  return use.input + use.output + use.cacheRead + use.cacheWrite;
}

/** The figures. */
export function Totals({ data }) {
  const { total, before } = data;
  const figures = [
    ["Spend", usd(total.costUsd), change(Number(total.costUsd), Number(before.costUsd)), total.unpriced > 0 && `${count(total.unpriced)} answers without a price`],
    ["Requests", count(total.requests), change(total.requests, before.requests), total.cancelled > 0 && `${count(total.cancelled)} left by the caller`],
    ["Tokens", count(sumTokens(total)), change(sumTokens(total), sumTokens(before)), `${count(total.output)} of them in answers`],
    ["Failed tries", count(total.errors), change(total.errors, before.errors), total.attempts > 0 && `${percent(total.errors, total.attempts)} of all tries`],
    ["From a cache", percent(total.cacheRead, total.input + total.cacheRead + total.cacheWrite), pointsFrom(total, before), total.fromMemory > 0 ? `and ${count(total.fromMemory)} answers from memory` : "of what was sent"],
  ];
  return html`<dl class="totals" aria-label="In all">
    ${figures.map(([name, value, than, more]) => html`<div class="total" key=${name}><dt>${name}</dt><dd><span class="total-value">${value}</span><span class="total-than">${than}</span>${more && html`<span class="total-more">${more}</span>`}</dd></div>`)}
  </dl>`;
}

function percent(part, all) {
  return all ? `${((100 * part) / all).toFixed(part && part / all < 0.1 ? 1 : 0)} %` : "–";
}

function change(now, before) {
  if (before === 0) {
    return now === 0 ? "as before" : "nothing before";
  }
  const by = Math.round((100 * (now - before)) / before);
  return by === 0 ? "as before" : `${by > 0 ? "▲" : "▼"} ${count(Math.abs(by))} % ${by > 0 ? "more" : "less"} than before`;
}

function pointsFrom(total, before) {
  const sent = before.input + before.cacheRead + before.cacheWrite;
  return sent ? `${percent(before.cacheRead, sent)} before` : "";
}
