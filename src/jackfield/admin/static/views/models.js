// Models.

import { Empty, html, Page } from "../ui.js";

/** The view. */
export default function Models() {
  return html`<${Page} title="Models" about="Every model a provider offers, and what it is used for."><${Empty} title="Nothing here yet" /><//>`;
}
