// The form's values: what it begins with, what a server or a model of a list fills in, what is sent.

/** What the form begins with, as Kilo Code's panel does. */
export const EMPTY = {
  id: "", api: "openai-completions", baseUrl: "", key: "", model: "", maxTokens: "-1", contextWindow: "128000",
  images: true, computerUse: false, inputPrice: "", outputPrice: "", needsNoKey: false,
}; // prettier-ignore

/** The wires a server of one's own may speak. */
export const APIS = [
  { value: "openai-completions", label: "OpenAI Compatible" },
  { value: "openai-responses", label: "OpenAI Responses" },
  { value: "anthropic-messages", label: "Anthropic Messages" },
];

/** Return the form of a server that the config has. */
export function fromServer(server) {
  const [row] = server.models;
  const own = { id: server.id, api: server.api, baseUrl: server.baseUrl, model: row?.id ?? "" };
  return { ...EMPTY, ...own, ...(row ? { ...described(row), maxTokens: text(row.maxTokens, "-1"), contextWindow: text(row.contextWindow) } : {}) };
}

/** Return what a row says of a model, over what the form has. */
export function fromModel(row, form) {
  const told = described(row);
  return {
    contextWindow: text(row.contextWindow, form.contextWindow),
    maxTokens: text(row.maxTokens, form.maxTokens),
    images: row.images ?? form.images,
    inputPrice: told.inputPrice || form.inputPrice,
    outputPrice: told.outputPrice || form.outputPrice,
  };
}

/** Return what is wrong, by field; what the server alone can tell is in `address`. */
export function checkForm(form, address) {
  const wrong = {};
  if (!form.baseUrl.trim()) {
    wrong.baseUrl = "Where is the server? Such as http://127.0.0.1:8000/v1";
  } else if (address.error) {
    wrong.baseUrl = address.error.message;
  }
  if (!form.model.trim()) {
    wrong.model = "Choose a model, or type its id";
  }
  for (const name of ["inputPrice", "outputPrice"]) {
    if (form[name].trim() && !(Number(form[name]) >= 0)) {
      wrong[name] = "Dollars per million tokens, 0 or more";
    }
  }
  if (form.maxTokens.trim() && !isWhole(form.maxTokens, -1)) {
    wrong.maxTokens = "A number of tokens; -1 or nothing: as many as the server allows";
  }
  if (form.contextWindow.trim() && !isWhole(form.contextWindow, 1)) {
    wrong.contextWindow = "A number of tokens, such as 128000";
  }
  return wrong;
}

/** Return what is sent; nothing stands for what is not said. */
export function toBody(form) {
  return {
    id: form.id.trim(),
    api: form.api,
    baseUrl: form.baseUrl.trim(),
    key: form.key,
    model: form.model.trim(),
    maxTokens: whole(form.maxTokens),
    contextWindow: whole(form.contextWindow),
    images: form.images,
    computerUse: form.computerUse,
    inputPrice: form.inputPrice.trim(),
    outputPrice: form.outputPrice.trim(),
  };
}

function described(row) {
  return { images: row.images ?? false, computerUse: row.computerUse ?? false, inputPrice: text(row.inputPrice), outputPrice: text(row.outputPrice) };
}

function text(value, usual = "") {
  return value === undefined || value === null ? usual : String(value);
}

function whole(typed) {
  return typed.trim() ? Number(typed) : undefined;
}

function isWhole(typed, least) {
  const number = Number(typed);
  return Number.isInteger(number) && number >= least && number !== 0;
}
