// A text with line numbers. The browser's own field, so that finding, undoing and assistive tools work in it.

import { html, Icon, useId, useLayoutEffect, useRef, useState } from "../../ui.js";

const INDENT = "  ";
const EXAMPLE = `// Nothing is set up here yet. For example:
{
  agents: { defaults: { model: { primary: "openai/gpt-5.2" } } },
  models: { providers: { openai: { apiKey: "\${OPENAI_API_KEY}" } } },
}`;
const ABOVE = 4; // lines that stay in sight above the one that is jumped to

/** marks: [{line, tone}]; `spot` {line, column} moves the caret there whenever it is another object. */
export function Editor({ label, value, onInput, marks, spot, isBad, describedBy }) {
  const field = useRef(null);
  const gutter = useRef(null);
  const layer = useRef(null);
  const [isFree, setFree] = useState(false); // Tab leaves the editor
  const id = useId("editor");
  const lines = value.split("\n").length;
  const follow = () => {
    gutter.current.scrollTop = field.current.scrollTop;
    layer.current.style.transform = `translateY(${-field.current.scrollTop}px)`;
  };
  useLayoutEffect(() => {
    if (spot) {
      jump(field.current, spot);
      follow();
    }
  }, [spot]);
  useLayoutEffect(follow, [value]);
  const press = (event) => {
    if (event.key === "Escape") {
      setFree(true);
    } else if (event.key === "Tab" && !event.shiftKey && !isFree) {
      event.preventDefault();
      insert(event.currentTarget, INDENT);
    } else if (event.key !== "Tab" && event.key !== "Shift") {
      setFree(false);
    }
  };
  return html`<div class="editor">
    <pre class="editor-lines" ref=${gutter} aria-hidden="true">${Array.from({ length: lines }, (_, at) => at + 1).join("\n")}</pre>
    <div class="editor-field">
      <div class="editor-marks" aria-hidden="true"><div ref=${layer}>
        ${marks.map(({ line, tone }) => html`<div key="${tone}${line}" class="editor-mark ${tone}" ref=${(mark) => mark && (mark.style.top = `calc(var(--line-height) * ${line - 1})`)}></div>`)}
      </div></div>
      <textarea ref=${field} class="editor-text" aria-label=${label} wrap="off" spellcheck="false" autocomplete="off" autocapitalize="off"
        aria-invalid=${isBad ? "true" : undefined} aria-describedby="${id}-hint ${describedBy}" placeholder=${EXAMPLE} value=${value}
        onInput=${(event) => onInput(event.currentTarget.value)} onKeyDown=${press} onScroll=${follow} onBlur=${() => setFree(false)}></textarea>
    </div>
    <p class="hint editor-hint" id="${id}-hint"><${Icon} name="info" /> ${isFree ? "Tab leaves the editor now." : "Tab indents. Press Escape, then Tab, to leave the editor."}</p>
  </div>`;
}

function jump(field, { line, column }) {
  const before = field.value.split("\n").slice(0, line - 1);
  const at = before.join("\n").length + (before.length ? 1 : 0);
  const end = field.value.indexOf("\n", at);
  field.focus({ preventScroll: true });
  field.setSelectionRange(Math.min(at + Math.max(0, column - 1), end < 0 ? field.value.length : end), end < 0 ? field.value.length : end);
  field.scrollTop = Math.max(0, line - 1 - ABOVE) * parseFloat(getComputedStyle(field).lineHeight);
  field.closest(".editor").scrollIntoView({ block: "nearest" });
}

// The old command keeps the browser's own undo, which nothing newer does.
function insert(field, text) {
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
