// Signing in on a provider's own page: the code or the link, how long it is good, and what came of it.

import { ask } from "../../api.js";
import { Busy, Button, Copy, Field, html, Notice, sentence, toast, Trouble, until, useAction, useEffect, useNow, useState } from "../../ui.js";
import { isLink } from "./words.js";

const LOOK_MS = 1000;

/** Begins a sign-in and follows it to its end; leaving the dialog cancels it. */
export function BrowserWay({ way, info, onClose, onDone }) {
  const [going, setGoing] = useState(null); // as the gateway tells of it
  const [company, setCompany] = useState("");
  const [agrees, setAgrees] = useState(false);
  const begin = useAction(async () => setGoing(await ask("signins", { method: "POST", body: { provider: info.id, choice: way.choice, company, agrees } })));
  const isOpen = going?.phase === "begins" || going?.phase === "waits";
  useFollow(going, isOpen, setGoing, onDone);
  if (way.plugin || way.isCode) {
    return html`<${Plugin} ...${{ way, info }} />`;
  }
  if (isOpen) {
    return html`<${Going} ...${{ going, setGoing }} />`;
  }
  const failed = going?.phase === "failed" ? going.error : begin.error;
  const start = going ? "Sign in again" : "Sign in";
  return html`<div class="stack">
    <${Trouble} error=${failed} />
    ${going?.phase === "cancelled" && html`<${Notice}>The sign-in was cancelled. Nothing is kept of it.<//>`}
    ${way.company && html`<${Field} label="Company server" isMono value=${company} onInput=${setCompany} placeholder="company.ghe.com" hint="Empty: the public one" />`}
    ${!way.hasClient && way.program && html`<label class="check"><input type="checkbox" checked=${agrees} onChange=${(event) => setAgrees(event.currentTarget.checked)} /><span>Sign in as ${way.program} does, with the public client id of that program on this machine</span></label>`}
    <p class="hint">Your default model stays as it is.</p>
    <div class="row end"><${Button} onClick=${onClose}>Cancel<//><${Button} tone="primary" isBusy=${begin.isBusy} onClick=${() => begin.run()}>${start}<//></div>
  </div>`;
}

function useFollow(going, isOpen, setGoing, onDone) {
  useEffect(() => {
    if (!isOpen) {
      return undefined;
    }
    let isHere = true;
    const look = async () => {
      const said = await ask("signins", { query: { id: going.id } }).catch((error) => ({ ...going, phase: "failed", error }));
      if (!isHere) {
        return;
      }
      setGoing(said);
      if (said.phase === "done") {
        toast(`Signed in. Kept as ${said.profileId}.`);
        onDone(said);
      }
    };
    const timer = setInterval(look, LOOK_MS);
    return () => {
      isHere = false;
      clearInterval(timer);
    };
  }, [going?.id, isOpen]);
  useEffect(
    () => () => {
      if (going?.id) {
        ask("signins/cancel", { method: "POST", body: { id: going.id } }).catch(() => null);
      }
    },
    [going?.id],
  );
}

function Going({ going, setGoing }) {
  const cancel = useAction(async () => setGoing(await ask("signins/cancel", { method: "POST", body: { id: going.id } })));
  const stop = html`<div class="row end"><${Button} isBusy=${cancel.isBusy} onClick=${() => cancel.run()}>Cancel the sign-in<//></div>`;
  if (!going.url) {
    return html`<${Busy}>Asking ${going.name}…<//>${stop}`;
  }
  return html`<div class="stack">
    ${going.userCode ? html`<${Code} going=${going} />` : html`<${Landing} going=${going} setGoing=${setGoing} />`}
    ${going.notes.map((note) => html`<${Notice} key=${note}>${sentence(note)}<//>`)}
    <${Busy}>Waiting for you to finish there. This goes on by itself.<//>
    ${stop}
  </div>`;
}

function Code({ going }) {
  const now = useNow();
  const place = going.url.replace(/^https?:\/\//, "");
  return html`<p>Open <${Out} url=${going.wholeUrl}>${place}<//> on any device and enter this code:</p>
    <p class="user-code"><code aria-label="Code">${going.userCode}</code> <${Copy} text=${going.userCode} label="Copy the code" /></p>
    <p class="hint">The code ends ${until(going.endsMs, now)}.</p>`;
}

function Landing({ going, setGoing }) {
  const [text, setText] = useState("");
  const hand = useAction(async () => {
    setGoing(await ask("signins/paste", { method: "POST", body: { id: going.id, text } }));
    setText("");
  });
  const submit = (event) => {
    event.preventDefault();
    hand.run();
  };
  return html`<p><${Out} url=${going.url} class="button primary">Open the sign-in page<//></p>
    <form class="stack" onSubmit=${submit}>
      <${Trouble} error=${hand.error} />
      <${Field} label="Address you land on" isMono value=${text} onInput=${setText} autocomplete="off"
        hint="Only if the last page does not load, as when the gateway runs on another machine: paste its whole address, or the code." />
      <div><${Button} type="submit" isBusy=${hand.isBusy} disabled=${!text.trim()}>Use this address<//></div>
    </form>`;
}

function Out({ url, class: more = "", children }) {
  return isLink(url) ? html`<a href=${url} class=${more} target="_blank" rel="noopener noreferrer">${children}<span class="unseen"> (in a new tab)</span></a>` : html`<span class="mono">${url}</span>`;
}

function Plugin({ way, info }) {
  const command = way.plugin ? `jackfield plugins enable ${way.plugin}` : `jackfield models auth login --provider ${info.id}`;
  return html`<${Notice} title=${way.plugin ? "This sign-in belongs to a plugin that is off." : "This sign-in is a plugin’s own, and asks on a terminal."} action=${html`<${Copy} text=${command} />`}>
    Run <code>${command}</code>${way.plugin ? ", then come back." : "."}
  <//>`;
}
