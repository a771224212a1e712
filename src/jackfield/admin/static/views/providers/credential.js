// One credential: where it comes from, never what it is; its turn, its rest, its end.

import { ask, edit } from "../../api.js";
import { Badge, Button, confirm, html, sentence, toast, until } from "../../ui.js";
import { clock, sayFailure, sayPlace } from "./words.js";

const KINDS = { api_key: "API key", token: "Token", oauth: "Sign-in" };
const NOTES = { env: "Environment, read-only" };

/** A row. `profiles` are the provider's stored ones, in their order. */
export function Credential({ each, card, profiles, now, run, onReplace }) {
  const place = sayPlace(each);
  // Where all of the provider rests, the card says so once.
  const rests = each.restsUntilMs > now && !card.rests.some((rest) => !rest.credential && !rest.model);
  const isStored = each.kind === "profile";
  const canReplace = (isStored && each.type !== "oauth") || (each.kind === "config" && card.keyIsPlain);
  const of = `${place} of ${card.name}`;
  const at = profiles.indexOf(each);
  const move = (by) => run(() => ask("providers/order", { method: "POST", body: { provider: card.id, ids: moved(profiles, at, by) } }));
  const wake = () => run(() => ask("providers/rests/end", { method: "POST", body: { provider: card.id, label: each.label } }));
  return html`<li class="credential">
    <div class="credential-what">
      <p><strong class=${each.kind === "none" ? "" : "mono"}>${place}</strong> ${each.shown && html`<span class="mono hint">${each.shown}</span>`} ${badges(each, card, { rests, now })}</p>
      <p class="hint">${describe(each, now)}</p>
      ${each.trouble && html`<p class="error">${sentence(each.trouble)}</p>`}
    </div>
    <div class="credential-end">
      ${isStored &&
      profiles.length > 1 &&
      html`<${Button} isSmall tone="quiet" disabled=${at === 0} onClick=${() => move(-1)} aria-label="Use ${of} earlier">↑<//>
        <${Button} isSmall tone="quiet" disabled=${at === profiles.length - 1} onClick=${() => move(1)} aria-label="Use ${of} later">↓<//>`}
      ${rests && html`<${Button} isSmall onClick=${wake} aria-label="Clear the rest of ${of}">Clear<//>`}
      ${canReplace && html`<${Button} isSmall tone="quiet" icon="edit" label="Replace ${of}" onClick=${() => onReplace(each)} />`}
      ${(isStored || canReplace) && html`<${Button} isSmall tone="quiet" icon="trash" label="Remove ${of}" onClick=${() => run(() => remove(each, card))} />`}
    </div>
  </li>`;
}

function describe(each, now) {
  const words = [each.kind === "none" ? "This server answers without a key" : KINDS[each.type], NOTES[each.kind], each.email];
  if (each.reason) {
    words.push(each.detail || sayFailure(each.reason));
  }
  if (each.renews) {
    words.push("renews itself");
  } else if (each.expiresMs && !each.reason) {
    words.push(`ends ${until(each.expiresMs, now)}`);
  }
  return words.filter(Boolean).join(" · ");
}

function badges(each, card, { rests, now }) {
  if (each.reason) {
    return html`<${Badge} tone=${each.reason === "excluded_by_auth_order" ? "off" : "bad"}>${each.reason === "excluded_by_auth_order" ? "Not used" : "Unusable"}<//>`;
  }
  if (rests) {
    return html`<${Badge} tone="warn">Rests until ${clock(each.restsUntilMs, now)}<//>`;
  }
  return each.isChosen && card.credentials.length > 1 && html`<${Badge} tone="accent">Used first<//>`;
}

function moved(profiles, at, by) {
  const ids = profiles.map((each) => each.profileId);
  [ids[at], ids[at + by]] = [ids[at + by], ids[at]];
  return ids;
}

async function remove(each, card) {
  const isStored = each.kind === "profile";
  const text = isStored
    ? `It goes out of the credential store. Requests to ${card.name} then use what is left.`
    : `The key goes out of the config. Requests to ${card.name} then use what is left.`;
  if (!(await confirm({ title: `Remove ${sayPlace(each)}?`, text, action: "Remove", tone: "danger" }))) {
    return;
  }
  if (isStored) {
    await edit("providers/key/remove", { profileId: each.profileId });
  } else {
    await edit("providers/key/config", { provider: card.id, key: "" });
  }
  toast(`${isStored ? each.profileId : "The key"} is removed.`);
}
