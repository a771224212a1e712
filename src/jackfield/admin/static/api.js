// The way to the gateway: every request of the page goes through here. Knows who is signed in,
// whether the gateway answers, and the hash of the config as the page knows it. Draws nothing:
// whom to ask when a person must decide is set once, by app.js.

import { ApiError, LEFT, readError, UNREACHED } from "./api_error.js";
import { makeStore } from "./store.js";

export { ApiError } from "./api_error.js";

const BASE = new URL("admin/api/", document.baseURI);
const KEPT = "jackfield.session";
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [400, 4000];

/** What is known of the gateway: {isDown, status}; status is the last answer of `status`. */
export const gateway = makeStore({ isDown: false, status: null });
/** Counts up when the config is another one, by whomever. */
export const configVersion = makeStore(0);
/** The session's token, or "". */
export const session = makeStore(loadToken());

let person = {};
let hash = "";
let running = 0; // edits under way
let ended = 0; // edits so far: what was asked before one ended is out of date
let entering = null;
let back = null;

/** Say who decides: {signIn(trouble), resolve(conflict), tellChanged()}. */
export function setPerson(those) {
  person = those;
}

/** Ask the gateway and return its JSON; throws ApiError. Options: method, body, query, headers, signal, isQuiet. */
export async function ask(path, options = {}) {
  const reply = await call(path, options);
  return reply.status === 204 ? {} : reply.json();
}

/**
 * Change the config by what the page knows of it; a conflict is put before the person. `ifMatch` is for who shows a
 * text of their own: it is sent instead, and a conflict is theirs to solve.
 */
export async function edit(path, body, method = "POST", ifMatch = "") {
  let based = ifMatch || hash || (await refresh()).configHash;
  running += 1;
  try {
    for (;;) {
      try {
        const said = await ask(path, { method, body, headers: { "if-match": based } });
        learn(said.hash);
        return said;
      } catch (error) {
        if (error.status !== 409 || !error.data?.hash || ifMatch) {
          throw error;
        }
        if (!(await person.resolve(error))) {
          throw new ApiError(LEFT);
        }
        based = error.data.hash;
      }
    }
  } finally {
    running -= 1;
    ended += 1;
  }
}

/** Ask for a stream of NDJSON and hand each object on; ends with the stream, throws ApiError when it breaks, AbortError when `signal` ends it. */
export async function stream(path, body, onEvent, signal) {
  const reply = await call(path, { method: "POST", body, signal });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw signal?.aborted ? error : new ApiError({ ...UNREACHED, message: "the connection broke before the answer was whole" });
    });
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : lines.pop();
    for (const line of lines.filter((each) => each.trim())) {
      const event = JSON.parse(line);
      if (event.error && Object.keys(event).length === 1) {
        throw new ApiError({ status: reply.status, ...event.error });
      }
      onEvent(event);
    }
    if (done) {
      return;
    }
  }
}

/** Look how the gateway is, and whether the config is still the one the page shows. */
export async function refresh(isQuiet = false) {
  const before = ended;
  const status = await ask("status", { isQuiet });
  gateway.write({ isDown: false, status });
  if (before === ended && running === 0 && status.configHash && status.configHash !== hash) {
    const wasKnown = hash !== "";
    learn(status.configHash);
    if (wasKnown) {
      person.tellChanged();
    }
  }
  return status;
}

/** Exchange a one-time code or the admin token for a session: {code} or {token}. */
export async function openSession(proof) {
  const reply = await send("session", { method: "POST", body: proof }).catch(() => {
    throw new ApiError(UNREACHED);
  });
  if (!reply.ok) {
    throw await readError(reply);
  }
  keepToken((await reply.json()).token);
}

/** Forget the session. */
export function closeSession() {
  keepToken("");
}

/** Have somebody sign in, once for all who wait for it. */
export function signIn(way = () => person.signIn()) {
  entering ||= way().finally(() => {
    entering = null;
  });
  return entering;
}

// -- under the calls ---

async function call(path, options) {
  for (let isRepeated = false; ; isRepeated = true) {
    if (!session.read() || entering) {
      await enter(options);
    }
    const token = session.read();
    const reply = await reach(path, options);
    if (reply.ok) {
      return reply;
    }
    if (reply.status !== 401 || isRepeated) {
      throw await readError(reply);
    }
    if (session.read() === token) {
      keepToken("");
      await signIn(); // also for a quiet call: the page was in use, and its session has ended
    }
  }
}

async function enter({ isQuiet }) {
  if (isQuiet && !entering) {
    throw new ApiError({ status: 401, type: "signed_out", message: "nobody is signed in" });
  }
  await signIn();
}

// What only reads waits until the gateway is back; what changes something is never sent twice.
async function reach(path, options) {
  for (;;) {
    try {
      const reply = await send(path, options);
      setDown(false);
      return reply;
    } catch (error) {
      if (options.signal?.aborted) {
        throw error;
      }
      setDown(true);
      const isBack = whenBack();
      if ((options.method ?? "GET") !== "GET" || options.isQuiet) {
        throw new ApiError(UNREACHED);
      }
      await isBack;
    }
  }
}

function send(path, { method = "GET", body, query = {}, headers = {}, signal }) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") {
      url.searchParams.set(name, value);
    }
  }
  const said = { ...headers };
  if (session.read()) {
    said.authorization = `Bearer ${session.read()}`;
  }
  if (body !== undefined) {
    said["content-type"] = "application/json";
  }
  const text = body === undefined ? undefined : JSON.stringify(body);
  return fetch(url, { method, headers: said, body: text, signal, cache: "no-store", credentials: "omit", redirect: "error" });
}

function whenBack() {
  back ||= knock().finally(() => {
    back = null;
  });
  return back;
}

async function knock() {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 1.5, LONGEST_WAIT_MS)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    const reply = await send("status", {}).catch(() => null);
    if (reply && (reply.ok || reply.status === 401)) {
      setDown(false);
      return;
    }
  }
}

function setDown(isDown) {
  if (gateway.read().isDown !== isDown) {
    gateway.write({ ...gateway.read(), isDown });
  }
}

function learn(present) {
  if (present && present !== hash) {
    const wasKnown = hash !== "";
    hash = present;
    if (wasKnown) {
      configVersion.write(configVersion.read() + 1);
    }
  }
}

function loadToken() {
  try {
    return sessionStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

function keepToken(token) {
  session.write(token);
  try {
    if (token) {
      sessionStorage.setItem(KEPT, token);
    } else {
      sessionStorage.removeItem(KEPT);
    }
  } catch {
    // Storage may be forbidden; then the session lasts as long as the page.
  }
}
