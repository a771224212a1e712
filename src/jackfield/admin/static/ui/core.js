// Preact with htm, and the hooks of this page.

import { ask, configVersion } from "../api.js";
import { useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState } from "../vendor/preact.js";

export {
  Component,
  createContext,
  h,
  html,
  render,
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "../vendor/preact.js";

let made = 0;

/** Return an id of this component's own, the same at every drawing. */
export function useId(prefix = "id") {
  const [id] = useState(() => `${prefix}-${(made += 1)}`);
  return id;
}

/** Return what a store holds, and draw anew when it changes. */
export function useStore(store) {
  const [, draw] = useReducer((count) => count + 1, 0);
  // With the drawing, not some time behind it: what is written in between would not be drawn.
  useLayoutEffect(() => store.watch(draw), [store]);
  return store.read();
}

/**
 * Ask the gateway and keep the answer: {data, error, isBusy, reload}. Asks anew when path or query change and
 * when the config does; `every` milliseconds besides. A null path asks nothing. Old data stays while it asks.
 */
export function useAsk(path, query, { every = 0 } = {}) {
  const version = useStore(configVersion);
  const key = JSON.stringify([path, query ?? {}]);
  const [state, setState] = useState({ key: "", data: null, error: null, isBusy: path !== null });
  const [round, reload] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    if (path === null) {
      setState({ key, data: null, error: null, isBusy: false });
      return undefined;
    }
    const leaving = new AbortController();
    setState((old) => ({ ...old, data: old.key === key ? old.data : null, isBusy: true }));
    ask(path, { query, signal: leaving.signal }).then(
      (data) => leaving.signal.aborted || setState({ key, data, error: null, isBusy: false }),
      (error) => leaving.signal.aborted || setState((old) => ({ ...old, key, error, isBusy: false })),
    );
    return () => leaving.abort();
  }, [key, version, round]);
  useEffect(() => {
    if (!every) {
      return undefined;
    }
    const timer = setInterval(() => document.hidden || reload(), every);
    return () => clearInterval(timer);
  }, [every]);
  const isOwn = state.key === key; // else it is of the question before, and this one is asked in a moment
  return { data: isOwn ? state.data : null, error: isOwn ? state.error : null, isBusy: isOwn ? state.isBusy : path !== null, reload };
}

/** Run an action of the person's: {run, isBusy, error, clear}; a second call while it runs does nothing. */
export function useAction(act) {
  const [state, setState] = useState({ isBusy: false, error: null });
  const running = useRef(false);
  const latest = useRef(act);
  latest.current = act;
  const run = useCallback(async (...given) => {
    if (running.current) {
      return undefined;
    }
    running.current = true;
    setState({ isBusy: true, error: null });
    try {
      const made = await latest.current(...given);
      setState({ isBusy: false, error: null });
      return made;
    } catch (error) {
      setState({ isBusy: false, error });
      return undefined;
    } finally {
      running.current = false;
    }
  }, []);
  const clear = useCallback(() => setState({ isBusy: false, error: null }), []);
  return { run, clear, ...state };
}

/** Return the time in milliseconds, drawing anew every so often: for countdowns. */
export function useNow(every = 1000) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

const styles = new Map(); // path → {link, users}

/**
 * Wear a stylesheet of a view's own: useStyle("views/usage.css"). It is loaded once, and counts only while somebody wears
 * it: two views may give one name to different things.
 */
export function useStyle(path) {
  useLayoutEffect(() => {
    const style = styles.get(path) ?? { link: addStyle(path), users: 0 };
    styles.set(path, style);
    style.users += 1;
    style.link.media = "all";
    return () => {
      style.users -= 1;
      style.link.media = style.users ? "all" : "not all";
    };
  }, [path]);
}

function addStyle(path) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(path, document.baseURI).href;
  document.head.append(link);
  return link;
}
