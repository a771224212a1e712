// One figure over time, drawn by uPlot: stacked or as lines, told apart by hatching and dashes as well as by colour.
// The table below it has the same numbers.

import { Card, html, Table, Trouble, useEffect, useRef, useState, useStyle } from "../../ui.js";
import { DASHES, drawChart } from "./draw.js";

const MOST = 6; // names that are drawn; the others are one

/** A card with a chart, its key and its table. `valueOf` takes a point's use, `write` makes words of a value. */
export function Chart({ title, valueOf, write, data, look }) {
  useStyle("vendor/uplot.css");
  const box = useRef(null);
  const [error, setError] = useState(null);
  const [at, setAt] = useState(null); // the slot that is pointed at
  const { names, series } = arrange(data, valueOf);
  const isStacked = look === "stacked";
  const key = JSON.stringify([data.fromMs, data.toMs, data.by, data.step, isStacked, names, series]);
  useEffect(() => {
    let [isHere, end] = [true, null];
    import("../../vendor/uplot.js").then(
      ({ default: UPlot }) => {
        if (isHere) {
          end = drawChart(UPlot, box.current, { slots: data.slots, names, series, isStacked, write, step: data.step, point: setAt });
        }
      },
      (trouble) => isHere && setError(trouble),
    );
    return () => {
      isHere = false;
      end?.();
    };
  }, [key]);
  const read = at === null || !data.slots[at] ? "" : `${timeOf(data.slots[at], data.step)}: ${write(series.reduce((sum, values) => sum + values[at], 0))}`;
  const per = `${title} per ${data.step} (UTC), by ${data.by}`;
  return html`<${Card} title=${title} about=${`Per ${data.step}, in UTC, by ${data.by}`} class="chart-card" aside=${read && html`<span class="chart-read" aria-hidden="true">${read}</span>`}>
    <${Trouble} error=${error} />
    <div class="chart" ref=${box} role="img" aria-label="${per}; the table below has the numbers"></div>
    <ul class="chart-key" aria-label="What is drawn">
      ${names.map((name, at) => html`<li key=${name}><svg class="swatch s${at + 1} ${isStacked ? "" : "as-line"}" viewBox="0 0 24 12" aria-hidden="true"><${Swatch} at=${at} isStacked=${isStacked} /></svg><span class="mono">${name || "nobody"}</span></li>`)}
    </ul>
    <details class="chart-table"><summary>The numbers of ${title.toLowerCase()}</summary>
      <${Table} label=${per} rows=${tableRows(data, names, series)} keyOf=${(row) => row.at} columns=${tableColumns(names, write, data.step)} />
    </details>
  <//>`;
}

const HATCHES = ["", "M-2 14 14 -2M8 14 24 -2M18 14 34 -2", "M0 4H24M0 8H24", "M4 0V12M10 0V12M16 0V12M22 0V12", "M-2 -2 14 14M8 -2 24 14M-12 -2 4 14M18 -2 34 14", "M0 6H24M6 0V12M18 0V12", "M3 3v.01M9 3v.01M15 3v.01M21 3v.01M6 9v.01M12 9v.01M18 9v.01"];

function Swatch({ at, isStacked }) {
  return isStacked
    ? html`<rect class="swatch-ground" width="24" height="12" /><path class="swatch-hatch" d=${HATCHES[at]} />`
    : html`<path class="swatch-line" d="M0 6H24" stroke-dasharray=${DASHES[at].join(" ")} />`;
}

// The dearest names apart, the rest together, in one order for all charts; one list of values for each, as long as the slots.
function arrange(data, valueOf) {
  const ordered = data.rows.map((row) => row.name);
  const names = ordered.length > MOST + 1 ? [...ordered.slice(0, MOST), "all others"] : ordered;
  const series = names.map(() => data.slots.map(() => 0));
  const at = new Map(data.slots.map((slot, index) => [slot, index]));
  for (const point of data.points) {
    const line = Math.min(ordered.indexOf(point.name), names.length - 1);
    series[line][at.get(point.atMs)] += valueOf(point);
  }
  return { names, series };
}

function tableRows(data, names, series) {
  return data.slots.map((slot, index) => ({ at: slot, values: names.map((_, line) => series[line][index]) })).filter((row) => row.values.some(Boolean));
}

function tableColumns(names, write, step) {
  const time = { key: "at", name: step === "day" ? "Day (UTC)" : "Hour (UTC)", isHead: true, sort: true, render: (row) => timeOf(row.at, step) };
  return [time, ...names.map((name, line) => ({ key: `line-${line}`, name: name || "nobody", align: "end", sort: (row) => row.values[line], render: (row) => write(row.values[line]) }))];
}

function timeOf(slot, step) {
  return new Date(slot).toISOString().slice(0, step === "day" ? 10 : 16).replace("T", " ");
}
