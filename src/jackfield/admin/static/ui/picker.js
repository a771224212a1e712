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
  const id = useId("picker");
  const choice = useChoice({ value, onChange, options, isFree });
  const { found, at, isOpen } = choice;
  const control = (ids) => html`<div class="picker">
    <input type="text" role="combobox" class="input" autocomplete="off" spellcheck=${false} aria-autocomplete="list" aria-expanded=${isOpen ? "true" : "false"}
      aria-controls="${id}-list" aria-activedescendant=${isOpen && found[at] ? `${id}-${at}` : undefined} placeholder=${placeholder}
      value=${choice.shown} onInput=${choice.type} onKeyDown=${choice.press} onClick=${choice.open} onBlur=${choice.close} ...${rest} ...${ids} />
    <${Options} ...${{ id, isFree, ...choice }} />
  </div>`;
  return html`<${Labelled} ...${{ label, hint, error, isHidden, control, class: more }} />`;
}

function Options({ id, found, at, isOpen, isFree, choose }) {
  const list = useRef(null);
  useEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at, isOpen]);
  return html`<ul role="listbox" id="${id}-list" class="options" ref=${list} hidden=${!isOpen} aria-label="Choices">
    ${isOpen && found.length === 0 ? html`<li class="no-option" role="presentation">${isFree ? "Not listed; taken as typed" : "Nothing fits"}</li>` : null}
    ${isOpen &&
    found.map(
      (option, index) => html`<li role="option" id="${id}-${index}" key=${option.value} class="option" aria-selected=${index === at ? "true" : "false"}
        onMouseDown=${(event) => event.preventDefault()} onClick=${() => choose(option)}>
        <span>${option.label}</span>${option.note && html`<span class="note">${option.note}</span>`}
      </li>`,
    )}
  </ul>`;
}

// What is typed and what of the options it finds; which of these is marked, and whether they are shown.
function useChoice({ value, onChange, options, isFree }) {
  const [typed, setTyped] = useState(null); // null: nothing typed since the last choice
  const [at, setAt] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const all = useMemo(() => options.map((each) => (typeof each === "string" ? { value: each, label: each } : each)), [options]);
  const found = useMemo(() => search(typed ?? "", all, (each) => `${each.label} ${each.note ?? ""}`).slice(0, MOST), [all, typed]);
  const shown = typed ?? all.find((each) => each.value === value)?.label ?? value ?? "";
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
  const move = (step) => {
    setAt(isOpen ? Math.max(0, Math.min(found.length - 1, at + step)) : 0);
    setOpen(true);
  };
  const press = (event) => pressIn(event, { isOpen, move, close, choose: found[at] && (() => choose(found[at])) });
  return { shown, found, at, isOpen, open: () => setOpen(true), close, choose, type, press };
}

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

function pressIn(event, { isOpen, move, close, choose }) {
  if (event.key in STEPS) {
    event.preventDefault();
    move(STEPS[event.key]);
  } else if (event.key === "Enter" && isOpen && choose) {
    event.preventDefault();
    choose();
  } else if (event.key === "Escape" && isOpen) {
    // Escape closes the list, and not the dialog around it.
    event.preventDefault();
    event.stopPropagation();
    close();
  }
}
