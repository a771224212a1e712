// Two wrote at the same text: what the other did, and putting both together.

import { ask } from "../../api.js";
import { begin, edited } from "./draft.js";
import { Busy, Button, Dialog, Diff, html, toast, Trouble, useAction, useEffect, useState } from "../../ui.js";

/** Put what is in the editor on top of the files as they are now: {now, texts, overlaps, diff}. */
async function mergeAll(draft) {
  const texts = {};
  let [now, overlaps, diff] = [null, 0, ""];
  for (const { path, text } of edited(draft)) {
    const base = draft.files.find((file) => file.path === path).text;
    now = await ask("config/merge", { method: "POST", body: { path, base, mine: text } });
    texts[path] = now.text;
    overlaps += now.overlaps.length;
    diff += now.diff;
  }
  return { now, texts, overlaps, diff };
}

/** Shows what was changed elsewhere; the text in the editor stays until one of both is chosen. */
export function ConflictDialog({ draft, onClose }) {
  const [merged, setMerged] = useState(null);
  const look = useAction(async () => setMerged(await mergeAll(draft)));
  useEffect(() => {
    look.run();
  }, []);
  const apply = () => {
    begin(merged.now, merged.texts);
    toast("Your changes stand on top of theirs now. Nothing is saved yet.", "info");
    onClose();
  };
  const take = () => {
    begin(merged.now);
    toast("The editor shows the config as it is.", "info");
    onClose();
  };
  const actions = html`<${Button} onClick=${onClose}>Decide later<//>
    <${Button} disabled=${!merged} onClick=${take}>Take theirs<//>
    <${Button} tone="primary" disabled=${!merged} onClick=${apply}>Put mine on top<//>`;
  return html`<${Dialog} title="The config was changed elsewhere" onClose=${onClose} actions=${actions} isWide>
    <p>Another page, a command or an editor saved it since you began. Your text is still here, and not saved.</p>
    <${Trouble} error=${look.error} onRetry=${look.run} />
    ${look.isBusy && html`<${Busy} />`}
    ${merged?.diff && html`<${Diff} label="What was changed elsewhere" text=${merged.diff} />`}
    ${merged?.overlaps > 0 &&
    html`<p class="hint">Both of you changed the same lines in ${merged.overlaps} ${merged.overlaps === 1 ? "place" : "places"}. On top, yours stand there; the difference is shown before you save, and theirs stay in the history.</p>`}
  <//>`;
}
