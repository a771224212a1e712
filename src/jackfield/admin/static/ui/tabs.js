// Tabs: one in the tab order, arrows between them.

import { html, useId } from "./core.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

/** tabs: [{key, name}]; `value` is the chosen key, onChange gets another; children are its panel. */
export function Tabs({ tabs, value, onChange, label, children }) {
  const id = useId("tabs");
  const press = (event) => {
    const at = tabs.findIndex((tab) => tab.key === value);
    const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : at + STEPS[event.key];
    if (Number.isNaN(to)) {
      return;
    }
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    onChange(next.key);
    document.getElementById(`${id}-${next.key}`)?.focus();
  };
  return html`<div class="tabs">
    <div role="tablist" aria-label=${label} class="tab-list" onKeyDown=${press}>
      ${tabs.map(
        (tab) => html`<button type="button" role="tab" id="${id}-${tab.key}" key=${tab.key} class="tab"
          aria-selected=${tab.key === value ? "true" : "false"} aria-controls="${id}-panel"
          tabindex=${tab.key === value ? 0 : -1} onClick=${() => onChange(tab.key)}>${tab.name}</button>`,
      )}
    </div>
    <div role="tabpanel" id="${id}-panel" aria-labelledby="${id}-${value}" class="tab-panel">${children}</div>
  </div>`;
}
