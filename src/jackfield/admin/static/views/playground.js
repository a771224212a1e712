// Playground.

import { Empty, html, Page } from "../ui.js";

/** The view. */
export default function Playground() {
  return html`<${Page} title="Playground" about="Try a model, or two side by side."><${Empty} title="Nothing here yet" /><//>`;
}
