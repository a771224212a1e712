// Playground: ask a model, or two side by side, and see what it says, costs and took.

import { gateway } from "../api.js";
import { Button, confirm, html, Page, Picker, Switch, Trouble, useAsk, useEffect, useLayoutEffect, useMemo, useRef, useState, useStore, useStyle } from "../ui.js";
import { isOpen, wordsOf } from "./playground/answer.js";
import { Codes } from "./playground/codes.js";
import { Composer } from "./playground/composer.js";
import { DEFAULT, namesOf } from "./playground/names.js";
import { readSettings } from "./playground/request.js";
import { Settings } from "./playground/settings.js";
import { change, isBusy, startOver, talk } from "./playground/talk.js";
import { Turn } from "./playground/turn.js";

const NEAR = 80; // pixels from the end that still count as the end
const WIDE = "(min-width: 64rem)";

/** The view. */
export default function Playground({ query }) {
  useStyle("views/playground.css");
  useStyle("views/playground/turns.css");
  const now = useStore(talk);
  const { data, error, reload } = useAsk("models");
  const status = useStore(gateway).status;
  const [hasSettings, setSettings] = useState(() => matchMedia(WIDE).matches);
  const [hasCode, setCode] = useState(false);
  const read = useMemo(() => readSettings(now.settings), [now.settings]);
  const names = useMemo(() => (data ? namesOf(data) : []), [data]);
  const busy = isBusy(now);
  const only = names.length === 1 ? names[0].value : "";
  const first = now.models[0] || (data?.choice.text.primary ? DEFAULT : only);
  const models = [first, now.models[1] || first];
  useEffect(() => {
    if (query.model) {
      change({ models: [query.model, now.models[1]] });
    }
  }, [query.model]);
  useEffect(() => {
    if (!now.models[0] && only) {
      change({ models: [only, now.models[1]] });
    }
  }, [only]);
  const wrong = Object.keys(read.errors).length > 0;
  const used = now.turns.reduce((sum, turn) => sum + turn.files.reduce((all, file) => all + (file.data ? file.size : 0), 0), 0);
  const actions = html`
    <${Button} onClick=${() => setCode(true)}>As code<//>
    <${Button} icon="plus" disabled=${now.turns.length === 0} onClick=${askStartOver}>Start over<//>
    <${Button} aria-expanded=${hasSettings ? "true" : "false"} aria-controls="playground-settings" onClick=${() => setSettings(!hasSettings)}>Settings<//>`;
  return html`<${Page} title="Playground" about="Try a model, or two side by side." actions=${actions} class="playground">
    <${Trouble} error=${error} onRetry=${reload} />
    <div class=${hasSettings ? "playground-body with-settings" : "playground-body"}>
      ${hasSettings && html`<aside id="playground-settings" class="card playground-settings" aria-label="Settings"><div class="card-body"><${Settings} settings=${now.settings} errors=${read.errors} /></div></aside>`}
      <div class="playground-talk">
        <${Models} ...${{ now, models, names }} />
        <${Turns} turns=${now.turns} names=${names} busy=${busy} isBare=${data !== null && names.length === 0} />
        <${Composer} draft=${now.draft} isBusy=${busy} used=${used} trouble=${wrong && "A setting is wrong; it is marked in the settings."} missing=${data !== null && !models[0].trim() && sayMissing(names)} />
        <${Live} turns=${now.turns} />
      </div>
    </div>
    ${hasCode && html`<${Codes} url=${status?.listeners?.[0] ?? "http://127.0.0.1:4747"} model=${models[0]} read=${read} turns=${now.turns} draft=${now.draft} onClose=${() => setCode(false)} />`}
  <//>`;
}

function sayMissing(names) {
  return names.length ? "Choose a model first: in the field above." : "No model can be asked yet: set a provider up first.";
}

async function askStartOver() {
  if (await confirm({ title: "Start over?", text: "This conversation is forgotten. Models and settings stay.", action: "Start over" })) {
    startOver();
    document.getElementById("question")?.focus();
  }
}

function Models({ now, models, names }) {
  const pick = (at) => (model) => change({ models: now.models.with(at, model.trim()) });
  return html`<div class="playground-models">
    <${Picker} label="Model" isFree options=${names} value=${models[0]} placeholder="provider/model" onChange=${pick(0)} />
    ${now.isPair && html`<${Picker} label="Second model" isFree options=${names} value=${models[1]} placeholder="provider/model" onChange=${pick(1)} />`}
    <${Switch} label="Side by side" checked=${now.isPair} onChange=${(isPair) => change({ isPair, models: isPair ? models : now.models })} />
  </div>`;
}

function Turns({ turns, names, busy, isBare }) {
  const [isFollowing, follow] = useFollow(turns);
  if (turns.length === 0 && isBare) {
    return html`<div class="empty playground-empty"><p class="empty-title">No model can be asked yet</p><p>Set a provider up first: <a href="#/providers">Providers</a>.</p></div>`;
  }
  if (turns.length === 0) {
    return html`<div class="empty playground-empty"><p class="empty-title">Nothing asked yet</p><p>Write a question below. It goes to the model above, through the gateway’s failover and budgets, and counts as “page” in Usage.</p></div>`;
  }
  return html`<div class="turns">
    ${turns.map((turn, at) => html`<${Turn} key=${turn.id} turn=${turn} names=${names} isLast=${at === turns.length - 1 && !busy} />`)}
    ${!isFollowing && html`<div class="to-end"><${Button} isSmall icon="down" onClick=${follow}>To the end<//></div>`}
  </div>`;
}

// The page stays at the end while words come, until somebody scrolls up; at the end again, it follows again.
function useFollow(turns) {
  const [isFollowing, setFollowing] = useState(true);
  const latest = useRef(true);
  const before = useRef(0);
  const decide = (value) => {
    latest.current = value;
    setFollowing(value);
  };
  const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);
  useEffect(() => {
    const look = () => {
      const isAtEnd = document.documentElement.scrollHeight - innerHeight - scrollY < NEAR;
      if (isAtEnd || scrollY < before.current - 1) {
        decide(isAtEnd);
      }
      before.current = scrollY;
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useEffect(() => {
    decide(true);
  }, [turns.length]);
  useLayoutEffect(() => {
    if (latest.current && turns.length) {
      toEnd();
    }
  }, [turns]);
  return [isFollowing, () => { decide(true); toEnd(); }];
}

// Told once an answer is whole: who hears the page would not bear every word by itself.
function Live({ turns }) {
  const answers = (turns.at(-1)?.lanes ?? []).map(({ tries, at }) => tries[at].steps.at(-1)?.answer).filter(Boolean);
  const told = answers.filter((answer) => !isOpen(answer)).map(sayEnd).join(" ");
  return html`<p class="unseen" role="status" aria-live="polite">${answers.some(isOpen) && !told ? "Waiting for the answer." : told}</p>`;
}

function sayEnd(answer) {
  const who = answer.served || answer.model || "the model";
  const words = { done: `${who} answered: ${wordsOf(answer).slice(0, 600)}`, stopped: "Stopped.", failed: `${who} failed: ${answer.error?.message}` };
  return words[answer.state];
}
