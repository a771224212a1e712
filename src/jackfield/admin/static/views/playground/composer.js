// Where a question is written: words, files by drop, paste and button, send and stop.

import { bytes, Button, html, useEffect, useRef, useState } from "../../ui.js";
import { ACCEPT, MOST_BYTES, readFile } from "./attach.js";
import { change, send, stop } from "./talk.js";
import { FileChip } from "./turn.js";

/**
 * The foot of the conversation. `used` is how large the files of the conversation are already; `trouble` keeps from
 * sending; what is `missing` is told to who sends.
 */
export function Composer({ draft, isBusy, used, trouble, missing }) {
  const input = useRef(null);
  const { files, problems, size, add, remove, clear, setProblems } = useFiles(input);
  const isOver = used + size > MOST_BYTES;
  const isReady = !isBusy && !trouble && !isOver && (draft.trim() !== "" || files.length > 0);
  const isOverPage = useDrop(add);
  useEscape(stop, isBusy);
  useEffect(() => setProblems([]), [missing]);

  const submit = (event) => {
    event?.preventDefault();
    if (isReady && missing) {
      setProblems([missing]);
    } else if (isReady) {
      send(draft.trim(), files);
      clear();
    }
  };
  const over = isOver && `These files are ${bytes(used + size)} together; a request holds at most ${bytes(MOST_BYTES)}. Remove some, or start over.`;
  return html`<form class=${isOverPage ? "composer over" : "composer"} onSubmit=${submit}>
    ${isOverPage && html`<p class="drop-word">Drop files to attach them</p>`}
    ${files.length > 0 && html`<ul class="files" aria-label="Attached files">
      ${files.map((file) => html`<${FileChip} key=${file.id} file=${file} onRemove=${() => remove(file)} />`)}
    </ul>`}
    <div role="alert">${[...problems, over, trouble].filter(Boolean).map((each) => html`<p class="error">${each}</p>`)}</div>
    <${Question} ...${{ input, draft, submit, add }} />
    <div class="composer-foot">
      <${Attach} ...${{ add, size }} />
      <span id="question-keys" class="soft keys">Enter sends · Shift+Enter: new line · Escape stops</span>
      ${isBusy
        ? html`<${Button} icon="stop" onClick=${stop}>Stop<//>`
        : html`<${Button} type="submit" tone="primary" icon="send" disabled=${!isReady}>Send<//>`}
    </div>
  </form>`;
}

function Question({ input, draft, submit, add }) {
  const press = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  };
  const paste = (event) => {
    if (event.clipboardData.files.length) {
      event.preventDefault();
      add(event.clipboardData.files);
    }
  };
  return html`<label class="unseen" for="question">Question</label>
    <textarea id="question" ref=${input} class="input" rows="2" placeholder="Ask something" value=${draft} aria-describedby="question-keys"
      onInput=${(event) => change({ draft: event.currentTarget.value })} onKeyDown=${press} onPaste=${paste}></textarea>`;
}

function Attach({ add, size }) {
  const chooser = useRef(null);
  const take = (event) => {
    add(event.currentTarget.files);
    event.currentTarget.value = "";
  };
  return html`<input ref=${chooser} class="unseen" type="file" multiple accept=${ACCEPT} tabindex="-1" aria-label="Files to attach" onChange=${take} />
    <${Button} tone="quiet" icon="plus" onClick=${() => chooser.current.click()}>Attach files<//>
    ${size > 0 && html`<span class="soft">${bytes(size)} attached</span>`}`;
}

// The files of the next question, and what is wrong with those that could not be read.
function useFiles(input) {
  const [files, setFiles] = useState([]);
  const [problems, setProblems] = useState([]);
  const add = async (given) => {
    const read = await Promise.allSettled([...given].map(readFile));
    setFiles((old) => [...old, ...read.filter((each) => each.status === "fulfilled").map((each) => each.value)]);
    setProblems(read.filter((each) => each.status === "rejected").map((each) => each.reason.message));
    input.current?.focus();
  };
  const clear = () => {
    setFiles([]);
    setProblems([]);
  };
  const remove = (file) => setFiles((old) => old.filter((each) => each !== file));
  return { files, problems, size: files.reduce((sum, file) => sum + file.size, 0), add, remove, clear, setProblems };
}

// Files may be dropped anywhere on the view.
function useDrop(add) {
  const [isOver, setOver] = useState(false);
  const latest = useRef(add);
  latest.current = add;
  useEffect(() => {
    const leaving = new AbortController();
    const on = (name, take) => document.addEventListener(name, take, { signal: leaving.signal });
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    on("dragover", (event) => {
      if (hasFiles(event)) {
        event.preventDefault();
        setOver(true);
      }
    });
    on("dragleave", (event) => event.relatedTarget === null && setOver(false));
    on("drop", (event) => {
      if (hasFiles(event)) {
        event.preventDefault();
        setOver(false);
        latest.current(event.dataTransfer.files);
      }
    });
    return () => leaving.abort();
  }, []);
  return isOver;
}

// Escape belongs to an open dialog or list first.
function useEscape(act, isOn) {
  useEffect(() => {
    const press = (event) => event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]") && act();
    if (isOn) {
      document.addEventListener("keydown", press);
    }
    return () => document.removeEventListener("keydown", press);
  }, [isOn]);
}
