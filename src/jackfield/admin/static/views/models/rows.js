// The models as the gateway sends them, one list under one head, and which of them are shown.

/** What a reader may ask for: least context, most price (dollars per million tokens of output). */
export const CONTEXTS = { "": "Any context", 32000: "32k or more", 128000: "128k or more", 200000: "200k or more", 1000000: "1M or more" };
export const PRICES = { "": "Any price", 0.5: "Up to $0.50", 2: "Up to $2", 5: "Up to $5", 15: "Up to $15" };
export const NO_FILTER = { provider: "", context: "", price: "", images: false, tools: false, reasoning: false, free: false, old: false };

const GONE = new Set(["deprecated", "retired", "legacy"]);

/** Unpack an answer of `models` into objects. */
export function unpack({ columns, rows }) {
  return rows.map((row) => {
    const model = Object.fromEntries(columns.map((name, at) => [name, row[at]]));
    model.provider = model.ref.split("/", 1)[0];
    return model;
  });
}

/** Tell whether a model is one to be shown at all: what has ended is, only when asked for or in use. */
export function isCurrent(model) {
  return !GONE.has(model.status) || model.tags.length > 0;
}

/** Return the models that a filter lets through; what nobody reported fits no bound, and is no refusal. */
export function narrow(models, filter) {
  const takes = { images: (model) => model.takes.includes("image"), tools: (model) => model.tools !== false, reasoning: (model) => model.reasoning };
  const wanted = Object.keys(takes).filter((name) => filter[name]);
  return models.filter(
    (model) =>
      (filter.old || isCurrent(model)) &&
      (!filter.provider || model.provider === filter.provider) &&
      wanted.every((name) => takes[name](model)) &&
      (!filter.free || isFree(model)) &&
      (!filter.context || (model.context ?? 0) >= Number(filter.context)) &&
      (!filter.price || (model.output !== null && model.output <= Number(filter.price))),
  );
}

/** Tell whether a model has no price per token: it is free, or paid in another way (credits, a subscription). */
function isFree(model) {
  return model.input === 0 && model.output === 0;
}

/** Return what to say of a model beside its name: [tone, words]. */
export function badgesOf(model) {
  const said = model.tags.map(sayTag).filter(Boolean);
  if (!model.allowed) {
    said.push(["warn", "Not allowed"]);
  }
  if (model.tags.includes("missing")) {
    said.push(["bad", "Unknown"]);
  } else if (!model.ready) {
    said.push(["warn", "Key missing"]);
  }
  if (model.status) {
    said.push([GONE.has(model.status) ? "warn" : "off", model.status[0].toUpperCase() + model.status.slice(1)]);
  }
  return said;
}

const TAGS = { default: ["accent", "Default"], image: ["accent", "Default for images"] };

function sayTag(tag) {
  const [kind, rest] = tag.split(/[#:](.*)/s);
  const told = { fallback: ["accent", `Fallback ${rest}`], "img-fallback": ["accent", `Image fallback ${rest}`], alias: ["off", `Alias ${rest}`] };
  return TAGS[tag] ?? told[kind];
}
