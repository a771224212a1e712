// What is asked: settings and turns as the body of a request. Pure. The body is the one that programs send to the
// gateway's /v1/chat/completions, so that what is shown as code is what the page asks.

import { callsOf, turnOf } from "./answer.js";

export const LEVELS = ["off", "minimal", "low", "medium", "high", "xhigh"];
/** What a person may set beside the question; texts as they were typed, "" says nothing. */
export const SETTINGS = {
  system: "",
  temperature: "",
  topP: "",
  maxTokens: "",
  thinking: "",
  stop: "",
  seed: "",
  fallbacks: "",
  tools: "",
  toolChoice: "",
  schema: "",
};

/** Read settings: {fields of the body, system, schema, errors: {name: why}}. What is wrong is left out and named. */
export function readSettings(settings) {
  const read = { fields: {}, system: settings.system.trim(), schema: null, errors: {} };
  for (const [name, take] of Object.entries(READ)) {
    const said = settings[name].trim();
    if (said) {
      try {
        take(read, said);
      } catch (error) {
        read.errors[name] = error.message;
      }
    }
  }
  if (read.fields.tools && settings.toolChoice) {
    read.fields.tool_choice = settings.toolChoice;
  }
  return read;
}

const READ = {
  temperature: (read, said) => put(read, "temperature", numberOf(said, 0, 2)),
  topP: (read, said) => put(read, "top_p", numberOf(said, 0, 1)),
  maxTokens: (read, said) => put(read, "max_tokens", wholeOf(said, 1)),
  thinking: (read, said) => put(read, "reasoning_effort", said === "off" ? "none" : said),
  stop: (read, said) => put(read, "stop", linesOf(said)),
  seed: (read, said) => put(read, "seed", wholeOf(said, 0)),
  fallbacks: (read, said) => put(read, "fallbacks", linesOf(said)),
  tools: (read, said) => put(read, "tools", toolsOf(said)),
  schema: (read, said) => {
    read.schema = objectOf(jsonOf(said));
    put(read, "response_format", formatOf(read.schema));
  },
};

function put(read, name, value) {
  read.fields[name] = value;
}

function numberOf(said, least, most) {
  const number = Number(said);
  if (!(number >= least && number <= most)) {
    throw new Error(`a number from ${least} to ${most}`);
  }
  return number;
}

function wholeOf(said, least) {
  const number = Number(said);
  if (!Number.isSafeInteger(number) || number < least) {
    throw new Error(`a whole number of at least ${least}`);
  }
  return number;
}

function linesOf(said) {
  return said.split("\n").map((line) => line.trim()).filter(Boolean);
}

function jsonOf(said) {
  try {
    return JSON.parse(said);
  } catch (error) {
    throw new Error(`not JSON: ${error.message}`);
  }
}

function objectOf(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Error("a JSON object is wanted: { … }");
  }
  return value;
}

// A function may stand bare or in OpenAI's wrapping, alone or in a list.
function toolsOf(said) {
  const given = jsonOf(said);
  return (Array.isArray(given) ? given : [given]).map((each) => {
    const tool = objectOf(each);
    const bare = tool.function ?? tool;
    if (typeof bare.name !== "string" || !bare.name) {
      throw new Error("each tool needs a name");
    }
    const { input_schema: ours, ...rest } = bare;
    return { type: "function", function: ours ? { ...rest, parameters: ours } : rest };
  });
}

function formatOf(schema) {
  if (Object.keys(schema).length === 0) {
    return { type: "json_object" };
  }
  const name = String(schema.title ?? "answer").replace(/[^\w-]/g, "_").slice(0, 64) || "answer";
  return { type: "json_schema", json_schema: { name, schema } };
}

/** Write the body: model, turns up to `until` (its steps included), the settings' fields. `dataOf(file)` gives a file's data. */
export function buildBody({ model, read, turns, lane, until, dataOf = (file) => file.data }) {
  const messages = read.system ? [{ role: "system", content: read.system }] : [];
  for (const turn of turns) {
    messages.push({ role: "user", content: contentOf(turn, dataOf) });
    messages.push(...stepsOf(turn, lane, turn.id === until).flatMap(messagesOf));
  }
  const { fallbacks, ...fields } = read.fields;
  return { model, messages, ...fields, ...(fallbacks && { fallbacks }) };
}

// Return the steps of a lane of a turn: answers and the results that tools gave; a turn without that lane has the first's.
function stepsOf(turn, lane, isAsked = false) {
  const { tries, at } = turn.lanes[lane] ?? turn.lanes[0];
  const steps = tries[at]?.steps ?? [];
  return isAsked ? steps.slice(0, -1) : steps;
}

function messagesOf({ answer, results }, at, steps) {
  if (results) {
    return results.map(({ id, text }) => ({ role: "tool", tool_call_id: id, content: text }));
  }
  const turn = turnOf(answer);
  if (!turn?.tool_calls || steps[at + 1]?.results) {
    return turn ? [turn] : [];
  }
  // A call that nobody answered would be refused; what was said beside it stays.
  const { tool_calls: unanswered, ...rest } = turn;
  return rest.content ? [rest] : [];
}

function contentOf({ text, files }, dataOf) {
  const parts = files.filter((file) => file.data || file.text).map((file) => PARTS[file.kind](file, dataOf(file)));
  return parts.length === 0 ? text : [...parts, ...(text ? [{ type: "text", text }] : [])];
}

const PARTS = {
  text: ({ name, text }) => ({ type: "text", text: `${name}:\n\`\`\`\n${text}\n\`\`\`` }),
  image: ({ type }, data) => ({ type: "image_url", image_url: { url: `data:${type};base64,${data}` } }),
  document: ({ name, type }, data) => ({ type: "file", file: { filename: name, file_data: `data:${type};base64,${data}` } }),
  audio: ({ type }, data) => ({ type: "input_audio", input_audio: { data, format: type === "audio/mpeg" ? "mp3" : "wav" } }),
};

/** Return the calls of a lane that a person has still to answer. */
export function openCalls(turn, lane) {
  const last = stepsOf(turn, lane).at(-1);
  return last?.answer ? callsOf(last.answer) : [];
}
