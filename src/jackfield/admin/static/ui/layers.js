// What lies over the page: dialogs and short words. Dialogs are the browser's own, so focus and Escape are its work.

import { makeStore } from "../store.js";
import { Button } from "./controls.js";
import { html, useEffect, useId, useLayoutEffect, useRef, useStore } from "./core.js";
import { Icon } from "./icon.js";
import { Said } from "./parts.js";
import { dismiss, toasts } from "./toast.js";

const WRITABLE = ".dialog-body :is(input, select, textarea):not([tabindex='-1'], :disabled)";
const questions = makeStore([]);
let made = 0;

/**
 * A dialog over the page, open as long as it is drawn. onClose is called by Escape and the cross; without it neither
 * closes it. `actions` stand at its foot; onSubmit makes it a form that Enter sends.
 */
export function Dialog({ title, onClose, onSubmit, actions, isWide, children }) {
  const box = useRef(null);
  const isGone = useOpened(box);
  const id = useId("dialog");
  const cancel = (event) => {
    // A dialog inside this one ends itself alone.
    if (event.target === box.current) {
      event.preventDefault();
      onClose?.();
    }
  };
  // A browser closes a dialog at a second Escape, whatever was said at the first.
  const closed = (event) => {
    if (event.target === box.current && !isGone.current) {
      onClose?.();
      setTimeout(() => isGone.current || box.current.open || box.current.showModal());
    }
  };
  const submit = (event) => {
    event.preventDefault();
    onSubmit(event);
  };
  const body = html`<div class="dialog-body">${children}</div>
    ${actions && html`<footer class="dialog-foot">${actions}</footer>`}`;
  return html`<dialog ref=${box} class=${isWide ? "dialog wide" : "dialog"} aria-labelledby=${id} onCancel=${cancel} onClose=${closed}>
    <header class="dialog-head">
      <h2 id=${id}>${title}</h2>
      ${onClose && html`<${Button} tone="quiet" isSmall icon="close" label="Close" onClick=${onClose} />`}
    </header>
    ${onSubmit ? html`<form onSubmit=${submit} novalidate>${body}</form>` : body}
  </dialog>`;
}

// Opens it as long as it is drawn, and gives the focus to the first field, also where that comes later; returns whether it is over.
function useOpened(box) {
  const isGone = useRef(false);
  const met = useRef(null); // the first field as it was last seen
  useLayoutEffect(() => {
    const before = document.activeElement;
    const own = box.current;
    own.showModal();
    (own.querySelector("[autofocus]") ?? own.querySelector(WRITABLE) ?? own.querySelector(".dialog-foot button"))?.focus();
    return () => {
      isGone.current = true;
      own.close();
      if (before?.isConnected) {
        before.focus({ preventScroll: true });
      }
    };
  }, []);
  useEffect(() => {
    const first = box.current.querySelector("[autofocus]");
    const isIdle = document.activeElement === box.current || document.activeElement?.closest(".dialog-head");
    if (first && first !== met.current && isIdle) {
      first.focus();
    }
    met.current = first;
  });
  return isGone;
}

// A question before something that cannot be taken back. tone of the yes: primary or danger.
function Confirm({ title, action = "Yes", refusal = "Cancel", tone = "primary", isBusy, onYes, onNo, children }) {
  const actions = html`<${Button} onClick=${onNo}>${refusal}<//><${Button} tone=${tone} isBusy=${isBusy} onClick=${onYes}>${action}<//>`;
  return html`<${Dialog} title=${title} onClose=${onNo} actions=${actions}>${children}<//>`;
}

/** Ask a person and return true or false: confirm({title, text, action, refusal, tone}). */
export function confirm(question) {
  return new Promise((resolve) => {
    const id = (made += 1);
    const answer = (isYes) => {
      questions.write(questions.read().filter((each) => each.id !== id));
      resolve(isYes);
    };
    questions.write([...questions.read(), { ...question, id, answer }]);
  });
}

/** Where `confirm` and `toast` are drawn; the shell has it once. */
export function Layers() {
  const asked = useStore(questions);
  const said = useStore(toasts);
  return html`${asked.map(
      ({ id, text, answer, ...rest }) =>
        html`<${Confirm} key=${id} ...${rest} onYes=${() => answer(true)} onNo=${() => answer(false)}>${text}<//>`,
    )}
    <div class="toasts" role="status" aria-live="polite">
      ${said.map(
        ({ id, text, tone }) => html`<div key=${id} class="toast ${tone}">
          <${Icon} name=${tone === "ok" ? "check" : tone === "info" ? "info" : "alert"} /><div><${Said} text=${text} /></div>
          <${Button} tone="quiet" isSmall icon="close" label="Dismiss" onClick=${() => dismiss(id)} />
        </div>`,
      )}
    </div>`;
}
