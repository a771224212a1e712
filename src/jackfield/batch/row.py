"""One row of a batch: what a line of the input asks, in a provider's batch form or in a simple one. Opens nothing.

The forms of three providers' own batches (platform.openai.com/docs/guides/batch,
docs.anthropic.com/en/docs/build-with-claude/batch-processing, ai.google.dev/gemini-api/docs/batch-api,
read 2026-11-21), and one that needs no more than a prompt.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from jackfield.embedding import EmbedRequest
from jackfield.errors import BadReply, Error, InvalidRequest
from jackfield.message import ChatRequest, JsonObject
from jackfield.protocols import load
from jackfield.protocols.base import decode
from jackfield.protocols.embeddings import openai as embeddings
from jackfield.protocols.fields import read, require, rest, wrong
from jackfield.routing.names import DEFAULT

LONGEST = 64 * 1024 * 1024  # bytes of a line; a longer one is no request
COMPLETIONS, MESSAGES, GEMINI = "openai-completions", "anthropic-messages", "google-generative-ai"
EMBEDDINGS = "embeddings"
# How an address ends → the wire that is spoken there. Gemini's names the model.
ROUTES = (
    (re.compile(r"/chat/completions$"), COMPLETIONS),
    (re.compile(r"/responses$"), "openai-responses"),
    (re.compile(r"/messages$"), MESSAGES),
    (re.compile(r"/models/(?P<model>.+):(?:generateContent|streamGenerateContent)$"), GEMINI),
    (re.compile(r"/embeddings$"), EMBEDDINGS),
)
# Where the body stands in a row → the wire it is written in; empty: its address says.
BODIES = {"body": "", "params": MESSAGES, "request": GEMINI}
NAMES = ("custom_id", "id", "key")  # what a row may call itself by
ID = re.compile(r"batch_req_(\d+)_([0-9a-f]{16})")


class Place(Struct, frozen=True):
    """Which row it is, over all runs: its line from 1, and 64 bits of what stands there."""

    line: int
    digest: int

    @property
    def id(self) -> str:
        """The row's name in the output; `parse_id` reads it."""
        return f"batch_req_{self.line}_{self.digest:016x}"


class Row(Struct, frozen=True, kw_only=True):
    """What a line asks, or why it asks nothing."""

    place: Place
    custom_id: str | int | None
    wire: str = COMPLETIONS
    is_simple: bool = False
    asked: ChatRequest | EmbedRequest | Error


def find_place(line: int, raw: bytes) -> Place:
    """Return the identity of a line; white space at its ends does not count."""
    # 0 is for a line of which nothing is known.
    return Place(line, int.from_bytes(blake2b(raw.strip(), digest_size=8).digest(), "big") or 1)


def parse_id(text: str) -> Place | None:
    """Return the identity that a name in the output spells, `None` where it spells none."""
    match = ID.fullmatch(text)
    return Place(int(match[1]), int(match[2], 16)) if match else None


def parse_row(line: int, raw: bytes, model: str = "") -> Row:
    """Read a line; one that asks nothing becomes a row whose `asked` is the error. `model` is for rows that name none."""
    place = find_place(line, raw)
    row = Row(place=place, custom_id=None, asked=InvalidRequest(f"line {line} is longer than {LONGEST} bytes"))
    if len(raw) >= LONGEST:
        return row
    try:
        said = decode(raw, "row")
    except BadReply as error:
        return replace(row, asked=InvalidRequest(f"line {line}: {error.message}"))
    custom_id = next((said[name] for name in NAMES if said.get(name) is not None), None)
    row = replace(row, custom_id=custom_id if isinstance(custom_id, str | int) else None)
    try:
        if custom_id is not None and row.custom_id is None:
            raise wrong("custom_id", "must be a string")
        wire, body, named, is_simple = _parse_form(said)
        return replace(row, wire=wire, is_simple=is_simple, asked=_parse_body(wire, body, named, model))
    except Error as error:
        return replace(row, asked=InvalidRequest(f"line {line}: {error.message}", hint=error.hint))


def _parse_form(said: JsonObject) -> tuple[str, JsonObject, str, bool]:
    """Return the wire, the body, the model that the address names, and whether the row is in the simple form."""
    held = next((name for name in BODIES if name in said), None)
    if held is None and "url" not in said:
        return *_parse_simple(rest(said, NAMES)), "", True
    if (read(said, "method", str) or "POST").upper() != "POST":
        raise wrong("method", "must be POST")
    body = dict(require(said, held or "body", dict))
    url = read(said, "url", str)
    if url is None:
        if not BODIES[held or "body"]:
            raise wrong("url", "is required")
        return BODIES[held or "body"], body, read(said, "model", str) or "", False
    path = "/" + unquote(urlsplit(url).path).strip("/")
    for pattern, wire in ROUTES:
        if match := pattern.search(path):
            return wire, body, match.groupdict().get("model", ""), False
    raise InvalidRequest(
        f"url {url!r} is none that a batch can ask",
        hint="it ends in /chat/completions, /responses, /messages, /models/MODEL:generateContent or /embeddings",
    )


def _parse_simple(said: JsonObject) -> tuple[str, JsonObject]:
    """Return a simple row as a body of OpenAI's: what it says beside the prompt are fields of the body."""
    given = [name for name in ("prompt", "messages", "input") if name in said]
    if len(given) != 1:
        raise InvalidRequest("a row needs one of prompt, messages, input, or url and body")
    if given == ["input"]:
        return EMBEDDINGS, said
    system = read(said, "system", str)
    body = rest(said, ("prompt", "system"))
    body.setdefault("messages", [{"role": "user", "content": said.get("prompt")}])
    if system is not None and isinstance(body["messages"], list):
        body["messages"] = [{"role": "system", "content": system}, *body["messages"]]
    return COMPLETIONS, body


def _parse_body(wire: str, body: JsonObject, named: str, model: str) -> ChatRequest | EmbedRequest:
    name = named or read(body, "model", str) or model
    if wire == EMBEDDINGS:
        if not name:
            raise wrong("model", "is required for vectors: name it in the row, or with --model")
        return embeddings.parse_request({**body, "model": name})
    body["model"] = name or DEFAULT
    request = load(wire).parse_request(body)
    # A wire whose address names the model has no such field.
    return replace(request, model=body["model"], stream=False)
