// The fields of a server of one's own, named as in Kilo Code's panel.

import { Button, count, Field, html, Picker, Select, sentence, Switch } from "../../ui.js";
import { APIS } from "./form.js";

const LISTED = 500; // models of a list that can be searched

/** The fields; `change` takes values, `pick` a model. */
export function Fields({ form, errors, change, pick, address, list, known, place }) {
  const text = (name) => ({ value: form[name], error: errors[name], onInput: (value) => change({ [name]: value }) });
  const apis = APIS.some((each) => each.value === form.api) ? APIS : [...APIS, { value: form.api, label: form.api }];
  const keyHint = known?.hasKey ? "Empty: the stored key stays" : `Empty where the server asks for none. Kept in ${place ?? "the credential store"}`;
  return html`<div class="pair">
      <${Select} label="API provider" value=${form.api} onChange=${(api) => change({ api })} options=${apis} />
      <${Field} label="Provider ID" isMono readonly=${Boolean(known)} autocomplete="off" ...${text("id")} placeholder="made of the address" hint="Its models are named ID/model" />
    </div>
    <div class="stack">
      <${Field} label="Base URL" isMono type="url" autocomplete="off" autofocus required ...${text("baseUrl")} placeholder="http://127.0.0.1:8000/v1" hint="As the server names it, or the whole address of its endpoint" />
      <${Leads} address=${address} isEmpty=${!form.baseUrl.trim()} />
    </div>
    <${Field} label="API key" type="password" isMono autocomplete="off" ...${text("key")} hint=${keyHint} />
    <div class="with-button">
      <${Picker} label="Model" isFree value=${form.model} onChange=${pick} error=${errors.model} options=${options(list, known)} placeholder="type its id, or choose"
        onFocus=${() => list.isFresh || list.load()} hint=${sayList(list)} />
      <${Button} icon="refresh" isBusy=${list.isBusy} onClick=${list.load}>Fetch models<//>
    </div>
    <div class="pair">
      <${Field} label="Max output tokens" suffix="tokens" inputmode="numeric" ...${text("maxTokens")} hint="Empty or -1: as many as the server allows" />
      <${Field} label="Context window" suffix="tokens" inputmode="numeric" ...${text("contextWindow")} hint="Question and answer together" />
    </div>
    <div class="pair">
      <${Switch} label="Image support" checked=${form.images} onChange=${(images) => change({ images })} hint="The model reads pictures" />
      <${Switch} label="Computer use" checked=${form.computerUse} onChange=${(computerUse) => change({ computerUse })} hint="Noted; requests stay as they are" />
    </div>
    <div class="pair">
      <${Field} label="Input price" suffix="$ / 1M tokens" inputmode="decimal" ...${text("inputPrice")} hint="Empty: as the catalog says, else counted as $0" />
      <${Field} label="Output price" suffix="$ / 1M tokens" inputmode="decimal" ...${text("outputPrice")} hint="Empty: as the catalog says, else counted as $0" />
    </div>`;
}

function Leads({ address, isEmpty }) {
  const words = isEmpty
    ? "Requests will go to the address that follows from this."
    : address.error
      ? sentence(address.error.message)
      : !address.url
        ? "Working out where requests go…"
        : html`Requests go to <code>${address.url}</code>. ${address.models ? html`Models are listed at <code>${address.models}</code>.` : "Its list of models cannot be told: type the model’s id."}`;
  return html`<p class="leads hint" role="status" aria-label="Request URL">${words}</p>`;
}

function options(list, known) {
  const rows = list.models.length ? list.models : (known?.models ?? []);
  return rows.slice(0, LISTED).map((row) => ({ value: row.id, label: row.id, note: row.contextWindow ? `${count(row.contextWindow)} tokens` : "" }));
}

function sayList(list) {
  if (list.isBusy) {
    return "Asking the server for its models…";
  }
  if (list.error) {
    const why = [list.error.message, list.error.hint].filter(Boolean).map(sentence).join(" ");
    return html`<span class="told" role="status">No list: ${why} The id can be typed.</span>`;
  }
  return html`<span role="status">${list.isFresh ? (list.models.length === 1 ? "1 model is listed" : `${count(list.models.length)} models are listed`) : "Its list is asked for when you come here"}</span>`;
}
