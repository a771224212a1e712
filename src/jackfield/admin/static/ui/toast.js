// Short words at the page's foot: what is said, and for how long. ui/layers.js draws them.

import { makeStore } from "../store.js";

const SHOWN_MS = 6000;
let made = 0;

/** What is said now: [{id, text, tone}]. */
export const toasts = makeStore([]);

/** Say something short. tone: info, ok, warn, bad; what is bad stays until it is closed. */
export function toast(text, tone = "ok") {
  const id = (made += 1);
  toasts.write([...toasts.read().slice(-3), { id, text, tone }]);
  if (tone !== "bad") {
    setTimeout(() => dismiss(id), SHOWN_MS);
  }
}

/** Take one away. */
export function dismiss(id) {
  toasts.write(toasts.read().filter((each) => each.id !== id));
}
