// What is being written in the editor: kept outside of the view, so that looking elsewhere on the page loses nothing.

import { makeStore } from "../../store.js";

const EMPTY = { hash: "", path: "", files: [], texts: {} };

/** {hash, path, files: what the texts were begun from, texts: what they are now}. */
export const draft = makeStore(EMPTY);

/** Begin from the files as they are: an answer of config/text or config/merge. */
export function begin({ hash, path, files }, texts = {}) {
  draft.write({ hash, path, files, texts });
}

/** Take a text as it is typed. */
export function type(path, text) {
  const now = draft.read();
  draft.write({ ...now, texts: { ...now.texts, [path]: text } });
}

/** Return a file's text as it is in the editor. */
export function textOf(now, path) {
  return now.texts[path] ?? now.files.find((file) => file.path === path)?.text ?? "";
}

/** Return the files that are not as they were: [{path, text}]. */
export function edited(now) {
  return now.files
    .filter((file) => textOf(now, file.path) !== file.text)
    .map(({ path }) => ({ path, text: textOf(now, path) }));
}

// The browser asks before a page with unsaved words is closed or loaded anew.
addEventListener("beforeunload", (event) => {
  if (edited(draft.read()).length > 0) {
    event.preventDefault();
  }
});
