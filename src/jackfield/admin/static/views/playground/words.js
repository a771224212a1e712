// An answer's words as they are drawn: Markdown's values as elements of our own. Whatever a model writes stays text.

import { Component, Copy, html, useMemo } from "../../ui.js";
import { parseBlock, splitBlocks } from "./markdown.js";

/** Draw an answer; what has been drawn of it stays as it is while more comes. */
export function Words({ text }) {
  const blocks = useMemo(() => splitBlocks(text), [text]);
  return html`<div class="words">${blocks.map((block, at) => html`<${Part} key=${at} kind=${block.kind} raw=${block.raw} />`)}</div>`;
}

class Part extends Component {
  shouldComponentUpdate({ kind, raw }) {
    return kind !== this.props.kind || raw !== this.props.raw;
  }

  render({ kind, raw }) {
    return drawBlock(parseBlock({ kind, raw }));
  }
}

const BLOCKS = {
  paragraph: ({ parts }) => html`<p>${parts.map(drawPart)}</p>`,
  heading: ({ parts }) => html`<p class="words-head">${parts.map(drawPart)}</p>`,
  rule: () => html`<hr />`,
  quote: ({ blocks }) => html`<blockquote>${blocks.map(drawBlock)}</blockquote>`,
  code: ({ language, text }) => html`<${CodeBlock} language=${language} text=${text} />`,
  list: ({ isOrdered, start, items }) => {
    const drawn = items.map((blocks) => html`<li>${drawItem(blocks)}</li>`);
    return isOrdered ? html`<ol start=${start}>${drawn}</ol>` : html`<ul>${drawn}</ul>`;
  },
};

function drawBlock(block) {
  return BLOCKS[block.kind](block);
}

// The words of an item stand beside its mark, without a paragraph's room around them.
function drawItem([first, ...rest]) {
  return [first?.kind === "paragraph" ? first.parts.map(drawPart) : first && drawBlock(first), ...rest.map(drawBlock)];
}

const PARTS = {
  text: ({ text }) => text,
  code: ({ text }) => html`<code>${text}</code>`,
  strong: ({ parts }) => html`<strong>${parts.map(drawPart)}</strong>`,
  em: ({ parts }) => html`<em>${parts.map(drawPart)}</em>`,
  link: ({ text, url, target }) =>
    html`<a href=${url} target="_blank" rel="noopener noreferrer nofollow">${text}</a>${target && html` <span class="link-target">(${target})</span>`}`,
};

function drawPart(part) {
  return PARTS[part.kind](part);
}

/** Draw text of a program, with a button that copies it. */
export function CodeBlock({ language, text, label = language ? `Code: ${language}` : "Code" }) {
  return html`<div class="code-block">
    <div class="code-head"><span>${language || "code"}</span><${Copy} text=${text} /></div>
    <pre tabindex="0" role="region" aria-label=${label}><code>${text}</code></pre>
  </div>`;
}
