// Routes: which way a request takes, what rests, and what became of the latest calls.

import { html, Page, Tabs, useStyle } from "../ui.js";
import { Calls } from "./routes/calls.js";
import { Health } from "./routes/health.js";
import { Plan } from "./routes/plan.js";

const TABS = { plan: { name: "Plan", Shown: Plan }, health: { name: "Health", Shown: Health }, calls: { name: "Calls", Shown: Calls } };

/** The view. `?tab=` names what is shown; the plan takes `?model=`, the calls `?outcome=`, `?model=` and `?key=`. */
export default function Routes({ query, go }) {
  useStyle("views/routes.css");
  useStyle("views/meter.css");
  const tab = query.tab in TABS ? query.tab : "plan";
  const { Shown } = TABS[tab];
  const tabs = Object.entries(TABS).map(([key, { name }]) => ({ key, name }));
  return html`<${Page} title="Routes" about="Which way a request takes, and what failed lately." class="routes">
    <${Tabs} label="Routes" tabs=${tabs} value=${tab} onChange=${(key) => go("routes", { tab: key })}>
      <${Shown} key=${tab} query=${query} go=${go} />
    <//>
  <//>`;
}
