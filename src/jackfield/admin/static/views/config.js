// Config: the text, what is wrong with it, and what it was before.

import { ask, edit } from "../api.js";
import { ConflictDialog } from "./config/conflict.js";
import { begin, draft, edited, textOf, type } from "./config/draft.js";
import { Editor } from "./config/editor.js";
import { Faults, useCheck } from "./config/faults.js";
import { History } from "./config/history.js";
import { Busy, Button, Card, confirm, Dialog, Diff, html, Notice, Page, Tabs, toast, Trouble, useAction, useAsk, useEffect, useId, useState, useStore, useStyle } from "../ui.js";

/** The view. */
export default function Config() {
  useStyle("views/config.css");
  const { data, error, reload } = useAsk("config/text");
  const now = useStore(draft);
  const changes = edited(now);
  const isOther = Boolean(data && now.hash && data.hash !== now.hash);
  useEffect(() => {
    if (data && (!now.hash || (isOther && changes.length === 0))) {
      begin(data);
    }
  }, [data]);
  return html`<${Page} title="Config" about=${now.path ? html`<span class="config-path">${now.path}</span>` : "The file behind this page."}>
    <${Trouble} error=${error} onRetry=${reload} />
    ${!now.hash && !error && html`<${Busy} />`}
    ${now.hash && html`<${Text} now=${now} changes=${changes} asRead=${data ?? { issues: [], warnings: [] }} isOther=${isOther && changes.length > 0} />`}
    <${History} />
  <//>`;
}

function Text({ now, changes, asRead, isOther }) {
  const [path, setPath] = useState(now.files[0].path);
  const [spot, setSpot] = useState(null);
  const [review, setReview] = useState(null);
  const [isTorn, setTorn] = useState(false);
  const id = useId("faults");
  const current = now.files.some((file) => file.path === path) ? path : now.files[0].path;
  const found = useCheck(now.hash, changes, asRead);
  const own = (each) => each.line && sameFile(each.file, current);
  const marks = [...found.issues.filter(own).map(({ line }) => ({ line, tone: "bad" })), ...found.warnings.filter(own).map(({ line }) => ({ line, tone: "warn" }))];
  const show = (fault) => {
    setPath(now.files.find((file) => sameFile(fault.file, file.path))?.path ?? current);
    setSpot({ line: fault.line, column: fault.column });
  };
  const look = useAction(async () => {
    const said = await ask("config/check", { method: "POST", body: { files: changes } });
    if (said.issues.length > 0) {
      show(said.issues[0]);
      toast(`Not saved: ${said.issues[0].message}`, "bad");
    } else if (said.hash !== now.hash) {
      setTorn(true);
    } else {
      setReview(said);
    }
  });
  const discard = async () => {
    if (await confirm({ title: "Discard your changes?", text: "The editor then shows the config as it is.", action: "Discard", tone: "danger" })) {
      begin(now);
    }
  };
  const editor = html`<${Editor} label="Text of ${nameOf(now, current)}" value=${textOf(now, current)} onInput=${(text) => type(current, text)}
    marks=${marks} spot=${spot} isBad=${marks.some((mark) => mark.tone === "bad")} describedBy=${id} />`;
  const foot = html`<${Button} tone="primary" disabled=${changes.length === 0} isBusy=${look.isBusy} onClick=${look.run}>Review and save<//>
    <${Button} disabled=${changes.length === 0} onClick=${discard}>Discard changes<//>
    <span class="hint" role="status">${changes.length === 0 ? "Not changed" : `Changed, not saved: ${changes.map((each) => nameOf(now, each.path)).join(", ")}`}</span>`;
  const tear = html`<${Button} isSmall onClick=${() => setTorn(true)}>See what changed<//>`;
  return html`<${Card} title="Text" about="Keys are shown as ••••… kept. Leave such a word and the key stays; type over it to replace the key." footer=${foot}>
    ${isOther && html`<${Notice} tone="warn" title="The config was changed elsewhere while you were writing." action=${tear}>Your text stays here. Put it on top of the new one, or take theirs.<//>`}
    <${Trouble} error=${look.error ?? found.error} />
    ${now.files.length > 1 ? html`<${Tabs} label="Files" tabs=${now.files.map((file) => ({ key: file.path, name: file.name }))} value=${current} onChange=${setPath}>${editor}<//>` : editor}
    <${Faults} id=${id} issues=${found.issues} warnings=${found.warnings} onShow=${show} />
    ${review && html`<${Review} said=${review} now=${now} changes=${changes} onClose=${() => setReview(null)} onConflict=${() => setTorn(true)} onFault=${show} />`}
    ${isTorn && html`<${ConflictDialog} draft=${now} onClose=${() => setTorn(false)} />`}
  <//>`;
}

function Review({ said, now, changes, onClose, onConflict, onFault }) {
  const save = useAction(async () => {
    try {
      const done = await edit("config/text", { files: changes }, "POST", now.hash);
      begin(await ask("config/text"));
      toast(done.trouble ? `Saved, but the gateway keeps the config before: ${done.trouble}` : "Saved. New requests use it.", done.trouble ? "warn" : "ok");
      onClose();
    } catch (error) {
      if (error.status !== 409) {
        throw error;
      }
      onClose();
      onConflict();
    }
  });
  const actions = html`<${Button} onClick=${onClose}>Back to the text<//><${Button} tone="primary" isBusy=${save.isBusy} onClick=${save.run}>Save<//>`;
  return html`<${Dialog} title="Save these changes?" onClose=${onClose} actions=${actions} isWide>
    <${Trouble} error=${save.error} />
    ${said.diff ? html`<${Diff} label="What changes" text=${said.diff} />` : html`<p class="hint">What can be shown of the text stays the same.</p>`}
    ${said.warnings.length > 0 &&
    html`<${Notice} tone="warn" title="Saved all the same, but look at this:">
      <ul class="plain">${said.warnings.map((each, at) => html`<li key=${at}>${each.message}</li>`)}</ul>
    <//>`}
  <//>`;
}

function nameOf(now, path) {
  return now.files.find((file) => file.path === path)?.name ?? path;
}

// Warnings name a file in short.
function sameFile(name, path) {
  return name === path || (name !== "" && path.endsWith(`/${name}`));
}
