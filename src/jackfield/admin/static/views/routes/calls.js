// The latest calls as a timeline: each with its tries as bars. New ones never push away what is being read.

import { ask } from "../../api.js";
import { Badge, Busy, Button, Card, count, Empty, Field, html, moment, ms, Select, Switch, Trouble, usd, useAction, useEffect, useRef, useState } from "../../ui.js";
import { CallDialog } from "./call_dialog.js";
import { Bars } from "./bars.js";

const LOOK_MS = 4000;
const LIMIT = 40;
const OUTCOMES = [
  { value: "", label: "any" },
  { value: "ok", label: "answered" },
  { value: "failed", label: "with a failed try" },
  { value: "cancelled", label: "left by the caller" },
];
const WORDS = { ok: ["ok", "answered"], cancelled: ["off", "left by the caller"] };

/** The list, with what it may be narrowed to. */
export function Calls({ query, go }) {
  const wanted = { outcome: query.outcome ?? "", model: query.model ?? "", key: query.key ?? "" };
  const narrow = (more) => go("routes", { tab: "calls", ...wanted, ...more });
  const [isLive, setLive] = useState(true);
  const [isShared, setShared] = useState(true);
  const [opened, setOpened] = useState(null);
  const box = useRef(null);
  const { calls, news, mark, error, showNews, more, retry } = useCalls(wanted, isLive, box);
  const longest = Math.max(1, ...(calls ?? []).map((call) => call.endMs - call.atMs));
  const fresh = html`<div class="news" role="status">
    ${news.length > 0 && html`<${Button} isSmall icon="refresh" onClick=${showNews}>Show ${count(news.length)} new ${news.length === 1 ? "call" : "calls"}<//>`}
  </div>`;
  return html`<div class="stack wide-stack">
    <form class="calls-tools" onSubmit=${(event) => event.preventDefault()}>
      <${Select} label="Outcome" value=${wanted.outcome} options=${withOwn(wanted.outcome)} onChange=${(outcome) => narrow({ outcome })} />
      <${Later} label="Model" value=${wanted.model} placeholder="provider/model" onChange=${(model) => narrow({ model })} />
      <${Later} label="Key" value=${wanted.key} placeholder="any" onChange=${(key) => narrow({ key })} />
      <${Switch} label="Look for new ones" checked=${isLive} onChange=${setLive} />
      <${Switch} label="One scale for all" checked=${isShared} onChange=${setShared} />
    </form>
    <${Trouble} error=${error} onRetry=${retry} />
    <${Card} title="Calls" aside=${fresh} about="The latest first. A bar is a try, hatched where it failed; the upright line is its first piece." class="calls">
      ${!calls && !error && html`<${Busy} />`}
      ${calls?.length === 0 && (Object.values(wanted).some(Boolean) ? html`<${Empty} title="No call fits">Calls appear here when they are over.<//>` : html`<${Empty} title="No call yet">Calls appear here when they are over. Make one in the <a href="#/playground">Playground</a>.<//>`)}
      ${calls?.length > 0 &&
      html`<ol class="call-list" ref=${box} aria-label="The latest calls">
        ${calls.map((call) => html`<${Call} key=${call.id} ...${{ call, scale: isShared ? longest : call.endMs - call.atMs, open: () => setOpened(call) }} />`)}
      </ol>`}
      ${mark && html`<div class="row"><${Button} isBusy=${more.isBusy} onClick=${() => more.run()}>Show earlier ones<//></div>`}
    <//>
    ${opened && html`<${CallDialog} call=${opened} onClose=${() => setOpened(null)} />`}
  </div>`;
}

function Call({ call, scale, open }) {
  const [tone, words] = WORDS[call.outcome] ?? ["bad", call.outcome];
  const stood = call.outcome === "ok" && call.served !== call.requested && call.requested.includes("/");
  return html`<li class="call">
    <div class="call-head">
      <button type="button" class="call-name" onClick=${open} aria-haspopup="dialog">
        <span class="mono">${call.requested || "no model"}</span>${call.served && call.served !== call.requested && html`<span class="unseen">, served by </span><span class="mono soft"> → ${call.served}</span>`}
      </button>
      <${Badge} tone=${tone}>${words}<//>
      ${stood && html`<${Badge} tone="warn">stood in<//>`}
      <span class="call-figures">${call.key && html`<span>${call.key}</span>`}<span>${usd(call.costUsd)}</span><span>${ms(call.endMs - call.atMs)}</span><time>${moment(call.atMs)}</time></span>
    </div>
    <${Bars} call=${call} scale=${scale} />
    <ol class="tries" aria-label="Tries">
      ${call.attempts.map((each) => html`<li key=${each.id}><span class="mono">${each.served || "nobody"}</span> ${each.outcome === "ok" ? "" : `${each.outcome} `}${each.status ?? ""} <span class="soft">${ms(each.totalMs)}${each.firstMs === null ? "" : `, first after ${ms(each.firstMs)}`}</span></li>`)}
    </ol>
  </li>`;
}

// What is typed counts when the field is left or Enter is pressed: each wish is a question to the ledger.
function Later({ label, value, placeholder, onChange }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const leave = () => text.trim() !== value && onChange(text.trim());
  return html`<${Field} ...${{ label, placeholder }} isMono value=${text} onInput=${setText} onBlur=${leave} onKeyDown=${(event) => event.key === "Enter" && leave()} />`;
}

function withOwn(outcome) {
  return OUTCOMES.some((each) => each.value === outcome) ? OUTCOMES : [...OUTCOMES, { value: outcome, label: outcome }];
}

// -- what is known of them ---

function useCalls(wanted, isLive, box) {
  const [state, setState] = useState({ calls: null, news: [], mark: null, error: null });
  const [round, setRound] = useState(0);
  const key = JSON.stringify(wanted);
  const query = { ...wanted, limit: LIMIT };
  useEffect(() => {
    let isHere = true;
    setState({ calls: null, news: [], mark: null, error: null });
    const look = async () => {
      try {
        const said = await ask("attempts", { query });
        if (isHere) {
          setState((old) => learn(old, said, isFree(box.current)));
        }
      } catch (error) {
        if (isHere) {
          setState((old) => ({ ...old, error }));
        }
      }
    };
    look();
    const timer = setInterval(() => isLive && !document.hidden && look(), LOOK_MS);
    return () => {
      isHere = false;
      clearInterval(timer);
    };
  }, [key, isLive, round]);
  const more = useAction(async () => {
    const said = await ask("attempts", { query: { ...query, before: state.mark } });
    setState((old) => ({ ...old, calls: [...old.calls, ...unknown(said.calls, old.calls)], mark: said.before }));
  });
  const showNews = () => setState((old) => ({ ...old, calls: [...old.news, ...old.calls], news: [] }));
  return { ...state, error: state.error ?? more.error, more, showNews, retry: () => setRound(round + 1) };
}

function learn(old, said, isFree) {
  if (old.calls === null || old.calls.length === 0) {
    return { calls: said.calls, news: [], mark: said.before, error: null };
  }
  const news = [...unknown(said.calls, [...old.news, ...old.calls]), ...old.news];
  return isFree ? { ...old, calls: [...news, ...old.calls], news: [], error: null } : { ...old, news, error: null };
}

function unknown(calls, known) {
  const ids = new Set(known.map((each) => each.id));
  return calls.filter((each) => !ids.has(each.id));
}

// Somebody who has begun to read, to point or to go through the list by keyboard keeps what is there.
function isFree(list) {
  return !list || (scrollY < 8 && !list.matches(":hover") && !list.contains(document.activeElement) && !document.querySelector("dialog[open]"));
}
