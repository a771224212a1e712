// A table that sorts, searches and shows long lists in parts.

import { Button, Field } from "./controls.js";
import { html, useMemo, useState } from "./core.js";
import { count, search } from "./format.js";
import { Icon } from "./icon.js";
import { Empty } from "./parts.js";

const SHOWN = 100;

/**
 * columns: [{key, name, render(row), sort: true | row → value, align: "end", isHead, isMono, isLine, hideBelow: 600 | 900}].
 * With isStacked a narrow window has each row as a list of names and values.
 * filter: {label, text(row), needle} puts a fuzzy search above, begun with a needle; `label` names the table for those who hear it; `empty` is what
 * stands there without rows; `tools` stand beside the search; rowClass(row) is for a row as a whole.
 */
export function Table({ columns, rows, keyOf, label, empty = "Nothing here yet", filter, tools, sortedBy, rowClass, isStacked }) {
  const [needle, setNeedle] = useState(filter?.needle ?? "");
  const [order, setOrder] = useState(sortedBy ?? { key: "", isDown: false });
  const [shown, setShown] = useState(SHOWN);
  const found = useMemo(() => (filter ? search(needle, rows, filter.text) : rows), [rows, needle]);
  const sorted = useMemo(() => sortRows(found, columns, order), [found, order]);
  const turn = (key) => setOrder((old) => ({ key, isDown: old.key === key ? !old.isDown : false }));
  return html`<div class="table">
    ${(filter || tools) &&
    html`<div class="table-tools">
      ${filter &&
      html`<${Field} isHidden label=${filter.label} type="search" placeholder=${filter.label} value=${needle} onInput=${setNeedle} class="table-search" />`}
      ${tools}
      ${filter && html`<span class="table-count" role="status">${tell(found.length, rows.length)}</span>`}
    </div>`}
    ${sorted.length === 0
      ? html`<${Empty} title=${rows.length ? `Nothing fits “${needle}”` : empty} />`
      : html`<div class="table-scroll" tabindex="0" role="region" aria-label=${label}>
          <table class=${isStacked ? "stacked" : undefined} role="table">
            <thead role="rowgroup"><tr role="row">${columns.map((column) => html`<${Head} key=${column.key} ...${{ column, order, turn }} />`)}</tr></thead>
            <tbody role="rowgroup">
              ${sorted.slice(0, shown).map(
                (row) => html`<tr key=${keyOf(row)} role="row" class=${rowClass?.(row)}>${columns.map((column) => cell(column, row, isStacked))}</tr>`,
              )}
            </tbody>
          </table>
        </div>`}
    ${sorted.length > shown &&
    html`<${Button} class="table-more" onClick=${() => setShown(shown + SHOWN)}>
      Show more (${count(sorted.length - shown)} are left)
    <//>`}
  </div>`;
}

function Head({ column, order, turn }) {
  const isOrder = order.key === column.key;
  const sorts = isOrder ? (order.isDown ? "descending" : "ascending") : undefined;
  return html`<th scope="col" role="columnheader" class=${look(column)} aria-sort=${sorts}>
    ${column.sort
      ? html`<button type="button" class="sort ${sorts ?? ""}" onClick=${() => turn(column.key)}>${column.name}<${Icon} name="chevron" /></button>`
      : column.name}
  </th>`;
}

// The roles are said because a stacked table is none to a browser.
function cell(column, row, isStacked) {
  const shown = column.render ? column.render(row) : row[column.key];
  return column.isHead
    ? html`<th scope="row" role="rowheader" key=${column.key} class=${look(column)}>${shown}</th>`
    : html`<td key=${column.key} role="cell" class=${look(column)} data-name=${isStacked ? column.name : undefined}>${isStacked ? html`<div>${shown}</div>` : shown}</td>`;
}

function look({ align, isMono, isLine, hideBelow }) {
  return [align === "end" && "end", isMono && "mono", isLine && "line", hideBelow && `hide-${hideBelow}`].filter(Boolean).join(" ") || undefined;
}

function sortRows(rows, columns, order) {
  const column = columns.find((each) => each.key === order.key);
  if (!column) {
    return rows;
  }
  const valueOf = typeof column.sort === "function" ? column.sort : (row) => row[column.key];
  const sign = order.isDown ? -1 : 1;
  return [...rows].sort((a, b) => compare(valueOf(a), valueOf(b), sign));
}

// What nobody reported stands last, whichever way it is sorted.
function compare(a, b, sign) {
  if (a === null || a === undefined || b === null || b === undefined) {
    return (a === null || a === undefined) - (b === null || b === undefined);
  }
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
}

function tell(found, all) {
  return found === all ? count(all) : `${count(found)} of ${count(all)}`;
}
