// Another key in the place of one that is there.

import { ask, edit } from "../../api.js";
import { Button, Dialog, Field, html, toast, Trouble, useAction, useState } from "../../ui.js";
import { sayPlace } from "./words.js";

/** Asks for the key that takes a stored or configured one's place. */
export function KeyDialog({ card, credential, onClose, onDone }) {
  const [key, setKey] = useState("");
  const [missing, setMissing] = useState("");
  const isStored = credential.kind === "profile";
  const save = useAction(async () => {
    if (isStored) {
      const choice = ""; // of the same kind as the one it replaces
      const said = await ask("providers/key", { method: "POST", body: { provider: card.id, choice, key, profileId: credential.profileId, replaces: true } });
      said.warnings.forEach((text) => toast(text, "warn"));
    } else {
      await edit("providers/key/config", { provider: card.id, key });
    }
    toast(`The key of ${card.name} is replaced.`);
    onDone();
  });
  const submit = () => {
    setMissing(key.trim() ? "" : "Paste the new key here");
    return key.trim() && save.run();
  };
  const actions = html`<${Button} onClick=${onClose}>Cancel<//><${Button} tone="primary" type="submit" isBusy=${save.isBusy}>Replace<//>`;
  return html`<${Dialog} title="Replace ${sayPlace(credential)}" onClose=${onClose} onSubmit=${submit} actions=${actions}>
    <${Trouble} error=${save.error} />
    <${Field} label="New key for ${card.name}" type="password" isMono autocomplete="off" autofocus value=${key} onInput=${setKey} error=${missing}
      hint=${isStored ? "It is kept in the credential store and shown masked from now on." : "It stands in the config, where the old one is."} />
  <//>`;
}
