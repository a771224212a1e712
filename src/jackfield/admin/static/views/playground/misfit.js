// Whether a value fits a JSON Schema, as far as structured answers go: types, properties, items, enums, bounds, choices. Pure.

const MOST = 20;
const DEEPEST = 40;
const TYPES = {
  null: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  array: Array.isArray,
  object: isObject,
};

/** Return what does not fit: ["city: is missing", …], the first twenty; empty when all does. */
export function findMisfits(value, schema) {
  const found = [];
  look({ value, schema, path: "", root: schema, depth: 0 }, (path, what) => found.push(path ? `${path}: ${what}` : `the answer ${what}`));
  return found.slice(0, MOST);
}

function look(at, tell) {
  const schema = resolve(at.schema, at.root);
  if (schema === false) {
    tell(at.path, "is not in the schema");
  }
  if (!isObject(schema) || at.depth > DEEPEST) {
    return;
  }
  for (const [keyword, check] of Object.entries(CHECKS)) {
    if (Object.hasOwn(schema, keyword)) {
      check({ ...at, schema, word: schema[keyword] }, tell);
    }
  }
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function resolve(schema, root) {
  const path = typeof schema?.$ref === "string" && schema.$ref.startsWith("#/") ? schema.$ref.slice(2).split("/") : null;
  return path ? path.reduce((place, name) => place?.[name.replace(/~1/g, "/").replace(/~0/g, "~")], root) : schema;
}

function within(at, key, value, schema) {
  return { ...at, value, schema, path: at.path ? `${at.path}.${key}` : String(key), depth: at.depth + 1 };
}

function fits(at, schema) {
  let isFit = true;
  look({ ...at, schema, depth: at.depth + 1 }, () => {
    isFit = false;
  });
  return isFit;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const CHECKS = {
  type: ({ value, word, path }, tell) => {
    const names = [word].flat();
    if (!names.some((name) => TYPES[name]?.(value))) {
      tell(path, `is no ${names.join(" or ")}`);
    }
  },
  enum: ({ value, word, path }, tell) => word.some((each) => same(each, value)) || tell(path, `is none of ${word.map((each) => JSON.stringify(each)).join(", ")}`),
  const: ({ value, word, path }, tell) => same(word, value) || tell(path, `is not ${JSON.stringify(word)}`),
  required: ({ value, word, path }, tell) => {
    for (const name of isObject(value) ? word.filter((each) => !Object.hasOwn(value, each)) : []) {
      tell(path ? `${path}.${name}` : name, "is missing");
    }
  },
  properties: (at, tell) => {
    for (const [name, schema] of isObject(at.value) ? Object.entries(at.word) : []) {
      if (Object.hasOwn(at.value, name)) {
        look(within(at, name, at.value[name], schema), tell);
      }
    }
  },
  additionalProperties: (at, tell) => {
    const known = at.schema.properties ?? {};
    for (const [name, value] of isObject(at.value) ? Object.entries(at.value) : []) {
      if (!Object.hasOwn(known, name)) {
        look(within(at, name, value, at.word), tell);
      }
    }
  },
  items: (at, tell) => Array.isArray(at.value) && at.value.forEach((value, number) => look(within(at, number, value, at.word), tell)),
  minItems: ({ value, word, path }, tell) => Array.isArray(value) && value.length < word && tell(path, `has fewer than ${word} items`),
  maxItems: ({ value, word, path }, tell) => Array.isArray(value) && value.length > word && tell(path, `has more than ${word} items`),
  minLength: ({ value, word, path }, tell) => typeof value === "string" && [...value].length < word && tell(path, `is shorter than ${word}`),
  maxLength: ({ value, word, path }, tell) => typeof value === "string" && [...value].length > word && tell(path, `is longer than ${word}`),
  minimum: ({ value, word, path }, tell) => typeof value === "number" && value < word && tell(path, `is below ${word}`),
  maximum: ({ value, word, path }, tell) => typeof value === "number" && value > word && tell(path, `is above ${word}`),
  anyOf: (at, tell) => at.word.some((schema) => fits(at, schema)) || tell(at.path, "fits none of the choices"),
  oneOf: (at, tell) => at.word.filter((schema) => fits(at, schema)).length === 1 || tell(at.path, "does not fit exactly one of the choices"),
  allOf: (at, tell) => at.word.forEach((schema) => look({ ...at, schema, depth: at.depth + 1 }, tell)),
};
