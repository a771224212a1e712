// Files a person adds to a question: read, known by their first bytes, within what a request may hold.

/** The most that the files of all questions may be together: as base64 they grow by a third, and a request may be 32 MB. */
export const MOST_BYTES = 23_000_000;
// The first bytes of a file, as Latin-1 → its type and the kind of block it becomes.
const MAGIC = [
  [/^\x89PNG\r\n\x1a\n/, "image/png", "image"],
  [/^\xff\xd8\xff/, "image/jpeg", "image"],
  [/^GIF8/, "image/gif", "image"],
  [/^RIFF[^]{4}WEBP/, "image/webp", "image"],
  [/^RIFF[^]{4}WAVE/, "audio/wav", "audio"],
  [/^(ID3|\xff\xfb)/, "audio/mpeg", "audio"],
  [/^%PDF-/, "application/pdf", "document"],
];
/** What the file chooser offers. */
export const ACCEPT = "image/png,image/jpeg,image/gif,image/webp,application/pdf,audio/wav,audio/mpeg,text/*,.md,.json,.csv,.log";
const ENDS = { "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp" };
let made = 0;

/** Read a file: {id, name, size, type, kind, data | text}; throws an Error that says why a model could not read it. */
export async function readFile(file) {
  const name = nameOf(file);
  const id = (made += 1);
  if (file.size > MOST_BYTES) {
    throw new Error(`${name} is too large: a request may be 32 MB`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes.length === 0) {
    throw new Error(`${name} is empty`);
  }
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  const known = MAGIC.find(([magic]) => magic.test(head));
  const base = { id, name, size: bytes.length };
  if (known) {
    return { ...base, type: known[1], kind: known[2], data: base64Of(bytes) };
  }
  const text = textOf(bytes);
  if (text === null) {
    throw new Error(`${name} is nothing a model reads: pictures (PNG, JPEG, GIF, WebP), PDF, sound (WAV, MP3) and text are`);
  }
  return { ...base, type: "text/plain", kind: "text", text };
}

// A name that a program can open again: no folders, no signs that mean something to a shell's reader.
function nameOf(file) {
  const name = (file.name ?? "").replace(/[\u0000-\u001f/\\]/g, "_").slice(-120);
  // Browsers call every pasted picture the same; a program that is to read two needs two names.
  return !name || name === "image.png" ? `pasted-${made + 1}${ENDS[file.type] ? `.${ENDS[file.type]}` : ""}` : name;
}

function textOf(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

function base64Of(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 0x8000) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  }
  return btoa(pieces.join(""));
}
