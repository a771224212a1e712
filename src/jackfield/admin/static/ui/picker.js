// A field that finds one of many by few letters: a combobox with a list, as ARIA describes it.

import { Labelled } from "./controls.js";
import { html, useEffect, useId, useMemo, useRef, useState } from "./core.js";
import { search } from "./format.js";

const MOST = 60;

/**
 * options: texts, or {value, label, note}. onChange gets a value. With isFree a text that is no option counts too
 * (onChange is called as it is typed); else leaving the field puts the chosen one back.
 */
export function Picker({ label, hint, error, value, onChange, options, isFree, isHidden, placeholder, class: more, ...rest }) {
  const [typed, setTyped] = useState(null); // null: nothing typed since the last choice
  const [at, setAt] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const id = useId("picker");
  const list = useRef(null);
  const all = useMemo(() => options.map((each) => (typeof each === "string" ? { value: each, label: each } : each)), [options]);
  const found = useMemo(() => search(typed ?? "", all, (each) => `${each.label} ${each.note ?? ""}`).slice(0, MOST), [all, typed]);
  const shown = typed ?? all.find((each) => each.value === value)?.label ?? value ?? "";
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at, isOpen]);
  const close = () => {
    setOpen(false);
    setTyped(null);
  };
  const choose = (option) => {
    close();
    onChange(option.value);
  };
  const type = (event) => {
    setTyped(event.currentTarget.value);
    setAt(0);
    setOpen(true);
    if (isFree) {
      onChange(event.currentTarget.value);
    }
  };
  const press = (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) {
      event.preventDefault();
      setAt(isOpen ? Math.max(0, Math.min(found.length - 1, at + steps[event.key])) : 0);
      setOpen(true);
    } else if (event.key === "Enter" && isOpen && found[at]) {
      event.preventDefault();
      choose(found[at]);
    } else if (event.key === "Escape" && isOpen) {
      // Escape closes the list, and not the dialog around it.
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  const control = (ids) => html`<div class="picker">
    <input type="text" role="combobox" class="input" autocomplete="off" spellcheck=${false} aria-autocomplete="list" aria-expanded=${isOpen ? "true" : "false"}
      aria-controls="${id}-list" aria-activedescendant=${isOpen && found[at] ? `${id}-${at}` : undefined} placeholder=${placeholder}
      value=${shown} onInput=${type} onKeyDown=${press} onClick=${() => setOpen(true)} onBlur=${close} ...${rest} ...${ids} />
    <ul role="listbox" id="${id}-list" class="options" ref=${list} hidden=${!isOpen} aria-label="Choices">
      ${isOpen && found.length === 0 ? html`<li class="no-option" role="presentation">${isFree ? "Not listed; taken as typed" : "Nothing fits"}</li>` : null}
      ${isOpen &&
      found.map(
        (option, index) => html`<li role="option" id="${id}-${index}" key=${option.value} class="option" aria-selected=${index === at ? "true" : "false"}
          onMouseDown=${(event) => event.preventDefault()} onClick=${() => choose(option)}>
          <span>${option.label}</span>${option.note && html`<span class="note">${option.note}</span>`}
        </li>`,
      )}
    </ul>
  </div>`;
  return html`<${Labelled} ...${{ label, hint, error, isHidden, control, class: more }} />`;
}
