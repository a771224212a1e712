// Models: what there is, what it costs, and what is asked when nobody names one.

import { ask } from "../api.js";
import { Badge, Busy, Button, Check, html, Notice, Page, Select, Switch, Table, toast, tokens, Trouble, usd, useAction, useAsk, useMemo, useState, useStyle } from "../ui.js";
import { Chosen, Names } from "./models/chosen.js";
import { Compare, MOST } from "./models/compare.js";
import { ModelDialog } from "./models/model.js";
import { badgesOf, CONTEXTS, narrow, NO_FILTER, PRICES, unpack } from "./models/rows.js";

const FLAGS = { images: "Images", tools: "Tools", reasoning: "Reasoning", free: "$0 per token" };

/** The view. */
export default function Models({ query, go }) {
  useStyle("views/models.css");
  const [isAll, setAll] = useState(query.all === "1");
  const [filter, setFilter] = useState({ ...NO_FILTER, provider: query.provider ?? "" });
  const [opened, setOpened] = useState(query.model ?? "");
  const [compared, setCompared] = useState([]);
  const [isComparing, setComparing] = useState(false);
  const { data, error, isBusy, reload } = useAsk("models", isAll ? { all: 1 } : {});
  const models = useMemo(() => (data ? unpack(data) : []), [data]);
  const shown = useMemo(() => narrow(models, filter), [models, filter]);
  const refresh = useRefresh(reload);
  const open = models.find((model) => model.ref === opened);
  const tick = (ref) => setCompared((old) => (old.includes(ref) ? old.filter((each) => each !== ref) : [...old, ref].slice(0, MOST)));
  const actions = html`<${Button} icon="refresh" isBusy=${refresh.isBusy} onClick=${() => refresh.run()}>Refresh lists<//>`;
  return html`<${Page} title="Models" about="Every model a provider offers, and what it is used for." actions=${actions}>
    <${Trouble} error=${error ?? refresh.error} onRetry=${reload} />
    <${Lists} lists=${data?.lists ?? []} />
    ${!data && isBusy && html`<${Busy} />`}
    ${data &&
    html`<div class="grid">
        <${Chosen} title="Asked by default" about="When nobody names a model; fallbacks answer in order when it fails." kind="text" choice=${data.choice.text} />
        ${(data.choice.image.primary || data.choice.image.fallbacks.length > 0) &&
        html`<${Chosen} title="Asked about images" about="When the default takes none." kind="image" choice=${data.choice.image} />`}
        <${Names} aliases=${data.aliases} allow=${data.allow} />
      </div>
      <section aria-label="All models" class="stack">
        <${Filters} ...${{ filter, setFilter, isAll, setAll, providers: data.providers }} />
        <${Table}
          label="Models"
          columns=${columnsFor(setOpened, compared, tick)}
          rows=${shown}
          keyOf=${(model) => model.ref}
          filter=${{ label: "Search models", text: (model) => `${model.ref} ${model.name}`, needle: query.needle }}
          empty=${models.length ? "No model fits these filters" : html`No provider has a credential yet. Add one under <a href="#/providers">Providers</a>, or show all of the catalog.`}
          tools=${html`<${Button} disabled=${compared.length < 2} onClick=${() => setComparing(true)}>Compare${compared.length ? ` (${compared.length})` : ""}<//>`}
        />
      </section>`}
    ${open && html`<${ModelDialog} key=${open.ref} model=${open} ...${{ choice: data.choice, allow: data.allow, aliases: data.aliases, go }} onClose=${() => setOpened("")} />`}
    ${isComparing && html`<${Compare} refs=${compared} go=${go} onClose=${() => setComparing(false)} />`}
  <//>`;
}

