// Usage: what was asked, how long it took and what it cost; and the keys of those who ask.

import { html, Page, Tabs, useStyle } from "../ui.js";
import { Keys } from "./usage/keys.js";
import { Spend } from "./usage/spend.js";

const TABS = { use: { name: "Over time", Shown: Spend }, keys: { name: "Gateway keys", Shown: Keys } };

/** The view. `?tab=keys` shows the keys; `?by=`, `?days=`, `?step=`, `?from=` and `?to=` say what is summed. */
export default function Usage({ query, go }) {
  useStyle("views/usage.css");
  useStyle("views/meter.css");
  const tab = query.tab in TABS ? query.tab : "use";
  const { Shown } = TABS[tab];
  const tabs = Object.entries(TABS).map(([key, { name }]) => ({ key, name }));
  return html`<${Page} title="Usage" about="What was asked, how long it took and what it cost." class="usage">
    <${Tabs} label="Usage" tabs=${tabs} value=${tab} onChange=${(key) => go("usage", { ...query, tab: key === "use" ? "" : key })}>
      <${Shown} key=${tab} query=${query} go=${go} />
    <//>
  <//>`;
}
