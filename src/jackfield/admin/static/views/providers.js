// Providers.

import { Empty, html, Page } from "../ui.js";

/** The view. */
export default function Providers() {
  return html`<${Page} title="Providers" about="Where models come from, and with which credential."><${Empty} title="Nothing here yet" /><//>`;
}
