// Routes.

import { Empty, html, Page } from "../ui.js";

/** The view. */
export default function Routes() {
  return html`<${Page} title="Routes" about="Which way a request takes, and what failed lately."><${Empty} title="Nothing here yet" /><//>`;
}
