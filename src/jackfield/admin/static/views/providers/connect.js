// The ways to sign in at one provider: a key, a token, a page of its own, or what this machine has.

import { ask, edit } from "../../api.js";
import { Busy, Button, Dialog, Facts, Field, html, Notice, Select, sentence, toast, Trouble, useAction, useAsk, useState } from "../../ui.js";
import { BrowserWay } from "./signin.js";
import { coded, isLink } from "./words.js";

const DAY_MS = 86_400_000;

/** A dialog; onDone gets what was kept: {profileId, warnings}. */
export function Connect({ provider, place, onClose, onDone }) {
  const { data, error, reload } = useAsk("providers/ways", { provider });
  const [choice, setChoice] = useState("");
  const ways = data?.ways ?? [];
  const way = ways.find((each) => each.choice === choice) ?? ways.find((each) => each.kind === "api-key") ?? ways[0];
  const options = ways.map((each) => ({ value: each.choice, label: each.label || "API key" }));
  return html`<${Dialog} title=${data ? `Connect ${data.name}` : "Connect"} onClose=${onClose}>
    <${Trouble} error=${error} onRetry=${reload} />
    ${!data && !error && html`<${Busy} />`}
    ${options.length > 1 && html`<${Select} label="How" value=${way.choice} onChange=${setChoice} options=${options} />`}
    ${data && isLink(data.doc) && html`<p class="hint"><a href=${data.doc} target="_blank" rel="noopener noreferrer">${data.name}’s own page<span class="unseen">, in a new tab</span></a></p>`}
    ${way?.hint && html`<p class="hint">${coded(sentence(way.hint))}</p>`}
    ${way?.notice && html`<${Notice} tone="warn">${sentence(way.notice)}<//>`}
    ${way && html`<${Way} key=${way.choice} ...${{ way, info: data, place, onClose, onDone }} />`}
  <//>`;
}

function Way({ way, info, place, onClose, onDone }) {
  if (way.kind === "browser") {
    return html`<${BrowserWay} ...${{ way, info, onClose, onDone }} />`;
  }
  if (way.kind === "aws" || way.kind === "adc") {
    const what = way.kind === "aws" ? "the AWS credentials of this machine" : "Google’s application default credentials of this machine";
    return html`<p>Requests are signed with ${what}. There is nothing to type here; the provider’s card appears once they are found.</p>`;
  }
  return html`<${KeyWay} ...${{ way, info, place, onClose, onDone }} />`;
}

function KeyWay({ way, info, place, onClose, onDone }) {
  const [key, setKey] = useState("");
  const [name, setName] = useState("");
  const [days, setDays] = useState("");
  const [missing, setMissing] = useState("");
  const isToken = way.kind === "token";
  const variable = info.variables.find((each) => each.includes("OAUTH_TOKEN") === isToken);
  const moves = way.url && way.url !== info.url;
  const save = useAction(async () => {
    const expiresMs = Number(days) > 0 ? Date.now() + Math.round(Number(days) * DAY_MS) : undefined;
    const body = { provider: info.id, choice: way.choice, key, profileId: name.trim(), expiresMs };
    const said = moves ? await edit("providers/key", body) : await ask("providers/key", { method: "POST", body });
    toast(`Kept as ${said.profileId}.`);
    onDone(said);
  });
  const submit = (event) => {
    event.preventDefault();
    setMissing(key.trim() ? "" : `Paste the ${isToken ? "token" : "key"} here`);
    return key.trim() && save.run();
  };
  const hint = html`Kept in ${place ?? "the credential store"}, and shown masked from now on.`;
  return html`<form class="stack" onSubmit=${submit} novalidate>
    ${way.kind === "none" && html`<p>This server needs no key while it runs at <code>${info.url}</code>. A key is only for one that asks for it.</p>`}
    ${moves && html`<${Facts} rows=${[["Its address", html`<code>${way.url}</code>`]]} />`}
    <${Trouble} error=${save.error} />
    <${Field} label=${isToken ? "Token" : "API key"} type="password" isMono autocomplete="off" autofocus value=${key} onInput=${setKey} error=${missing} hint=${hint} />
    ${isToken && html`<${Field} label="It ends in" suffix="days" inputmode="numeric" value=${days} onInput=${setDays} hint="Empty: never" />`}
    ${info.profiles.length > 0 && html`<${Field} label="Keep it as" isMono value=${name} onInput=${setName} placeholder="a free name" hint="There is ${info.profiles.join(", ")} already. Both are used, one after the other." />`}
    ${variable && html`<p class="hint">Or set <code>${variable}</code> where the gateway is started.</p>`}
    <div class="row end"><${Button} onClick=${onClose}>Cancel<//><${Button} tone="primary" type="submit" isBusy=${save.isBusy}>Save<//></div>
  </form>`;
}
