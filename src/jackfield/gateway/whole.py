"""A whole reply that is passed on: looked at no deeper than what it took; what looks odd is read in full."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Raw, Struct

from jackfield.errors import BadReply
from jackfield.gateway.wires import COMPLETIONS, GEMINI, MESSAGES, RESPONSES
from jackfield.message import ChatResponse, JsonObject, Usage
from jackfield.protocols import load
from jackfield.protocols.anthropic_messages.response import parse_usage as of_messages
from jackfield.protocols.base import preview
from jackfield.protocols.google_generative_ai.usage import parse_usage as of_gemini
from jackfield.protocols.openai_completions.usage import parse_usage as of_completions
from jackfield.protocols.openai_responses.usage import parse_usage as of_responses
from jackfield.protocols.plain import Closed, read_plain

Shallow = dict[str, Raw]
SHALLOW = msgspec.json.Decoder(Shallow)
OBJECT = msgspec.json.Decoder(JsonObject)
# Wire → where its answer stands, where its counts stand, who reads them, where it says who answers.
PLACES: dict[str, tuple[str, str, Callable[[JsonObject], Usage], str]] = {
    COMPLETIONS: ("choices", "usage", of_completions, "model"),
    RESPONSES: ("output", "usage", of_responses, "model"),
    MESSAGES: ("content", "usage", of_messages, "model"),
    GEMINI: ("candidates", "usageMetadata", of_gemini, "modelVersion"),
}
NOTHING = b"{}"
EMPTY = frozenset({b"[]", b"null", b""})


class _Counts(Closed, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int | None = None


COUNTS = msgspec.json.Decoder(_Counts)


def read_usage(data: Raw | bytes) -> Usage | None:
    """Return the counts where there are no others than the usual two."""
    said = read_plain(COUNTS, bytes(data))
    if said is None or said.prompt_tokens < 0 or said.completion_tokens < 0:
        return None
    return Usage(said.prompt_tokens, said.completion_tokens)


class Whole(Struct, frozen=True):
    """A reply's fields as they came, its counts, and all of it where it was read."""

    fields: Shallow
    usage: Usage
    reply: ChatResponse | None = None


def read_whole(wire: str, data: bytes, named: Raw) -> Whole:
    """Return a reply that may be passed on, as that model's; raise what it says is wrong, `BadReply` when it is none."""
    answer, counts, parse_usage, name = PLACES[wire]
    try:
        fields = SHALLOW.decode(data)
        held = fields.get(counts, NOTHING)
        held = NOTHING if bytes(held) == b"null" else held
        usage = (read_usage(held) if wire == COMPLETIONS else None) or parse_usage(OBJECT.decode(held))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        load(wire).parse_response(data)
        raise BadReply(f"the reply is no JSON object: {preview(data)}") from error
    fields[name] = named
    is_plain = usage.input is not None and usage.output is not None and "error" not in fields
    if is_plain and bytes(fields.get(answer, b"")) not in EMPTY:
        return Whole(fields, usage)
    reply = load(wire).parse_response(data)
    return Whole(fields, reply.usage, reply)
