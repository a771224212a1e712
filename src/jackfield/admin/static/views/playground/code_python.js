// Values as Python writes them. Pure.

const WIDE = 88;

/** Reads a file for a request, where a program needs it. */
export const openFile = ["def load(path):", "    return b64encode(Path(path).read_bytes()).decode()"].join("\n");

/** Tell whether a body holds the data of attached files. */
export function loads(body) {
  return JSON.stringify(body).includes("\\u0001file:");
}

/** Write a JSON value as a Python literal; lists and objects go over several lines when they are long. */
export function literal(value, margin = 0) {
  if (value === null || typeof value === "boolean") {
    return { null: "None", true: "True", false: "False" }[value];
  }
  if (typeof value !== "object") {
    return JSON.stringify(value);
  }
  const isList = Array.isArray(value);
  const inner = Object.entries(value).map(([name, each]) => `${isList ? "" : `${JSON.stringify(name)}: `}${literal(each, margin + 4)}`);
  return wrap(isList ? "[" : "{", inner, isList ? "]" : "}", margin);
}

/** Write a literal in which attached files are read by `load`. */
export function body(value, files, margin = 0) {
  return withFiles(literal(value, margin), files);
}

/** Put the reading of files in the place of their marks. */
export function withFiles(text, files) {
  return text.replace(/"((?:[^"\\]|\\.)*?)\\u0001file:(\d+)\\u0001"/g, (_, before, number) => {
    const read = `load(${JSON.stringify(files[number].name)})`;
    return before ? `"${before}" + ${read}` : read;
  });
}

/** Write a call: name(first, key=value). */
export function call(name, given, margin = 0) {
  return wrap(`${name}(`, given, ")", margin);
}

/** Put items between brackets: on one line where they fit, else one below the other. */
export function wrap(open, items, close, margin = 0) {
  const line = `${open}${items.join(", ")}${close}`;
  if (margin + line.length <= WIDE && !line.includes("\n")) {
    return line;
  }
  const pad = " ".repeat(margin + 4);
  return [open, ...items.map((item) => `${pad}${item},`), `${" ".repeat(margin)}${close}`].join("\n");
}
