// A call's tries over time. The words beside it say the same, so it is hidden from those who listen.

import { html } from "../../ui.js";

const [WIDTH, HEIGHT] = [1000, 22];
const LEAST = 3; // what was very short is seen all the same

/** Draw the bars of a call; `scale` is how many milliseconds the width stands for. */
export function Bars({ call, scale }) {
  const at = (time) => ((time - call.atMs) / Math.max(1, scale)) * WIDTH;
  return html`<svg class="bars" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    <defs>
      <pattern id="hatch-${call.id}" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect class="hatch-ground" width="8" height="8" /><rect class="hatch-line" width="3" height="8" />
      </pattern>
    </defs>
    <rect class="bars-room" width=${WIDTH} height=${HEIGHT} />
    ${call.attempts.map((each) => html`<${Bar} key=${each.id} ...${{ each, at, hatch: `hatch-${call.id}` }} />`)}
  </svg>`;
}

function Bar({ each, at, hatch }) {
  const [from, to] = [at(each.atMs), at(each.atMs + (each.totalMs ?? 0))];
  const width = Math.max(LEAST, to - from);
  const first = each.firstMs === null ? null : at(each.atMs + each.firstMs);
  const kind = each.outcome === "ok" ? "good" : each.outcome === "cancelled" ? "left" : "failed";
  return html`<g class="try ${kind}">
    <rect class="try-bar" x=${Math.min(from, WIDTH - LEAST)} y="5" width=${width} height="12" fill=${kind === "failed" ? `url(#${hatch})` : undefined} />
    ${first !== null && html`<rect class="try-first" x=${Math.min(first, WIDTH - 2)} y="0" width="3" height=${HEIGHT} />`}
  </g>`;
}
