// A new key, or other limits for one there is.

import { ask } from "../../api.js";
import { Button, Dialog, Field, html, Switch, toast, Trouble, useAction, useState } from "../../ui.js";

const NAME = /^[\p{L}\p{N}_.@-]{1,64}$/u;
const MONEY = /^\d{1,9}(\.\d{1,9})?$/;
const RATE = /^[1-9]\d{0,11}$/;
const AMOUNTS = { budgetDay: "Budget a day", budgetMonth: "Budget a month" };
const RATES = {
  requestsPerMinute: ["Requests a minute", "requests"],
  tokensPerMinute: ["Tokens a minute", "tokens"],
  concurrency: ["Calls at a time", "calls"],
};

/** The dialog; `old` is a key that is changed. onDone gets the key, with its secret when it is new. */
export function KeyForm({ old, onDone, onClose }) {
  const [form, setForm] = useState(() => readKey(old));
  const [isChecked, setChecked] = useState(false);
  const wrong = isChecked ? findWrong(form, old) : {};
  const set = (name) => (value) => setForm({ ...form, [name]: value });
  const save = useAction(async () => {
    const key = await ask("keys", { method: old ? "PUT" : "POST", body: asBody(form, old) });
    if (old) {
      toast(`The key ${old.name} has its new limits.`);
    }
    onDone(key);
  });
  const submit = () => {
    setChecked(true);
    if (Object.keys(findWrong(form, old)).length === 0) {
      save.run();
    }
  };
  const actions = html`<${Button} onClick=${onClose}>Cancel<//><${Button} type="submit" tone="primary" isBusy=${save.isBusy}>${old ? "Save the limits" : "Make the key"}<//>`;
  return html`<${Dialog} title=${old ? `Change the key ${old.name}` : "New key"} onClose=${onClose} onSubmit=${submit} actions=${actions}>
    <${Trouble} error=${save.error} />
    ${!old && html`<${Field} label="Name" isMono value=${form.name} error=${wrong.name} hint="For whom or what it is: letters, digits, . _ - @" onInput=${set("name")} autofocus />`}
    <${Field} label="Models" isMono value=${form.models} hint="It may ask these: provider/model or provider/*, with commas between them. Empty: every model." onInput=${set("models")} />
    <div class="pair">
      ${Object.entries(AMOUNTS).map(([name, label]) => html`<${Field} key=${name} label=${label} inputmode="decimal" suffix="US dollars" placeholder="no limit" value=${form[name]} error=${wrong[name]} onInput=${set(name)} />`)}
      ${Object.entries(RATES).map(([name, [label, unit]]) => html`<${Field} key=${name} label=${label} inputmode="numeric" suffix=${unit} placeholder="no limit" value=${form[name]} error=${wrong[name]} onInput=${set(name)} />`)}
      <${Field} label="Last day" type="date" value=${form.lastDay} error=${wrong.lastDay} hint="It ends with this day, UTC. Empty: with its revocation." onInput=${set("lastDay")} />
    </div>
    ${(form.budgetDay || form.budgetMonth) && html`<${Switch} label="Also models whose price is not known" hint="Their calls are counted as $0." checked=${form.allowUnpriced} onChange=${set("allowUnpriced")} />`}
  <//>`;
}

function readKey(old) {
  const limits = old?.limits ?? {};
  const texts = [...Object.keys(AMOUNTS), ...Object.keys(RATES)].map((name) => [name, limits[name] === undefined || limits[name] === null ? "" : String(limits[name])]);
  const lastDay = old?.expiresMs ? new Date(old.expiresMs - 1).toISOString().slice(0, 10) : "";
  return { name: old?.name ?? "", models: (limits.models ?? []).join(", "), allowUnpriced: Boolean(limits.allowUnpriced), lastDay, ...Object.fromEntries(texts) };
}

function findWrong(form, old) {
  const found = {};
  if (!old && !NAME.test(form.name.trim())) {
    found.name = "Give a name of letters, digits, . _ - or @, 64 at most.";
  }
  for (const name of Object.keys(AMOUNTS)) {
    if (form[name].trim() && !MONEY.test(form[name].trim())) {
      found[name] = "Give an amount such as 2.50, or nothing.";
    }
  }
  for (const name of Object.keys(RATES)) {
    if (form[name].trim() && !RATE.test(plain(form[name]))) {
      found[name] = "Give a whole number above 0, or nothing.";
    }
  }
  if (form.lastDay && endOf(form.lastDay) <= Date.now()) {
    found.lastDay = "Choose today or a later day.";
  }
  return found;
}

function asBody(form, old) {
  const amounts = Object.keys(AMOUNTS).filter((name) => form[name].trim()).map((name) => [name, form[name].trim()]);
  const rates = Object.keys(RATES).filter((name) => form[name].trim()).map((name) => [name, Number(plain(form[name]))]);
  const models = form.models.split(",").map((each) => each.trim()).filter(Boolean);
  const limits = { ...Object.fromEntries([...amounts, ...rates]), ...(models.length && { models }), ...(form.allowUnpriced && amounts.length && { allowUnpriced: true }) };
  return { name: old ? old.id : form.name.trim(), limits, expiresMs: form.lastDay ? endOf(form.lastDay) : null };
}

function endOf(day) {
  return Date.parse(`${day}T00:00:00Z`) + 86_400_000;
}

function plain(text) {
  return text.replace(/[\s,_]/g, "");
}
