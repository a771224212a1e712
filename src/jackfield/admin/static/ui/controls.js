// What a person presses and fills in. Each control is tied to its label, hint and error by ids.

import { html, useEffect, useId, useRef, useState } from "./core.js";
import { Icon } from "./icon.js";
import { toast } from "./toast.js";

const COPIED_MS = 1600;

/**
 * A button. tone: plain, primary, danger, quiet; `icon` names a drawing; `label` says what an icon alone does.
 * While `isBusy` it keeps the focus and ignores presses.
 */
export function Button({ tone = "plain", type = "button", icon, label, isBusy, isSmall, onClick, class: more = "", children, ...rest }) {
  const names = ["button", tone, isSmall && "small", !children && "bare", more].filter(Boolean).join(" ");
  const press = (event) => (isBusy ? event.preventDefault() : onClick?.(event));
  return html`<button type=${type} class=${names} aria-label=${label} title=${label} aria-disabled=${isBusy ? "true" : undefined}
    aria-busy=${isBusy ? "true" : undefined} onClick=${press} ...${rest}>
    ${isBusy ? html`<span class="spinner" aria-hidden="true"></span>` : icon && html`<${Icon} name=${icon} />`}${children}
  </button>`;
}

/** A label, a control, a hint and an error that belong together; `control(ids)` draws the control with those attributes. */
export function Labelled({ label, hint, error, aside, class: more = "", isHidden, control }) {
  const id = useId("field");
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const ids = { id, "aria-describedby": described, "aria-invalid": error ? "true" : undefined };
  return html`<div class="field ${more}">
    <div class="field-head">
      <label for=${id} class=${isHidden ? "unseen" : ""}>${label}</label>${aside}
    </div>
    ${control(ids)}
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${error && html`<p class="error" id="${id}-error"><${Icon} name="alert" />${error}</p>`}
  </div>`;
}

/**
 * A line of text, or several with `rows`. onInput gets the text. isMono for names, URLs, code; `suffix` says the unit;
 * isHidden hides the label from the eye alone; other attributes go to the input.
 */
export function Field({ label, hint, error, aside, value, onInput, type = "text", rows, isMono, isHidden, suffix, class: more, ...rest }) {
  const typed = (event) => onInput?.(event.currentTarget.value, event);
  const look = { class: isMono ? "input mono" : "input", value: value ?? "", onInput: typed, spellcheck: !isMono, ...rest };
  const control = (ids) => {
    if (rows) {
      return html`<textarea rows=${rows} ...${look} ...${ids}></textarea>`;
    }
    const input = html`<input type=${type} ...${look} ...${ids} />`;
    return suffix ? html`<div class="with-suffix">${input}<span class="suffix">${suffix}</span></div>` : input;
  };
  return html`<${Labelled} ...${{ label, hint, error, aside, isHidden, control, class: more }} />`;
}

/** A choice of few: options are texts, or {value, label, disabled}. onChange gets the value. */
export function Select({ label, hint, error, aside, value, onChange, options, isHidden, class: more, ...rest }) {
  const control = (ids) => html`<div class="select">
    <select class="input" value=${value} onChange=${(event) => onChange(event.currentTarget.value)} ...${rest} ...${ids}>
      ${options.map((each) => {
        const { value: own, label: text, disabled } = typeof each === "string" ? { value: each, label: each } : each;
        return html`<option value=${own} disabled=${disabled} selected=${own === value}>${text}</option>`;
      })}
    </select>
    <${Icon} name="chevron" />
  </div>`;
  return html`<${Labelled} ...${{ label, hint, error, aside, isHidden, control, class: more }} />`;
}

/** On or off, at once. onChange gets true or false. */
export function Switch({ label, hint, checked, onChange, disabled, ...rest }) {
  const id = useId("switch");
  return html`<div class="switch">
    <input type="checkbox" role="switch" id=${id} checked=${checked} disabled=${disabled}
      aria-describedby=${hint ? `${id}-hint` : undefined} onChange=${(event) => onChange(event.currentTarget.checked)} ...${rest} />
    <label for=${id}>${label}</label>
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
  </div>`;
}

/** A tick among others, in a form. onChange gets true or false. */
export function Check({ label, checked, onChange, ...rest }) {
  return html`<label class="check">
    <input type="checkbox" checked=${checked} onChange=${(event) => onChange(event.currentTarget.checked)} ...${rest} /><span>${label}</span>
  </label>`;
}

/** A button that copies a text and says so. */
export function Copy({ text, label = "Copy", isSmall = true, isBare }) {
  const [isCopied, setCopied] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      toast("The browser does not let this page copy: select the text and copy it yourself.", "warn");
      return;
    }
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), COPIED_MS);
  };
  const icon = isCopied ? "check" : "copy";
  return html`<${Button} tone="quiet" isSmall=${isSmall} icon=${icon} onClick=${copy} label=${isBare ? label : undefined}>
    ${isBare ? null : isCopied ? "Copied" : label}
  <//><span class="unseen" role="status">${isCopied ? "Copied" : ""}</span>`;
}
