// One model: all that is known of it, and what it may be used for.

import { ask } from "../../api.js";
import { Badge, Busy, Button, count, Dialog, Facts, Field, html, Trouble, usd, useAction, useEffect, useState } from "../../ui.js";
import { change } from "./chosen.js";
import { badgesOf } from "./rows.js";

/** A dialog about a model. */
export function ModelDialog({ model, choice, allow, aliases, onClose, go }) {
  const details = useDetails([model.ref]);
  const act = useAction((path, body, done) => change(path, { ref: model.ref, ...body }, done));
  const [alias, setAlias] = useState("");
  const name = async () => {
    await act.run("models/aliases", { do: "add", alias: alias.trim() }, `${alias.trim()} means ${model.ref} now.`);
    setAlias("");
  };
  const submit = () => alias.trim() && name();
  const isFirst = choice.text.primary?.ref === model.ref;
  const isNext = choice.text.fallbacks.find((each) => each.ref === model.ref);
  const isForImages = choice.image.primary?.ref === model.ref;
  const own = aliases.filter((each) => each.ref === model.ref).map((each) => each.name);
  return html`<${Dialog} title=${model.ref} onClose=${onClose} onSubmit=${submit}>
    <div class="row">${badgesOf(model).map(([tone, words]) => html`<${Badge} tone=${tone}>${words}<//>`)}</div>
    <${Trouble} error=${act.error ?? details.error} />
    <div class="row">
      ${isFirst
        ? html`<${Badge} tone="accent">This is the default<//>`
        : html`<${Button} tone="primary" isBusy=${act.isBusy} onClick=${() => act.run("models/default", {}, `${model.ref} is the default now.`)}>Make default<//>`}
      ${isNext
        ? html`<${Button} onClick=${() => act.run("models/fallbacks", { do: "remove", ref: isNext.text }, `${model.ref} is no fallback any more.`)}>Remove from fallbacks<//>`
        : !isFirst && html`<${Button} onClick=${() => act.run("models/fallbacks", { do: "add" }, `${model.ref} is the last fallback now.`)}>Add as fallback<//>`}
      ${model.takes.includes("image") &&
      !isForImages &&
      html`<${Button} onClick=${() => act.run("models/default", { kind: "image" }, `${model.ref} is asked about images now.`)}>Use for images<//>`}
      ${allow.isOn && html`<${Allowed} model=${model} act=${act} />`}
      <${Button} icon="play" onClick=${() => go("playground", { model: model.ref })}>Try it<//>
    </div>
    <div class="model-alias">
      <${Field} label="Short name" isMono value=${alias} onInput=${setAlias} placeholder="best" hint=${own.length ? `Has: ${own.join(", ")}` : "Usable wherever a model is named"} />
      <${Button} type="submit" disabled=${!alias.trim()} isBusy=${act.isBusy}>Add alias<//>
    </div>
    ${details.isBusy ? html`<${Busy} />` : details.models && html`<${Facts} rows=${factsOf(details.models[0])} />`}
  <//>`;
}

function Allowed({ model, act }) {
  const body = { do: model.allowed ? "remove" : "add" };
  const done = model.allowed ? `${model.ref} may not be named any more.` : `${model.ref} may be used now.`;
  return html`<${Button} onClick=${() => act.run("models/allow", body, done)}>${model.allowed ? "Take off the list" : "Allow"}<//>`;
}

/** Ask for details of models: {models, error, isBusy}. */
export function useDetails(refs) {
  const [state, setState] = useState({ isBusy: true });
  const key = refs.join("\n");
  useEffect(() => {
    const leaving = new AbortController();
    ask("models/details", { method: "POST", body: { refs }, signal: leaving.signal }).then(
      ({ models }) => setState({ models }),
      (error) => leaving.signal.aborted || setState({ error }),
    );
    return () => leaving.abort();
  }, [key]);
  return state;
}

/** Return the facts of a model as [name, value]; what nobody said is "–". */
export function factsOf(model) {
  const { cost } = model;
  const yes = (value) => (value === undefined || value === null ? "–" : value ? "yes" : "no");
  return [
    ["Name", model.name],
    ["Context", model.saidContextWindow ? `${count(model.saidContextWindow)} tokens` : "–"],
    ["Longest answer", model.saidMaxTokens ? `${count(model.saidMaxTokens)} tokens` : "–"],
    ["Price in", sayPrice(cost?.input)],
    ["Price out", sayPrice(cost?.output)],
    ["Read from cache", sayPrice(cost?.cacheRead)],
    ["Written to cache", sayPrice(cost?.cacheWrite)],
    ["Dearer from", cost?.tiers?.map((tier) => `${count(tier.above)} tokens: ${usd(tier.input)} in, ${usd(tier.output)} out`).join("; ") || "–"],
    ["Takes", model.input?.replaceAll("+", ", ") ?? "–"],
    ["Tools", yes(model.tools)],
    ["Reasoning", yes(model.reasoning)],
    ["Privacy", model.privacy ?? "–"],
    ["Status", model.status ?? "–"],
    ["Released", model.released ?? "–"],
    ["Ends", model.retires ? `${model.retires}${model.replacement ? `, then ${model.replacement}` : ""}` : "–"],
    ["Known from", model.source ?? "–"],
  ];
}

function sayPrice(price) {
  return price === null || price === undefined ? "–" : `${usd(price)} per million tokens`;
}
