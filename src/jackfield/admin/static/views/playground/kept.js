// The conversation over a reload: in this tab's own storage, words alone, and not without end. Pure but for the storage.

const PLACE = "jackfield.playground";
const MOST = 400_000; // characters; a browser gives about five million to all of the page
const LEFT = {
  type: "left",
  message: "the page was loaded anew before the answer was whole",
  hint: "what had come by then is kept; try again for the rest",
};

/** Keep a conversation; the oldest turns go first when there is too much. */
export function keep({ settings, models, isPair, turns, draft, session }, storage = sessionStorage) {
  let kept = turns.map(asWords);
  for (;;) {
    const text = JSON.stringify({ settings, models, isPair, turns: kept, draft, session });
    if (text.length <= MOST || kept.length === 0) {
      return write(text, storage);
    }
    kept = kept.slice(1);
  }
}

function write(text, storage) {
  try {
    storage.setItem(PLACE, text);
  } catch {
    // Full or forbidden: then the conversation lasts as long as the page.
  }
}

/** Return what was kept, null where there is nothing that can be read. An answer that was on its way is told as broken. */
export function load(storage = sessionStorage) {
  try {
    const kept = JSON.parse(storage.getItem(PLACE) ?? "null");
    return kept && { ...kept, turns: kept.turns.map(asLoaded) };
  } catch {
    return null;
  }
}

// Files are named, so that their absence can be told; pictures and sound in answers are left out.
function asWords(turn) {
  const files = turn.files.map(({ id, name, size, type, kind }) => ({ id, name, size, type, kind }));
  return mapAnswers({ ...turn, files }, (answer) => ({
    ...answer,
    blocks: answer.blocks.filter((block) => block.kind !== "media"),
    message: answer.message && wordsAlone(answer.message),
  }));
}

function wordsAlone({ images, audio, ...message }) {
  return message;
}

function asLoaded(turn) {
  return mapAnswers(turn, (answer) => (answer.state === "waiting" || answer.state === "running" ? { ...answer, state: "failed", error: LEFT } : answer));
}

function mapAnswers(turn, change) {
  const stepOf = (step) => (step.answer ? { ...step, answer: change(step.answer) } : step);
  const lanes = turn.lanes.map((lane) => ({ ...lane, tries: lane.tries.map((each) => ({ ...each, steps: each.steps.map(stepOf) })) }));
  return { ...turn, lanes };
}
