// How much of a limit is used: a bar, and the same in words.

import { html } from "../ui.js";

const NEAR = 0.8;

/** Draw a share, 0 to 1; `words` stand beside it and say what the bar shows. */
export function Meter({ label, share, words }) {
  const used = Math.max(0, Math.min(1, share ?? 0));
  const tone = share >= 1 ? "full" : share >= NEAR ? "near" : "";
  return html`<div class="meter-box">
    <svg class="meter ${tone}" viewBox="0 0 100 6" preserveAspectRatio="none" role="meter" aria-label=${label}
      aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(used * 100)} aria-valuetext=${words}>
      <rect class="meter-room" width="100" height="6" />
      <rect class="meter-used" width=${used * 100} height="6" />
    </svg>
    <span class="meter-words" aria-hidden="true">${words}</span>
  </div>`;
}