function useRefresh(reload) {
  return useAction(async () => {
    const { providers } = await ask("models/refresh", { method: "POST", body: {} });
    const failed = providers.filter((each) => !each.ok);
    const fresh = providers.reduce((sum, each) => sum + each.new.length, 0);
    if (providers.length === 0) {
      toast("No provider has a list to ask for. Add a key first.", "info");
    } else if (failed.length < providers.length) {
      toast(`${providers.length - failed.length} of ${providers.length} lists are fresh; ${fresh} new models.`, "ok");
    }
    for (const { provider, error } of failed) {
      toast(`${provider}: ${error.message}. The last list is kept.`, "bad");
    }
    reload();
  });
}

function Lists({ lists }) {
  const broken = lists.filter((each) => each.error);
  return broken.length === 0
    ? null
    : html`<${Notice} tone="warn" title="Some lists of models could not be had; the last ones are shown.">
        <ul class="plain">${broken.map((each) => html`<li key=${each.provider}>${each.provider}: ${each.error}</li>`)}</ul>
      <//>`;
}

function Filters({ filter, setFilter, isAll, setAll, providers }) {
  const set = (name) => (value) => setFilter((old) => ({ ...old, [name]: value }));
  const options = (table) => Object.entries(table).map(([value, label]) => ({ value, label })).sort((a, b) => Number(a.value) - Number(b.value));
  const all = [{ value: "", label: "Any provider" }, ...providers.map((each) => ({ value: each.id, label: each.name }))];
  return html`<div class="filters" role="group" aria-label="Filters">
    <${Select} isHidden label="Provider" value=${filter.provider} onChange=${set("provider")} options=${all} />
    <${Select} isHidden label="Context" value=${filter.context} onChange=${set("context")} options=${options(CONTEXTS)} />
    <${Select} isHidden label="Price of output per million tokens" value=${filter.price} onChange=${set("price")} options=${options(PRICES)} />
    ${Object.entries(FLAGS).map(([name, label]) => html`<${Check} key=${name} label=${label} checked=${filter[name]} onChange=${set(name)} />`)}
    <${Switch} label="All of the catalog" checked=${isAll} onChange=${setAll} />
    <${Switch} label="Ended ones too" checked=${filter.old} onChange=${set("old")} />
  </div>`;
}

function columnsFor(open, compared, tick) {
  const box = ({ ref }) => html`<input type="checkbox" class="compare-box" aria-label="Compare ${ref}" checked=${compared.includes(ref)}
    disabled=${compared.length >= MOST && !compared.includes(ref)} onChange=${() => tick(ref)} />`;
  return [
    { key: "box", name: html`<span class="unseen">Compare</span>`, render: box },
    { key: "ref", name: "Model", sort: true, isHead: true, render: (model) => html`<${Name} model=${model} open=${open} />` },
    { key: "context", name: "Context", sort: true, align: "end", render: (model) => tokens(model.context) },
    { key: "maxTokens", name: "Output", sort: true, align: "end", hideBelow: 900, render: (model) => tokens(model.maxTokens) },
    { key: "input", name: "$/M in", sort: true, align: "end", hideBelow: 600, render: (model) => usd(model.input) },
    { key: "output", name: "$/M out", sort: true, align: "end", render: (model) => usd(model.output) },
    { key: "takes", name: "Takes", sort: true, isLine: true, hideBelow: 900, render: (model) => model.takes.replaceAll("+", ", ") },
    { key: "can", name: "Can", hideBelow: 900, render: (model) => [model.tools === false && "no tools", model.tools && "tools", model.reasoning && "reasoning"].filter(Boolean).join(", ") || "–" },
    { key: "privacy", name: "Privacy", sort: (model) => model.privacy || null, hideBelow: 900, render: (model) => model.privacy || "–" },
  ];
}

function Name({ model, open }) {
  return html`<div class="model-name">
    <button type="button" class="link mono" onClick=${() => open(model.ref)}>${model.ref}</button>
    ${model.name && model.name !== model.ref.slice(model.provider.length + 1) && html`<span class="hint">${model.name}</span>`}
    ${badgesOf(model).map(([tone, words]) => html`<${Badge} key=${words} tone=${tone}>${words}<//>`)}
  </div>`;
}
