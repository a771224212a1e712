// Every provider there is, to be searched, with its ways to sign in.

import { Badge, Button, Card, Empty, Field, html, search, Trouble, useAsk, useMemo, useState } from "../../ui.js";

const SHOWN = 12;

/** The list. `taken` are the ids that are set up; onChoose(id). */
export function Catalog({ taken, onChoose }) {
  const { data, error, reload } = useAsk("providers/catalog");
  const [needle, setNeedle] = useState("");
  const [shown, setShown] = useState(SHOWN);
  const all = useMemo(() => (data?.providers ?? []).filter((each) => !taken.has(each.id)), [data, [...taken].join()]);
  const found = useMemo(() => search(needle, all, (each) => `${each.name} ${each.id} ${each.also}`), [all, needle]);
  const look = (text) => {
    setNeedle(text);
    setShown(SHOWN);
  };
  const count = html`<span class="hint" role="status">${needle ? `${found.length} of ${all.length}` : `${all.length} providers`}</span>`;
  return html`<${Card} title="Add a provider" about="Nothing is sent anywhere until you test or use it." class="catalog">
    <${Trouble} error=${error} onRetry=${reload} />
    <${Field} label="Search providers" type="search" placeholder="Name or id" value=${needle} onInput=${look} aside=${count} />
    ${data && found.length === 0 && html`<${Empty} title="Nothing fits “${needle}”">Is it OpenAI compatible? Add it as your own server.<//>`}
    <ul class="catalog-list">
      ${found.slice(0, shown).map(
        (each) => html`<li key=${each.id} class="catalog-row">
          <div>
            <p><strong>${each.name}</strong> <span class="mono hint">${each.id}</span>${each.isRunning && html` <${Badge} tone="ok">runs on this machine<//>`}</p>
            <p class="hint">${each.ways.join(" · ")}</p>
          </div>
          <${Button} isSmall onClick=${() => onChoose(each.id)} aria-label="Set up ${each.name}">Set up<//>
        </li>`,
      )}
    </ul>
    ${found.length > shown && html`<div><${Button} onClick=${() => setShown(Infinity)}>Show all ${found.length}<//></div>`}
  <//>`;
}
