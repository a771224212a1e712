// What is said beside the question.

import { Button, Field, html, Select } from "../../ui.js";
import { LEVELS, SETTINGS } from "./request.js";
import { change } from "./talk.js";

const UNSAID = { value: "", label: "as the model does" };
const CHOICES = [{ value: "", label: "as the model likes" }, { value: "required", label: "at least one" }, { value: "none", label: "none" }];
const TOOL = `[{
  "name": "weather",
  "description": "The weather of a city",
  "parameters": {
    "type": "object",
    "properties": { "city": { "type": "string" } },
    "required": ["city"]
  }
}]`;
const SCHEMA = `{
  "type": "object",
  "properties": { "city": { "type": "string" } },
  "required": ["city"],
  "additionalProperties": false
}`;

/** The panel; `errors` names what is wrong with a setting. */
export function Settings({ settings, errors }) {
  const set = (name) => (value) => change({ settings: { ...settings, [name]: value } });
  const field = (name) => ({ value: settings[name], onInput: set(name), error: errors[name] });
  const isUntouched = Object.keys(SETTINGS).every((name) => settings[name] === SETTINGS[name]);
  return html`<div class="settings">
    <${Field} label="System prompt" rows=${4} ...${field("system")} placeholder="How the model should behave" />
    <div class="pair">
      <${Field} label="Temperature" inputmode="decimal" placeholder="0 to 2" ...${field("temperature")} />
      <${Field} label="Longest answer" inputmode="numeric" suffix="tokens" ...${field("maxTokens")} />
    </div>
    <${Select} label="Thinking" options=${[UNSAID, ...LEVELS]} value=${settings.thinking} onChange=${set("thinking")} />
    <details>
      <summary>Tools${settings.tools.trim() && html` <span class="soft">· set</span>`}</summary>
      <div class="stack">
        <${Field} label="Functions" rows=${8} isMono ...${field("tools")} placeholder=${TOOL}
          hint="What the model may call, as JSON: name, description, parameters. You type each result." aside=${example(settings.tools, () => set("tools")(TOOL))} />
        <${Select} label="Calls" options=${CHOICES} value=${settings.toolChoice} onChange=${set("toolChoice")} />
      </div>
    </details>
    <details>
      <summary>JSON answer${settings.schema.trim() && html` <span class="soft">· set</span>`}</summary>
      <${Field} label="JSON Schema" rows=${8} isMono ...${field("schema")} placeholder=${SCHEMA}
        hint=${html`<code>{}</code> asks for any JSON object.`} aside=${example(settings.schema, () => set("schema")(SCHEMA))} />
    </details>
    <details>
      <summary>More</summary>
      <div class="stack">
        <${Field} label="Fallbacks" rows=${2} isMono ...${field("fallbacks")} hint="Models to ask when the first fails, one a line." />
        <div class="pair">
          <${Field} label="Top p" inputmode="decimal" placeholder="0 to 1" ...${field("topP")} />
          <${Field} label="Seed" inputmode="numeric" ...${field("seed")} />
        </div>
        <${Field} label="Stop at" rows=${2} isMono ...${field("stop")} hint="Words that end the answer, one a line." />
      </div>
    </details>
    <div class="row"><${Button} tone="quiet" isSmall icon="undo" disabled=${isUntouched} onClick=${() => change({ settings: { ...SETTINGS } })}>Reset settings<//></div>
  </div>`;
}

function example(said, use) {
  return said.trim() === "" && html`<${Button} tone="quiet" isSmall onClick=${use}>Example<//>`;
}
