// A server of one's own: the form, its request URL while it is typed, its models, a test, and then the config.

import { ask, edit } from "../../api.js";
import { Busy, Button, Check, Dialog, html, Notice, sentence, Trouble, useAction, useAsk, useEffect, useRef, useState } from "../../ui.js";
import { Results } from "./card.js";
import { Fields } from "./fields.js";
import { checkForm, EMPTY, fromModel, fromServer, toBody } from "./form.js";

const PAUSE_MS = 250;

/** The dialog; `provider` is the id that is edited, "" for a new one. onSaved gets the model's ref. */
export function ServerForm({ provider, place, onClose, onSaved }) {
  const { data, error, reload } = useAsk(provider ? "custom" : null, { provider });
  const title = provider ? `Edit ${provider}` : "Add your own server";
  if (provider && !data) {
    return html`<${Dialog} title=${title} onClose=${onClose}><${Trouble} error=${error} onRetry=${reload} />${!error && html`<${Busy} />`}<//>`;
  }
  return html`<${Form} ...${{ title, place, onClose, onSaved, known: provider ? data : null }} />`;
}

function Form({ title, known, place, onClose, onSaved }) {
  const [form, setForm] = useState(() => (known ? fromServer(known) : EMPTY));
  const [errors, setErrors] = useState({});
  const [refused, setRefused] = useState(0); // how often a wrong form was sent
  const [tested, setTested] = useState(null);
  const address = useAddress(form);
  const list = useModels(form);
  const change = (more) => {
    setForm((old) => ({ ...old, ...more }));
    setTested(null);
    setErrors((old) => Object.fromEntries(Object.entries(old).filter(([name]) => !(name in more))));
  };
  const pick = (model) => {
    const row = list.models.find((each) => each.id === model) ?? known?.models.find((each) => each.id === model);
    change({ model, ...(row ? fromModel(row, form) : {}) });
  };
  const check = () => {
    const wrong = checkForm(form, address);
    setErrors(wrong);
    const isRight = Object.keys(wrong).length === 0;
    setRefused((count) => count + (isRight ? 0 : 1));
    return isRight;
  };
  const test = useAction(async () => {
    setTested(null);
    setTested(await ask("custom/test", { method: "POST", body: toBody(form) }));
  });
  const save = useAction(async () => onSaved((await edit("custom", { ...toBody(form), needsNoKey: form.needsNoKey, isNew: !known })).ref));
  const submit = () => check() && save.run();
  const end = useRef(null);
  // What came of it stands at the form's end, out of sight on a small screen; what is wrong is where it is typed.
  useEffect(() => {
    end.current?.firstElementChild?.scrollIntoView({ block: "center" });
  }, [tested, save.error, test.error]);
  useEffect(() => {
    end.current?.closest("dialog").querySelector('[aria-invalid="true"]')?.focus();
  }, [refused]);
  const actions = html`<${Button} onClick=${onClose}>Cancel<//>
    <${Button} icon="play" isBusy=${test.isBusy} onClick=${() => check() && test.run()}>Test<//>
    <${Button} tone="primary" type="submit" isBusy=${save.isBusy}>Save<//>`;
  return html`<${Dialog} title=${title} onClose=${onClose} onSubmit=${submit} actions=${actions} isWide>
    <${Fields} ...${{ form, errors, change, pick, address, list, known, place }} />
    ${list.withheld && html`<${Notice} tone="warn">${sentence(list.withheld)} Type the key for the new address.<//>`}
    ${(known?.hasKey || /needs none/.test(save.error?.hint)) && html`<${Check} label="The server needs no key: send none of those that are stored for another address" checked=${form.needsNoKey} onChange=${(needsNoKey) => change({ needsNoKey })} />`}
    <div ref=${end}>
      <${Trouble} error=${save.error ?? test.error} />
      ${tested && html`<${Results} results=${[tested.result]} />`}
      ${tested?.withheld && html`<p class="hint">${sentence(tested.withheld)}</p>`}
    </div>
  <//>`;
}

// Where requests would go: asked a moment after the last letter, and only the newest answer counts.
function useAddress({ baseUrl, api, model }) {
  const [said, setSaid] = useState({ url: "" });
  useEffect(() => {
    let isNewest = true;
    const timer = setTimeout(async () => {
      const found = await ask("custom/url", { method: "POST", body: { baseUrl, api, model } }).catch((error) => ({ url: "", error }));
      return isNewest && setSaid(found);
    }, PAUSE_MS);
    return () => {
      isNewest = false;
      clearTimeout(timer);
    };
  }, [baseUrl, api, model]);
  return said;
}

// The server's own list, asked for once per address and key.
function useModels(form) {
  const asked = JSON.stringify([form.baseUrl, form.api, form.key]);
  const [state, setState] = useState({ asked: "", models: [], error: null, withheld: "" });
  const fetching = useAction(async () => {
    const body = { ...toBody(form), model: undefined };
    const said = await ask("custom/models", { method: "POST", body }).catch((error) => ({ models: [], error }));
    setState({ asked, withheld: "", error: null, ...said });
  });
  const isFresh = state.asked === asked;
  return {
    models: isFresh ? state.models : [],
    error: isFresh ? state.error : null,
    withheld: isFresh ? state.withheld : "",
    isFresh,
    isBusy: fetching.isBusy,
    load: () => form.baseUrl.trim() && fetching.run(),
  };
}
