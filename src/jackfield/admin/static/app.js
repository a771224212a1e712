// The page as a whole: which view is shown, who is signed in, what lies over everything.

import { closeSession, configVersion, gateway, openSession, refresh, session, setPerson, signIn } from "./api.js";
import { Banner, ConflictDialog, Header, SignInDialog } from "./shell.js";
import { makeStore } from "./store.js";
import { Busy, html, Layers, Notice, Page, render, Button, toast, useEffect, useErrorBoundary, useState, useStore } from "./ui.js";

/** The views, in the order of the navigation; each is views/<name>.js. */
const VIEWS = {
  providers: "Providers",
  models: "Models",
  playground: "Playground",
  routes: "Routes",
  usage: "Usage",
  config: "Config",
};
const POLL_MS = 5000;
const HIDDEN_POLL_MS = 60_000;

const place = makeStore(readPlace());
const asked = makeStore(null); // what a person has to decide: {kind, …, answer}
const loaded = {};

/** Go to a view: go("models", {needle: "gpt"}). */
function go(name, query = {}) {
  const behind = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== "")).toString();
  location.hash = `/${name}${behind ? `?${behind}` : ""}`;
}

function readPlace() {
  const [path, behind = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { name: path in VIEWS ? path : Object.keys(VIEWS)[0], query: Object.fromEntries(new URLSearchParams(behind)) };
}

function askPerson(question) {
  return new Promise((resolve, reject) => {
    const end = (settle) => (value) => {
      asked.write(null);
      settle(value);
    };
    asked.write({ ...question, done: end(resolve), refuse: end(reject) });
  });
}

function App() {
  const { name, query } = useStore(place);
  const question = useStore(asked);
  return html`<a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Header} views=${VIEWS} current=${name} onSignOut=${leave} onSignIn=${enter} />
    <${Banner} />
    <main id="main" class="main" tabindex="-1"><${View} key=${name} ...${{ name, query }} /></main>
    ${question?.kind === "signIn" && html`<${SignInDialog} ...${question} open=${openSession} />`}
    ${question?.kind === "conflict" && html`<${ConflictDialog} ...${question} />`}
    <${Layers} />`;
}

// A link to #main would be taken for a view's address.
function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function View({ name, query }) {
  const { isDown } = useStore(gateway);
  const [, draw] = useState(0);
  const [tries, setTries] = useState(1);
  const [failed, setFailed] = useState(null);
  const [broken] = useErrorBoundary((error) => console.error(error));
  useEffect(() => {
    let isHere = true;
    // Another address: a browser may keep that the first one failed.
    loaded[name] ??
      import(`./views/${name}.js${tries > 1 ? `?try=${tries}` : ""}`).then(
        (module) => {
          loaded[name] = module.default;
          setFailed(null);
          return isHere && draw(tries);
        },
        (error) => isHere && setFailed(error),
      );
    return () => {
      isHere = false;
    };
  }, [tries]);
  useEffect(() => {
    if (failed && !isDown) {
      setTries(tries + 1);
    }
  }, [isDown]);
  const trouble = broken ?? failed;
  if (failed && isDown) {
    return html`<${Page} title=${VIEWS[name]}><${Notice} tone="bad" title="The gateway does not answer.">This view comes by itself when the gateway is back.<//><//>`;
  }
  if (trouble) {
    const again = html`<${Button} onClick=${() => location.reload()}>Load the page anew<//>`;
    return html`<${Page} title=${VIEWS[name]}><${Notice} tone="bad" title="This view failed." action=${again}>${String(trouble.message ?? trouble)}<//><//>`;
  }
  const Shown = loaded[name];
  return Shown ? html`<${Shown} query=${query} go=${go} />` : html`<${Busy} />`;
}

// What was refused while nobody was signed in is asked anew.
function enter() {
  signIn().then(
    () => {
      configVersion.write(configVersion.read() + 1);
      return refresh(true);
    },
    () => null,
  );
}

function leave() {
  closeSession();
  location.reload();
}

// A refusal is drawn where the call was made; the next look comes by itself.
async function watch() {
  for (;;) {
    await refresh(true).catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? HIDDEN_POLL_MS : POLL_MS));
  }
}

// The code of `jackfield gateway --open` is out of the address, and of the history, before it is used.
function takeCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) {
    history.replaceState(null, "", `${location.pathname}#/providers`);
    place.write(readPlace());
    signIn(() => openSession({ code }).catch((trouble) => askPerson({ kind: "signIn", trouble })));
  }
}

setPerson({
  signIn: () => askPerson({ kind: "signIn", isAgain: session.read() === "" && wasIn }),
  resolve: (conflict) => askPerson({ kind: "conflict", conflict }),
  tellChanged: () => toast("The config was changed elsewhere. This page shows it as it is now.", "info"),
});
let wasIn = session.read() !== "";
session.watch((token) => {
  wasIn ||= token !== "";
});
addEventListener("hashchange", () => place.write(readPlace()));
addEventListener("visibilitychange", () => document.hidden || refresh(true).catch(() => null));
takeCode();
render(html`<${App} />`, document.getElementById("app"));
watch();
