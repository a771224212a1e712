// Config.

import { Empty, html, Page } from "../ui.js";

/** The view. */
export default function Config() {
  return html`<${Page} title="Config" about="The file behind this page."><${Empty} title="Nothing here yet" /><//>`;
}
