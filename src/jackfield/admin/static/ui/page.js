// The head of a view. Its heading takes the focus when a person goes there.

import { html, useEffect, useRef } from "./core.js";

let isFirst = true;

/** A view: its title, a line about it, what to do in it, and the rest. */
export function Page({ title, about, actions, class: more = "", children }) {
  const head = useRef(null);
  useEffect(() => {
    document.title = `${title} · Jackfield`;
    if (!isFirst) {
      head.current.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst = false;
  }, []);
  return html`<div class="page ${more}">
    <header class="page-head">
      <div><h1 tabindex="-1" ref=${head}>${title}</h1>${about && html`<p class="about">${about}</p>`}</div>
      ${actions && html`<div class="actions">${actions}</div>`}
    </header>
    ${children}
  </div>`;
}
