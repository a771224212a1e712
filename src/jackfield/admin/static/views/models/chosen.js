// What is asked when nobody names a model: the default, its fallbacks in order; and the other names of models.

import { edit } from "../../api.js";
import { Button, Card, confirm, html, Switch, toast, Trouble, useAction, useEffect, useState } from "../../ui.js";

/** Change the config and say so; what the gateway doubts is said too. */
export async function change(path, body, done) {
  const said = await edit(path, body);
  for (const warning of said.warnings ?? []) {
    toast(warning, "warn");
  }
  toast(said.trouble ? `Saved, but the gateway keeps the config before: ${said.trouble}` : done, said.trouble ? "warn" : "ok");
}

/** The default and the fallbacks of one kind of question: text or image. */
export function Chosen({ title, about, kind, choice }) {
  const act = useAction((path, body, done) => change(path, { kind, ...body }, done));
  const texts = choice.fallbacks.map((each) => each.text);
  const move = (at, step) => {
    const refs = [...texts];
    [refs[at], refs[at + step]] = [refs[at + step], refs[at]];
    return act.run("models/fallbacks", { do: "order", refs }, `${texts[at]} is fallback ${at + step + 1} now.`);
  };
  const drop = (text) => act.run("models/fallbacks", { do: "remove", ref: text }, `${text} is no fallback any more.`);
  return html`<${Card} title=${title} about=${about}>
    <${Trouble} error=${act.error} />
    <p class="chosen-first">${choice.primary ? html`<strong>Default</strong> <${Named} text=${choice.primary.text} meant=${choice.primary.ref} />` : "No default is chosen. Open a model to choose it."}</p>
    ${choice.fallbacks.length > 0 &&
    html`<ol class="chosen" aria-label="Fallbacks: ${title}">
      ${choice.fallbacks.map(
        (each, at) => html`<li key=${each.text}>
          <${Named} text=${each.text} meant=${each.ref} />
          <span class="chosen-moves">
            <${Button} tone="quiet" isSmall icon="chevron" class="turned" label="Ask ${each.text} earlier" disabled=${at === 0} onClick=${() => move(at, -1)} />
            <${Button} tone="quiet" isSmall icon="chevron" label="Ask ${each.text} later" disabled=${at === texts.length - 1} onClick=${() => move(at, 1)} />
            <${Button} tone="quiet" isSmall icon="close" label="Remove fallback ${each.text}" onClick=${() => drop(each.text)} />
          </span>
        </li>`,
      )}
    </ol>`}
  <//>`;
}

function Named({ text, meant }) {
  return html`<span class="chosen-name"><code>${text}</code>${meant !== text && html` <span class="hint">means ${meant}</span>`}</span>`;
}

/** Short names, and the list of models that may be used. */
export function Names({ aliases, allow, go }) {
  const act = useAction(change);
  const [wished, setWished] = useState(null); // what was asked for and is not told yet
  useEffect(() => setWished(null), [allow.isOn, act.error]);
  const drop = (name) => act.run("models/aliases", { do: "remove", alias: name }, `The alias ${name} is gone.`);
  const turn = async (isOn) => {
    const question = { title: "Allow every model?", text: "The list is switched off. Entries that only allow a model are removed; aliases and settings stay.", action: "Allow every model" };
    if (isOn || (await confirm(question))) {
      setWished(isOn);
      await act.run("models/allow", { do: isOn ? "on" : "off" }, isOn ? "Only listed models may be used now." : "Every model may be used now.");
    }
  };
  const hint = allow.isOn
    ? html`By ${allow.origin}: ${allow.patterns.slice(0, 6).join(", ")}${allow.patterns.length > 6 ? ` and ${allow.patterns.length - 6} more` : ""}. Open a model to put it on the list or take it off.`
    : "Off: every model may be used. Switching it on starts with the default and its fallbacks.";
  return html`<${Card} title="Names and limits">
    <${Trouble} error=${act.error} />
    <${Switch} label="Only listed models may be used" checked=${wished ?? allow.isOn} onChange=${turn} hint=${hint} disabled=${act.isBusy} />
    ${aliases.length === 0
      ? html`<p class="hint">No aliases. Open a model to give it a short name.</p>`
      : html`<ul class="aliases" aria-label="Aliases">
          ${aliases.map(
            ({ name, ref }) => html`<li key=${name} class="alias">
              <span><code>${name}</code> <span class="hint">${ref}</span></span>
              <${Button} tone="quiet" isSmall icon="close" label="Remove alias ${name}" onClick=${() => drop(name)} />
            </li>`,
          )}
        </ul>`}
  <//>`;
}
