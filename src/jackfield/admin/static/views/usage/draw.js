// A chart on its canvas. Colours are those of the page's theme, read where they hold; a changed theme draws anew.

const HEIGHT = 240;
/** By which lines differ without their colour: lengths of strokes and gaps, for a canvas and an SVG. */
export const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [12, 5], [4, 2], [1, 5]];
const PATTERN = 10;
// What is drawn over the ground of a stacked area, in a square of 10: so areas differ without their colour.
const HATCHES = [
  () => {},
  (pen) => lines(pen, [[-2, 12, 12, -2], [-2, 2, 2, -2], [8, 12, 12, 8]]),
  (pen) => lines(pen, [[0, 5, 10, 5]]),
  (pen) => lines(pen, [[5, 0, 5, 10]]),
  (pen) => lines(pen, [[-2, -2, 12, 12], [8, -2, 12, 2], [-2, 8, 2, 12]]),
  (pen) => lines(pen, [[0, 5, 10, 5], [5, 0, 5, 10]]),
  (pen) => pen.fillRect(3, 3, 3, 3),
];

/** Draw into a box and return how to end it. */
export function drawChart(UPlot, box, chart) {
  let plot = null;
  const draw = () => {
    plot?.destroy();
    plot = new UPlot(options(UPlot, box, chart), dataOf(chart), box);
  };
  const resize = new ResizeObserver(() => plot?.setSize({ width: box.clientWidth, height: HEIGHT }));
  const theme = new MutationObserver(draw);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  draw();
  resize.observe(box);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  dark.addEventListener("change", draw);
  return () => {
    resize.disconnect();
    theme.disconnect();
    dark.removeEventListener("change", draw);
    plot.destroy();
  };
}

function options(UPlot, box, { names, isStacked, write, step, point }) {
  const ink = colour(box, "--soft");
  const line = colour(box, "--line");
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
  const colours = names.map((_, at) => colour(box, `--s${at + 1}`));
  return {
    width: box.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), "UTC"),
    legend: { show: false },
    hooks: { setCursor: [(plot) => point(plot.cursor.idx ?? null)] },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: { x: { range: (_, from, to) => room(from, to, step) }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [{ ...axis, size: 32, values: (_, times) => namesOf(times, step) }, { ...axis, size: 64, values: (_, values) => values.map((value) => (value === 0 ? "0" : write(value))) }],
    series: [{}, ...order(names, isStacked).map((at) => seriesOf(UPlot, { at, name: names[at], colour: colours[at], isStacked, box }))],
  };
}

// Hours of the day, and the day where one begins.
function namesOf(times, step) {
  return times.map((seconds) => {
    const time = new Date(seconds * 1000);
    const isDay = step === "day" || time.getUTCHours() === 0;
    return isDay ? time.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }) : time.toISOString().slice(11, 16);
  });
}

// A lone value has room beside it.
function room(from, to, step) {
  const wide = step === "day" ? 43_200 : 1800;
  return [from - wide, to + wide];
}

// The topmost sum of a stack is drawn first, so that the areas below stand before it.
function order(names, isStacked) {
  const places = names.map((_, at) => at);
  return isStacked ? places.reverse() : places;
}

function seriesOf(UPlot, { at, name, colour: own, isStacked, box }) {
  const bars = UPlot.paths.bars({ size: [0.72, 60] });
  return isStacked
    ? { label: name, stroke: own, width: 1, fill: () => pattern(box, at, own), paths: bars, points: { show: false } }
    : { label: name, stroke: own, width: 2, dash: DASHES[at], points: { show: true, size: 5, fill: own } };
}

function dataOf({ slots, series, isStacked }) {
  const times = slots.map((slot) => slot / 1000);
  if (!isStacked) {
    return [times, ...series];
  }
  let below = times.map(() => 0);
  // Where a name has nothing, nothing is drawn of it, and not the line of those below anew.
  const drawn = series.map((values) => {
    below = values.map((value, at) => value + below[at]);
    return below.map((sum, at) => (values[at] ? sum : null));
  });
  return [times, ...drawn.reverse()];
}

function pattern(box, at, own) {
  const tile = document.createElement("canvas");
  tile.width = PATTERN;
  tile.height = PATTERN;
  const pen = tile.getContext("2d");
  pen.fillStyle = own;
  pen.fillRect(0, 0, PATTERN, PATTERN);
  pen.strokeStyle = pen.fillStyle = colour(box, "--surface");
  pen.lineWidth = 1.5;
  HATCHES[at](pen);
  return pen.createPattern(tile, "repeat");
}

function lines(pen, all) {
  pen.beginPath();
  for (const [x1, y1, x2, y2] of all) {
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
  }
  pen.stroke();
}

// A property may say "light-dark(…)": only a colour that is used is worked out.
function colour(box, name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  box.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
