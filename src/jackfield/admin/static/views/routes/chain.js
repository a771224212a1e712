// A plan, drawn: who is asked in which order, who is not, and what follows when it goes wrong.

import { Badge, Card, count, html, Notice, ago, until, usd, useNow } from "../../ui.js";

const BREAKS = {
  error: "The caller gets what came, and an error.",
  restart: "The caller sees nothing of it; the next model starts over.",
  continue: "A model that can goes on from there; else the caller gets an error.",
};
const CAUSES = {
  unknown_model: "nobody knows it",
  privacy: "not private enough",
  context_window: "too small",
  no_images: "takes no images",
  no_audio: "takes no sound",
  no_video: "takes no film",
  no_tools: "calls no tools",
  no_schema: "fits no schema",
  not_configured: "not set up",
  missing_credential: "no credential",
  excluded_credential: "credential left out",
  cooling: "rests",
  credential_exhausted: "quota used up",
  not_affordable: "over the budget",
  not_kept: "does not keep it",
};

/** Draw what `routes/plan` told. */
export function Chain({ told }) {
  const { candidates, skipped, needs, warnings } = told;
  const parts = [`about ${count(needs.inputTokens)} tokens`, ...needs.files, needs.tools && "tools", needs.schema && "a JSON Schema"].filter(Boolean);
  return html`<div class="plan">
    ${warnings.map((warning) => html`<${Notice} key=${warning} tone="warn">${warning}<//>`)}
    <div class="plan-sides">
      <${Card} title="Who is asked" about=${`${wayOf(told)} · ${parts.join(", ")}`}>
        <ol class="chain" aria-label="Who is asked, in this order">
          ${candidates.map((each, at) => html`<${Candidate} key=${at} ...${{ each, at, candidates }} />`)}
        </ol>
        ${candidates.length === 0 && html`<${Notice} tone="bad" title="Nobody can be asked.">The reasons stand beside. A request would fail with the first of them.<//>`}
        <dl class="chain-end">
          <dt>When the last one fails</dt>
          <dd>The caller gets the error, with what was tried.</dd>
          <dt>When a stream breaks after its first words</dt>
          <dd>${BREAKS[told.onStreamBreak] ?? told.onStreamBreak}</dd>
        </dl>
      <//>
      <${Card} title="Who is not asked" about=${skipped.length ? `${count(skipped.length)} left out, each with its reason` : ""}>
        ${skipped.length
          ? html`<ul class="skipped" aria-label="Who is not asked">${skipped.map((each, at) => html`<${Skipped} key=${at} each=${each} />`)}</ul>`
          : html`<p class="about">Nobody is left out.</p>`}
      <//>
    </div>
  </div>`;
}

// The default says its own name as its first step.
function wayOf({ requested, resolved }) {
  return [...(requested && requested !== "default" && requested !== resolved[0] ? [requested] : []), ...resolved].join(" → ");
}

function Candidate({ each, at, candidates }) {
  const isOnly = candidates.filter((other) => other.model === each.model && other.credential === each.credential).length === 1;
  const credential = (isOnly ? each.credential : each.credentialId) ?? "none needed";
  return html`<li class="link">
    <span class="link-number" aria-hidden="true">${at + 1}</span>
    <div class="link-body">
      <div class="row">
        <strong class="mono link-model">${each.model}</strong>
        ${each.halfOpen && html`<${Badge} tone="warn">failed lately, one tries<//>`}
        ${each.lastResort && html`<${Badge} tone="bad">last resort<//>`}
        ${each.doubts.map((doubt) => html`<${Badge} key=${doubt} tone="warn">${doubt}<//>`)}
      </div>
      <p class="link-why">${each.reason}</p>
      <dl class="link-facts">
        <div><dt>Credential</dt><dd class="mono">${credential}</dd></div>
        <div><dt>This request costs</dt><dd>${cost(each.costUsd)}</dd></div>
        <div><dt>Window</dt><dd>${each.contextWindow ? `${count(each.contextWindow)} tokens` : "not known"}</dd></div>
        <div><dt>Privacy</dt><dd>${each.privacy}</dd></div>
      </dl>
      ${at < candidates.length - 1 && html`<p class="link-then">if it fails: ${candidates[at + 1].model === each.model ? "the same with its next credential" : "the next model"}</p>`}
    </div>
  </li>`;
}

function Skipped({ each }) {
  const now = useNow();
  return html`<li>
    <div class="row"><strong class="mono link-model">${each.model}</strong><${Badge} tone=${each.untilMs ? "warn" : "off"}>${CAUSES[each.cause] ?? each.cause ?? "left out"}<//></div>
    <p class="link-why">${each.reason}</p>
    ${each.credential && html`<p class="link-why mono">${each.credential}</p>`}
    ${each.untilMs && html`<p class="link-until">${each.untilMs > now ? `back ${until(each.untilMs, now)}` : `back since ${ago(each.untilMs, now)}`}</p>`}
  </li>`;
}

// The shortest answer to the longest.
function cost({ least, most }) {
  if (least === null || most === null) {
    return "price not known";
  }
  return Number(most) === 0 ? usd(most) : `${usd(least)} to ${usd(most)}`;
}
