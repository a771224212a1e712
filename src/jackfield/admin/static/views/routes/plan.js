// A question made up of what it holds, or a request pasted as a program sends it; and the plan that it gets.

import { ask } from "../../api.js";
import { Button, Card, Check, Empty, Field, html, Picker, Select, Tabs, Trouble, useAction, useAsk, useEffect, useMemo, useRef, useState } from "../../ui.js";
import { namesOf } from "../playground/names.js";
import { Chain } from "./chain.js";

const HOLDS = { image: "a picture", document: "a document", audio: "sound", tools: "tools", schema: "a JSON Schema to fit" };
const THINKING = [{ value: "", label: "as the model does" }, "off", "minimal", "low", "medium", "high", "xhigh"];
const WIRES = [
  { value: "", label: "found by its fields" },
  { value: "openai-completions", label: "OpenAI Chat Completions" },
  { value: "openai-responses", label: "OpenAI Responses" },
  { value: "anthropic-messages", label: "Anthropic Messages" },
  { value: "google-generative-ai", label: "Gemini" },
];
const FIRST = { way: "holds", model: "", holds: {}, tokens: "", maxTokens: "", thinking: "", fallbacks: "", session: "", body: "", wire: "" };

let kept = FIRST; // what was filled in, while another tab or view is looked at

/** The form, and the chain below it. */
export function Plan({ query }) {
  const [order, setOrder] = useState(() => (query.model ? { ...FIRST, model: query.model } : kept));
  const [told, setTold] = useState(null);
  const { data } = useAsk("models");
  const names = useMemo(() => (data ? namesOf(data) : []), [data]);
  const plan = useAction(async (said) => setTold(await ask("routes/plan", { method: "POST", body: said })));
  kept = order;
  const set = (more) => setOrder((old) => ({ ...old, ...more }));
  const wrong = findWrong(order);
  const send = (event) => {
    event.preventDefault();
    if (Object.keys(wrong).length === 0) {
      plan.run(asBody(order));
    }
  };
  const isOpened = useRef(false);
  useEffect(() => {
    // Where nothing is named and there is no default, to ask would only be an error.
    if (!isOpened.current && (order.model || data?.choice.text.primary) && Object.keys(wrong).length === 0) {
      isOpened.current = true;
      plan.run(asBody(order));
    }
  }, [data]);
  return html`<div class="stack wide-stack">
    <${Card} title="Request" about="Nobody is asked. The plan is the one a real request gets now.">
      <form class="stack" onSubmit=${send} novalidate>
        <div class="pair">
          <${Picker} label="Model or route" isFree value=${order.model} options=${names} placeholder="the default"
            hint="provider/model, an alias or a route; empty means the default." onChange=${(model) => set({ model })} />
          ${order.way === "holds" && html`<${Field} label="Fallbacks" value=${order.fallbacks} placeholder="none" hint="Tried when the others fail, with commas between them. A route brings its own." onInput=${(fallbacks) => set({ fallbacks })} />`}
        </div>
        <${Tabs} label="What the request is" value=${order.way} onChange=${(way) => set({ way })} tabs=${[{ key: "holds", name: "Made up" }, { key: "body", name: "Pasted" }]}>
          ${order.way === "holds" ? html`<${MadeUp} ...${{ order, set, wrong }} />` : html`<${Pasted} ...${{ order, set, wrong }} />`}
        <//>
        <div class="row">
          <${Button} type="submit" tone="primary" isBusy=${plan.isBusy}>Show the plan<//>
        </div>
      </form>
    <//>
    <${Trouble} error=${plan.error} />
    ${told ? !plan.error && html`<${Chain} told=${told} />` : !plan.error && html`<${Empty} title="The plan is drawn here">${data && !data.choice.text.primary && html`There is no default model yet: name one above, or <a href="#/models">choose one</a>.`}<//>`}
  </div>`;
}

function MadeUp({ order, set, wrong }) {
  return html`<div class="stack">
    <fieldset class="holds">
      <legend>It holds</legend>
      <div class="row">
        ${Object.entries(HOLDS).map(
          ([name, label]) => html`<${Check} key=${name} label=${label} checked=${Boolean(order.holds[name])} onChange=${(is) => set({ holds: { ...order.holds, [name]: is } })} />`,
        )}
      </div>
    </fieldset>
    <div class="pair">
      <${Field} label="Tokens in" inputmode="numeric" value=${order.tokens} error=${wrong.tokens} suffix="tokens" placeholder="few" onInput=${(tokens) => set({ tokens })} />
      <${Field} label="Longest answer" inputmode="numeric" value=${order.maxTokens} error=${wrong.maxTokens} suffix="tokens" placeholder="not said" onInput=${(maxTokens) => set({ maxTokens })} />
      <${Select} label="Thinking" value=${order.thinking} options=${THINKING} onChange=${(thinking) => set({ thinking })} />
      <${Field} label="Session" value=${order.session} placeholder="none" hint="Stays with its warm cache." onInput=${(session) => set({ session })} />
    </div>
  </div>`;
}

function Pasted({ order, set, wrong }) {
  return html`<div class="stack">
    <${Field} label="Body" rows=${8} isMono value=${order.body} error=${wrong.body} onInput=${(body) => set({ body })}
      hint="The JSON that a program sends. It stays in this page and the gateway; nothing is kept." placeholder='{"model": "default", "messages": [{"role": "user", "content": "Hello"}]}' />
    <${Select} label="Protocol" value=${order.wire} options=${WIRES} onChange=${(wire) => set({ wire })} />
  </div>`;
}

function findWrong({ way, tokens, maxTokens, body }) {
  if (way === "body") {
    return body.trim() ? {} : { body: "Paste a request first." };
  }
  const found = {};
  for (const [name, text] of Object.entries({ tokens, maxTokens })) {
    if (text.trim() && !/^[1-9]\d{0,7}$/.test(plain(text))) {
      found[name] = "Give a whole number above 0, or nothing.";
    }
  }
  return found;
}

function asBody(order) {
  const { way, model, session, body, wire } = order;
  if (way === "body") {
    return { model, body, wire };
  }
  const holds = Object.fromEntries(Object.entries(order.holds).filter(([, is]) => is));
  const numbers = Object.entries({ tokens: order.tokens, maxTokens: order.maxTokens }).filter(([, text]) => text.trim());
  const fallbacks = order.fallbacks.split(",").map((each) => each.trim()).filter(Boolean);
  const thinking = order.thinking ? { thinking: order.thinking } : {};
  return { model, session, fallbacks, holds: { ...holds, ...thinking, ...Object.fromEntries(numbers.map(([name, text]) => [name, Number(plain(text))])) } };
}

function plain(text) {
  return text.replace(/[\s,_]/g, "");
}
