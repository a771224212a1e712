// A request in the words of the Python library, sent through the gateway. Pure.

import { call, literal, loads, openFile, withFiles, wrap } from "./code_python.js";

// A field of the body → the library's argument and how it is written.
const FIELDS = {
  temperature: ["temperature", literal],
  top_p: ["top_p", literal],
  max_tokens: ["max_tokens", literal],
  stop: ["stop", literal],
  seed: ["seed", literal],
  reasoning_effort: ["thinking", (level) => `jackfield.Thinking(${literal(level === "none" ? "off" : level)})`],
  tools: ["tools", (tools, margin) => wrap("[", tools.map((tool) => toolOf(tool, margin + 4)), "]", margin)],
  tool_choice: ["tool_choice", (mode) => `jackfield.ToolChoice(${literal(mode)})`],
  response_format: ["response_format", formatOf],
};

/** Write the program. */
export function jackfieldCode({ url, body, files, key }) {
  const { model, messages, fallbacks, ...fields } = body;
  const given = [`model=${literal(`gateway/${model}`)}`];
  const system = messages.filter((each) => each.role === "system");
  if (system.length) {
    given.push(`system=[${system.map((each) => `jackfield.TextBlock(${literal(each.content)})`).join(", ")}]`);
  }
  given.push(`messages=${wrap("[", turnsOf(messages, 8), "]", 4)}`);
  for (const [name, value] of Object.entries(fields)) {
    const [argument, write] = FIELDS[name];
    given.push(`${argument}=${write(value, 4)}`);
  }
  if (fallbacks) {
    given.push(`extras=${literal({ fallbacks }, 4)}`);
  }
  const hasFiles = loads(body);
  return withFiles(
    [
      "# pip install jackfield",
      ...(hasFiles ? ["from base64 import b64encode", "from pathlib import Path", ""] : []),
      "import jackfield",
      "",
      ...(hasFiles ? ["", openFile, "", ""] : []),
      `gateway = ${literal(providerOf(url, key, body))}`,
      `request = ${call("jackfield.ChatRequest", given)}`,
      'with jackfield.Client({"models": {"providers": {"gateway": gateway}}}) as client:',
      "    reply = client.chat(request)",
      `    print(${fields.tools ? "reply.text, reply.tool_calls" : "reply.text"})`,
      "",
    ].join("\n"),
    files,
  );
}

function providerOf(url, key, { model, messages, reasoning_effort: level }) {
  const kinds = messages.flatMap((each) => (Array.isArray(each.content) ? each.content.map((part) => part.type) : []));
  const input = Object.entries(INPUTS).filter(([kind]) => kinds.includes(kind)).map(([, name]) => name);
  const row = { id: model, ...(level && { reasoning: true }), ...(input.length && { input: ["text", ...input] }) };
  return { baseUrl: `${url}/v1`, api: "openai-completions", apiKey: key, models: [row] };
}

const INPUTS = { image_url: "image", file: "document", input_audio: "audio" };

function turnsOf(messages, margin) {
  const turns = [];
  for (const each of messages.filter((message) => message.role !== "system")) {
    const [role, blocks] = BLOCKS[each.role](each, margin + 4);
    const last = turns.at(-1);
    if (each.role === "tool" && last?.isResults) {
      last.blocks.push(...blocks);
    } else {
      turns.push({ role, blocks, isResults: each.role === "tool" });
    }
  }
  return turns.map(({ role, blocks }) => call(`jackfield.Message.${role}`, blocks, margin));
}

// A message's role → the turn's, and its blocks.
const BLOCKS = {
  user: ({ content }, margin) => ["user", partsOf(content).map((part) => blockOf(part, margin))],
  assistant: ({ content, tool_calls: calls = [] }, margin) => [
    "assistant",
    [...partsOf(content ?? "").map((part) => blockOf(part, margin)), ...calls.map((each) => callOf(each, margin))],
  ],
  tool: ({ tool_call_id: id, content }, margin) => [
    "user",
    [call("jackfield.ToolResult", [literal(id), `[jackfield.TextBlock(${literal(content)})]`], margin)],
  ],
};

function partsOf(content) {
  return Array.isArray(content) ? content : content ? [{ type: "text", text: content }] : [];
}

function callOf({ id, function: { name, arguments: given } }, margin) {
  return call("jackfield.ToolCall", [id, name, given].map((each) => literal(each)), margin);
}

function blockOf(part, margin) {
  return PARTS[part.type]?.(part, margin) ?? literal(part.text ?? "");
}

const PARTS = {
  image_url: ({ image_url: { url } }, margin) => mediaOf("jackfield.ImageBlock", url, [], margin),
  file: ({ file }, margin) => mediaOf("jackfield.DocumentBlock", file.file_data, [`name=${literal(file.filename)}`], margin),
  input_audio: ({ input_audio: { data, format } }, margin) =>
    call("jackfield.AudioBlock", [literal(format === "mp3" ? "audio/mpeg" : "audio/wav"), literal(data)], margin),
};

function mediaOf(name, url, more, margin) {
  const [, type, data] = /^data:([^;]*);base64,(.*)$/s.exec(url) ?? [];
  return data === undefined ? call(name, [`url=${literal(url)}`, ...more], margin) : call(name, [literal(type), literal(data), ...more], margin);
}

function toolOf({ function: { name, description, parameters } }, margin) {
  const given = [literal(name), description && literal(description), parameters && `parameters=${literal(parameters, margin + 4)}`];
  return call("jackfield.Tool", given.filter(Boolean), margin);
}

function formatOf(format, margin) {
  if (format.type !== "json_schema") {
    return "jackfield.ResponseFormat()";
  }
  const { name, schema } = format.json_schema;
  return call("jackfield.ResponseFormat", [literal(schema, margin + 4), `name=${literal(name)}`], margin);
}
