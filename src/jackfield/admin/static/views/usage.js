// Usage.

import { Empty, html, Page } from "../ui.js";

/** The view. */
export default function Usage() {
  return html`<${Page} title="Usage" about="What was asked, how long it took and what it cost."><${Empty} title="Nothing here yet" /><//>`;
}
