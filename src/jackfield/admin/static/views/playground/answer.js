// An answer as it comes. Pure: a value and what each line of the stream makes of it.

/** An answer nobody has begun: {model, state: waiting | running | done | stopped | failed, blocks, attempts, …}. */
export function newAnswer(model, schema = null) {
  return { model, schema, state: "waiting", blocks: [], attempts: [], served: "", firstMs: null, end: null, error: null, message: null };
}

/** Return the answer after a line of the stream; the line's names are those of the gateway's `chat`. */
export function feed(answer, line) {
  return LINES[line.type]?.(answer, line) ?? answer;
}

const LINES = {
  start: (answer, { requestId, model }) => ({ ...answer, requestId, asking: model }),
  attempt: (answer, line) => ({ ...answer, attempts: [...answer.attempts, line] }),
  served: (answer, { model, firstMs }) => ({ ...answer, served: model, firstMs, state: "running" }),
  text: grow,
  thinking: grow,
  refusal: grow,
  call: (answer, { index, id, name, arguments: more }) =>
    change(answer, index, { kind: "call", id, name, arguments: "" }, (block) => ({ ...block, arguments: block.arguments + more })),
  media: (answer, { index, kind, mediaType, data, url }) => change(answer, index, { kind: "media", media: kind, mediaType, data, url }, (block) => block),
  done: (answer, line) => ended(answer, line, { state: "done", message: line.message }),
  error: (answer, line) => ended(answer, line, { state: "failed", error: line.error }),
};

function grow(answer, { type, index, text }) {
  return change(answer, index, { kind: type, text: "" }, (block) => ({ ...block, text: block.text + text }));
}

function change(answer, index, fresh, make) {
  const at = answer.blocks.findLastIndex((block) => block.index === index);
  const blocks = [...answer.blocks];
  if (at < 0) {
    blocks.push(make({ index, ...fresh }));
  } else {
    blocks[at] = make(blocks[at]);
  }
  return { ...answer, blocks };
}

function ended(answer, line, more) {
  const { model, finishReason, usage, costUsd, warnings, notice, citations, firstMs, totalMs } = line;
  return {
    ...answer,
    ...more,
    attempts: line.attempts ?? answer.attempts,
    served: model || answer.served,
    end: { finishReason, usage: usage ?? {}, costUsd, warnings: warnings ?? [], notice, citations: citations ?? [], firstMs, totalMs },
  };
}

/** Tell whether an answer is still to come, or coming. */
export function isOpen(answer) {
  return answer?.state === "waiting" || answer?.state === "running";
}

/** Return an answer that ended without its end: stopped by the person, or broken by an error {message, hint, type}. */
export function breakOff(answer, error) {
  return isOpen(answer) ? { ...answer, state: error ? "failed" : "stopped", error: error ?? null } : answer;
}

/** Return the words of one kind. */
export function wordsOf(answer, kind = "text") {
  return answer.blocks.filter((block) => block.kind === kind).map((block) => block.text).join(kind === "text" ? "" : "\n\n");
}

/** Return the tools' calls that wait for a result, in order. */
export function callsOf(answer) {
  return answer.state === "done" ? answer.blocks.filter((block) => block.kind === "call") : [];
}

/** Return the answer as a turn of the next request; null when there is nothing to remember. */
export function turnOf(answer) {
  const text = wordsOf(answer);
  return answer.message ?? (text ? { role: "assistant", content: text } : null);
}

/** Return the numbers of an answer: [[key, number]], of what is known. */
export function figuresOf({ end, firstMs }) {
  const usage = end?.usage ?? {};
  const first = end?.firstMs ?? firstMs;
  const span = end ? end.totalMs - (first ?? end.totalMs) : 0;
  // Of an answer that came in one piece, nobody can say how fast it was written.
  const speed = usage.output > 1 && span >= 50 ? (usage.output / span) * 1000 : null;
  const known = { ...usage, costUsd: end?.costUsd, firstMs: first, totalMs: end?.totalMs, speed };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== null && value !== undefined));
}
