// The conversation: what was asked, what is being answered, and what a person does with it. One for the page, so that it
// outlives a look at another view.
//
//   talk    {models: [ref, ref], isPair, settings, draft, session, turns}
//   turn    {id, text, files, lanes}                  a question; a lane for each model that was asked
//   lane    {tries, at}                               its answers, each with what led to it; `at` is the one that counts
//   try     {steps: [{answer} | {results}, …]}        an answer, the results of its tools, the next answer, …

import { ApiError, stream } from "../../api.js";
import { makeStore } from "../../store.js";
import { breakOff, feed, isOpen, newAnswer } from "./answer.js";
import { keep, load } from "./kept.js";
import { DEFAULT } from "./names.js";
import { buildBody, readSettings, SETTINGS } from "./request.js";

const KEEP_MS = 600;
const UNFINISHED = { type: "unfinished", message: "the answer ended before its end", hint: "the gateway may have been restarted: try again" };

const fresh = () => ({ models: ["", ""], isPair: false, settings: { ...SETTINGS }, draft: "", session: makeId(), turns: [] });
/** The conversation. */
export const talk = makeStore({ ...fresh(), ...load() });
const running = new Map(); // turn and lane → how its stream is stopped
let keeping = 0;

talk.watch(() => {
  keeping ||= setTimeout(keepNow, KEEP_MS);
});
addEventListener("pagehide", keepNow);

function keepNow() {
  clearTimeout(keeping);
  keeping = 0;
  keep(talk.read());
}

function makeId() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Change some of it. */
export function change(fields) {
  talk.write({ ...talk.read(), ...fields });
}

/** Tell whether anything is on its way. */
export function isBusy({ turns }) {
  return turns.some((turn) => turn.lanes.some(({ tries }) => tries.some(({ steps }) => isOpen(steps.at(-1)?.answer))));
}

/** Ask a question: of one model, or of two at once. */
export function send(text, files) {
  const { models, isPair, turns } = talk.read();
  const asked = models.slice(0, isPair ? 2 : 1).map((model) => model || models[0] || DEFAULT);
  const lanes = asked.map(() => ({ tries: [{ steps: [] }], at: 0 }));
  const turn = { id: makeId(), text, files, lanes };
  change({ turns: [...turns, turn], draft: "" });
  asked.forEach((model, lane) => ask(turn.id, lane, model, []));
}

/** Ask anew what the last answer of a lane was about; the one that is there stays to be looked at. */
export function askAgain(turnId, lane, model = "") {
  const { tries, at } = laneOf(turnId, lane);
  const { steps } = tries[at];
  ask(turnId, lane, model || steps.at(-1).answer.model, steps.slice(0, -1), true);
}

/** Give the results of the tools that an answer called: [{id, name, text}]. */
export function giveResults(turnId, lane, results) {
  const { tries, at } = laneOf(turnId, lane);
  const { steps } = tries[at];
  ask(turnId, lane, steps.at(-1).answer.model, [...steps, { results }]);
}

/** Look at another answer of a lane. */
export function showTry(turnId, lane, at) {
  changeLane(turnId, lane, (old) => ({ ...old, at }));
}

/** Stop everything that is on its way; what has come stays. */
export function stop() {
  for (const control of running.values()) {
    control.abort();
  }
}

/** Begin anew; models and settings stay. */
export function startOver() {
  stop();
  change({ turns: [], session: makeId(), draft: "" });
}

// -- one answer ---

function ask(turnId, lane, model, steps, isAnother = false) {
  const read = readSettings(talk.read().settings);
  const asked = { steps: [...steps, { answer: newAnswer(model, read.schema) }] };
  changeLane(turnId, lane, ({ tries, at }) =>
    isAnother ? { tries: [...tries, asked], at: tries.length } : { tries: tries.with(at, asked), at },
  );
  const { turns, session } = talk.read();
  const until = turns.slice(0, turns.findIndex((turn) => turn.id === turnId) + 1);
  run(turnId, lane, buildBody({ model, read, turns: until, lane, until: turnId }), session);
}

async function run(turnId, lane, body, session) {
  const control = new AbortController();
  const key = `${turnId} ${lane}`;
  running.set(key, control);
  const lines = gather((held) => changeAnswer(turnId, lane, (answer) => held.reduce(feed, answer)));
  let error = null;
  try {
    await stream(`chat?session=${session}`, body, lines.add, control.signal);
    error = UNFINISHED; // holds only for an answer without its end
  } catch (broken) {
    error = control.signal.aborted ? null : asError(broken);
  }
  lines.flush();
  running.delete(key);
  changeAnswer(turnId, lane, (answer) => breakOff(answer, error));
}

function asError(broken) {
  if (broken instanceof ApiError) {
    return { type: broken.type, message: broken.message, hint: broken.hint };
  }
  console.error(broken);
  return { type: "page", message: String(broken.message ?? broken), hint: "try again" };
}

// However fast lines come, they are drawn once a frame; where nothing is drawn, now and then.
function gather(take) {
  let held = [];
  let frame = 0;
  let timer = 0;
  const flush = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = timer = 0;
    const lines = held;
    held = [];
    if (lines.length) {
      take(lines);
    }
  };
  const add = (line) => {
    held.push(line);
    if (!frame && !timer) {
      frame = requestAnimationFrame(flush);
      timer = setTimeout(flush, 250);
    }
  };
  return { add, flush };
}

// -- changing what is deep inside ---

function laneOf(turnId, lane) {
  return talk.read().turns.find((turn) => turn.id === turnId).lanes[lane];
}

function changeLane(turnId, lane, make) {
  const turns = talk.read().turns.map((turn) => (turn.id === turnId ? { ...turn, lanes: turn.lanes.with(lane, make(turn.lanes[lane])) } : turn));
  change({ turns });
}

function changeAnswer(turnId, lane, make) {
  changeLane(turnId, lane, ({ tries, at }) => {
    // The newest try is the one that is being answered, whichever is looked at.
    const last = tries.findLastIndex((each) => isOpen(each.steps.at(-1)?.answer));
    if (last < 0) {
      return { tries, at };
    }
    const { steps } = tries[last];
    const next = { steps: steps.with(-1, { answer: make(steps.at(-1).answer) }) };
    return { tries: tries.with(last, next), at };
  });
}
