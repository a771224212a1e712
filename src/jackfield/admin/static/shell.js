// What is around every view: the header, the banner, signing in, and two who changed the same.

import { ApiError, gateway, session } from "./api.js";
import { Button, Dialog, Diff, Field, html, Icon, Trouble, useAction, useEffect, useRef, useState, useStore } from "./ui.js";

const THEMES = { auto: "as the system", light: "light", dark: "dark" };
const SIGNED_OUT = ["off", "Signed out"];
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };

/** Name, views, the gateway's state, theme and sign-out. */
export function Header({ views, current, onSignOut, onSignIn }) {
  const isIn = useStore(session) !== "";
  const nav = useRef(null);
  useEffect(() => {
    // The navigation of a narrow window scrolls.
    nav.current.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current]);
  return html`<header class="top">
    <a class="brand" href="#/providers">
      <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <path class="mark-jacks" d="M5 5v.01M12 5v.01M19 5v.01M5 12v.01M12 12v.01M19 12v.01M5 19v.01M12 19v.01M19 19v.01" />
        <path class="mark-cord" d="M5 5c0 10 14 4 14 14" />
      </svg>
      <span>Jackfield</span>
    </a>
    <nav class="nav" aria-label="Views" ref=${nav}>
      ${Object.entries(views).map(([name, title]) => html`<a key=${name} href="#/${name}" aria-current=${name === current ? "page" : undefined}>${title}</a>`)}
    </nav>
    <div class="top-end">
      <${State} />
      <${ThemeSwitch} />
      ${isIn
        ? html`<${Button} tone="quiet" isSmall onClick=${onSignOut}>Sign out<//>`
        : html`<${Button} tone="quiet" isSmall onClick=${onSignIn}>Sign in<//>`}
    </div>
  </header>`;
}

function State() {
  const { isDown, status } = useStore(gateway);
  const isIn = useStore(session) !== "";
  const [tone, word] = isIn || isDown ? sayState(isDown, status) : SIGNED_OUT;
  const about = status && `Version ${status.version}, ${status.workers} worker${status.workers === 1 ? "" : "s"}`;
  const open = tone === "ok" && status.openRequests;
  // How many are open changes all the time; who listens is told of the state alone.
  return html`<span class="state ${tone}" title=${about}>
    <span><span role="status">${word}</span>${open ? html`<span class="state-open">, ${open} open</span>` : null}</span>
  </span>`;
}

function sayState(isDown, status) {
  if (isDown) {
    return ["bad", "Not reachable"];
  }
  if (!status) {
    return ["off", "Gateway"];
  }
  if (status.isDraining) {
    return ["warn", "Ending"];
  }
  return status.configTrouble ? ["warn", "Running, old config"] : ["ok", "Running"];
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "auto");
  const turn = () => {
    const names = Object.keys(THEMES);
    const next = names[(names.indexOf(theme) + 1) % names.length];
    setTheme(next);
    try {
      localStorage.setItem("jackfield.theme", next);
    } catch {
      // Storage may be forbidden; then the theme lasts as long as the page.
    }
    if (next === "auto") {
      delete document.documentElement.dataset.theme;
    } else {
      document.documentElement.dataset.theme = next;
    }
  };
  return html`<${Button} tone="quiet" isSmall icon=${THEME_ICONS[theme]} label="Theme: ${THEMES[theme]}" onClick=${turn} />`;
}

/** What concerns every view: the gateway is away, or runs with an older config. */
export function Banner() {
  const { isDown, status } = useStore(gateway);
  const isOld = !isDown && status?.configTrouble;
  return html`<div class="banners">
    ${isDown && html`<p class="banner bad" role="alert"><span class="spinner" aria-hidden="true"></span>The gateway does not answer; trying again. What you typed stays here.</p>`}
    ${isOld &&
    html`<p class="banner warn" role="alert">
      <${Icon} name="alert" /><span>The config on disk cannot be used; the gateway keeps the one before: ${status.configTrouble}. <a href="#/config">Mend it</a></span>
    </p>`}
  </div>`;
}

/** Asks for the admin token; the page below stays as it is. */
export function SignInDialog({ isAgain, trouble, open, done, refuse }) {
  const [token, setToken] = useState("");
  const [missing, setMissing] = useState("");
  const enter = useAction(async () => {
    await open({ token: token.trim() });
    done();
  });
  const submit = () => {
    setMissing(token.trim() ? "" : "paste the admin token here");
    return token.trim() && enter.run();
  };
  const leave = () => refuse(new ApiError({ status: 401, type: "signed_out", message: "nobody is signed in", hint: "sign in, then try again" }));
  const actions = html`<${Button} onClick=${leave}>Not now<//><${Button} tone="primary" type="submit" isBusy=${enter.isBusy}>Sign in<//>`;
  return html`<${Dialog} title=${isAgain ? "Sign in again" : "Sign in"} onClose=${leave} onSubmit=${submit} actions=${actions}>
    <p>${isAgain ? "Your session has ended. Nothing on the page is lost." : "This page belongs to whoever runs the gateway."}</p>
    <${Trouble} error=${enter.error ?? trouble} />
    <input class="unseen" type="text" autocomplete="username" value="admin" tabindex="-1" aria-hidden="true" readonly />
    <${Field} label="Admin token" type="password" isMono autocomplete="current-password" autofocus value=${token} onInput=${setToken} error=${missing}
      hint=${html`It stands in the file that <code>jackfield gateway</code> named when it started, usually <code>~/.jackfield/admin-token</code>. Started with <code>--open</code>, it signs you in by itself.`} />
  <//>`;
}

/** Two changed the config: what the other did, and whether this change goes on top of it. */
export function ConflictDialog({ conflict, done }) {
  const { diff } = conflict.data;
  const actions = html`<${Button} onClick=${() => done(false)}>Leave it<//><${Button} tone="primary" onClick=${() => done(true)}>Apply mine to the new one<//>`;
  return html`<${Dialog} title="The config was changed elsewhere" onClose=${() => done(false)} actions=${actions} isWide=${Boolean(diff)}>
    <p>Another page, a command or an editor changed it since you opened it here. Nothing of yours is saved yet.</p>
    ${diff ? html`<${Diff} label="What was changed elsewhere" text=${diff} />` : html`<p class="hint">${conflict.message}</p>`}
  <//>`;
}
