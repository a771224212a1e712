// A request as a program's: curl, Python, JavaScript. Pure. A body goes in, a text comes out; the key is a placeholder,
// and a file that was attached is named instead of written out: it is read where the program runs.

import { jackfieldCode } from "./code_jackfield.js";
import { body as pythonBody, literal as python, loads, openFile } from "./code_python.js";

/** Stands for the key in every example. */
export const KEY = "YOUR_GATEWAY_KEY";
/** Stands in a body for the data of the attached file of that number. */
export const fileMark = (number) => `\u0001file:${number}\u0001`;
const MARK = /\\u0001file:(\d+)\\u0001/g;

/** What a request can be shown as: {key: {name, render({url, body, files})}}; `url` is the gateway's. */
export const CODES = {
  curl: { name: "curl", render: curlCode },
  jackfield: { name: "Python · jackfield", render: (given) => jackfieldCode({ ...given, key: KEY }) },
  openaiPython: { name: "Python · openai", render: openaiPythonCode },
  fetch: { name: "JavaScript · fetch", render: fetchCode },
  openaiJs: { name: "JavaScript · openai", render: openaiJsCode },
};

function curlCode({ url, body, files }) {
  const json = JSON.stringify(body, null, 2);
  const hasFiles = MARK.test(json);
  MARK.lastIndex = 0;
  // Inside a quoted here-document nothing is special; where a file is to be read, the shell's own signs are escaped.
  const text = hasFiles ? json.replace(/(\\u0001file:\d+\\u0001)|[\\$`]/g, (sign, mark) => mark ?? `\\${sign}`) : json;
  const read = (_, number) => `$(base64 < ${shellWord(files[number].name)} | tr -d '\\n')`;
  return [
    `curl ${url}/v1/chat/completions \\`,
    `  -H "Authorization: Bearer ${KEY}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  --data-binary @- <<${hasFiles ? "JSON" : "'JSON'"}`,
    text.replace(MARK, read),
    "JSON",
    "",
  ].join("\n");
}

function shellWord(name) {
  return `'./${name.replaceAll("'", `'\\''`)}'`;
}

function openaiPythonCode({ url, body, files }) {
  const { fallbacks, ...known } = body;
  const fields = Object.entries(known).map(([name, value]) => `    ${name}=${pythonBody(value, files, 4)},`);
  const more = fallbacks ? [`    extra_body=${python({ fallbacks }, 4)},`] : [];
  const hasFiles = loads(body);
  return [
    "# pip install openai",
    ...(hasFiles ? ["from base64 import b64encode", "from pathlib import Path", ""] : []),
    "from openai import OpenAI",
    "",
    ...(hasFiles ? [openFile, "", ""] : []),
    `client = OpenAI(base_url=${python(`${url}/v1`)}, api_key=${python(KEY)})`,
    "reply = client.chat.completions.create(",
    ...fields,
    ...more,
    ")",
    `print(${body.tools ? "reply.choices[0].message" : "reply.choices[0].message.content"})`,
    "",
  ].join("\n");
}

function javascript(body, files, margin = "") {
  const text = JSON.stringify(body, null, 2).replace(/"((?:[^"\\]|\\.)*?)\\u0001file:(\d+)\\u0001"/g, (_, before, number) => {
    const read = `load(${JSON.stringify(files[number].name)})`;
    return before ? `"${before}" + ${read}` : read;
  });
  return text.replaceAll("\n", `\n${margin}`);
}

const LOAD = ['import { readFileSync } from "node:fs";', "", 'const load = (path) => readFileSync(path, "base64");', ""];

function fetchCode({ url, body, files }) {
  return [
    ...(loads(body) ? LOAD : []),
    `const reply = await fetch(${JSON.stringify(`${url}/v1/chat/completions`)}, {`,
    '  method: "POST",',
    `  headers: { authorization: "Bearer ${KEY}", "content-type": "application/json" },`,
    `  body: JSON.stringify(${javascript(body, files, "  ")}),`,
    "});",
    "const said = await reply.json();",
    "console.log(said.choices?.[0].message ?? said.error);",
    "",
  ].join("\n");
}

function openaiJsCode({ url, body, files }) {
  return [
    "// npm install openai",
    'import OpenAI from "openai";',
    ...(loads(body) ? LOAD : []),
    "",
    `const client = new OpenAI({ baseURL: ${JSON.stringify(`${url}/v1`)}, apiKey: "${KEY}" });`,
    `const reply = await client.chat.completions.create(${javascript(body, files)});`,
    "console.log(reply.choices[0].message);",
    "",
  ].join("\n");
}
