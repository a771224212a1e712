// Providers: where models come from, and with which credential. Cards of those set up, then all there are.

import { Button, Busy, Empty, html, Notice, Page, toast, Trouble, useAsk, useEffect, useState, useStyle } from "../ui.js";
import { ProviderCard } from "./providers/card.js";
import { Catalog } from "./providers/catalog.js";
import { Connect } from "./providers/connect.js";
import { ServerForm } from "./providers/server.js";

const LOOK_MS = 20_000;

/** The view. `?add=ID` opens a provider's ways to sign in. */
export default function Providers({ query, go }) {
  useStyle("views/providers.css");
  const { data, error, reload } = useAsk("providers", undefined, { every: LOOK_MS });
  const [connecting, setConnecting] = useState(query.add ?? ""); // the provider whose ways to sign in are shown
  const [editing, setEditing] = useState(null); // "": a new server; an id: that one
  const cards = [...(data?.providers ?? [])].sort(byUse);
  const taken = new Set(cards.filter((card) => card.credentials.length).map((card) => card.id));
  useEffect(() => setConnecting(query.add ?? ""), [query.add]);
  const closed = () => {
    setConnecting("");
    if (query.add) {
      go("providers");
    }
  };
  const connected = ({ warnings = [] }) => {
    closed();
    reload();
    warnings.forEach((text) => toast(text, "warn"));
  };
  const saved = (ref) => {
    setEditing(null);
    reload();
    toast(`Saved. Its model is ${ref}.`);
  };
  const add = html`<${Button} icon="plus" onClick=${() => setEditing("")}>Add your own server<//>`;
  return html`<${Page} title="Providers" about="Where models come from, and with which credential." actions=${add} class="providers">
    <${Trouble} error=${error} onRetry=${reload} />
    ${data?.warning && html`<${Notice} tone="warn">${data.warning}<//>`}
    ${data && !data.hasDefault && cards.length > 0 && html`<${Notice} action=${html`<a href="#/models">Choose one</a>`}>No default model is chosen yet.<//>`}
    ${!data && !error && html`<${Busy} />`}
    ${data && cards.length === 0 && html`<${Empty} title="No provider is set up yet">Choose one below, or add a server of your own.<//>`}
    ${cards.length > 0 &&
    html`<div class="grid provider-grid">
      ${cards.map((card) => html`<${ProviderCard} key=${card.id} ...${{ card, reload, onConnect: setConnecting, onEdit: setEditing }} />`)}
    </div>`}
    ${data && html`<${Catalog} taken=${taken} onChoose=${setConnecting} />`}
    ${connecting && html`<${Connect} key=${connecting} provider=${connecting} place=${data?.place} onClose=${closed} onDone=${connected} />`}
    ${editing !== null && html`<${ServerForm} key=${editing} provider=${editing} place=${data?.place} onClose=${() => setEditing(null)} onSaved=${saved} />`}
  <//>`;
}

function byUse(a, b) {
  return b.isInUse - a.isInUse || a.name.localeCompare(b.name, "en");
}
