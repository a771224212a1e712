"""The protocols callers speak to us, by name, and what each has that a codec cannot know: ids, clocks, signs of life."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Protocol as TypingProtocol
from typing import cast

from msgspec import Struct

from jackfield.errors import Error
from jackfield.message import ChatRequest, ChatResponse, JsonObject
from jackfield.protocols import load
from jackfield.protocols.base import Body, StreamRenderer

COMPLETIONS, RESPONSES, MESSAGES, GEMINI = (
    "openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai",
)  # fmt: skip
LEGACY = "completions"  # OpenAI's older wire, which no provider is asked in


class Wire(TypingProtocol):
    """The server's half of a protocol."""

    STREAM_TYPE: str
    StreamRenderer: type[StreamRenderer]

    @staticmethod
    def parse_request(body: Body) -> ChatRequest:
        """Read a caller's request; raise `InvalidRequest` naming the field that is wrong."""
        ...

    @staticmethod
    def render_response(response: ChatResponse) -> JsonObject:
        """Write a whole reply."""
        ...

    @staticmethod
    def render_error(error: Error) -> tuple[int, JsonObject]:
        """Write an error in the wire's shape: HTTP status and body."""
        ...


class Habit(Struct, frozen=True):
    """What a wire's replies carry beside the answer."""

    id_prefix: str  # of replies whose provider gives none
    clock: str = ""  # the field that says when, in Unix seconds
    # Keeps a quiet stream alive. Google's client takes a comment for an answer, and a blank line for nothing.
    ping: bytes = b": keep-alive\n\n"


HABITS: dict[str, Habit] = {
    COMPLETIONS: Habit("chatcmpl-", "created"),
    LEGACY: Habit("cmpl-", "created"),
    RESPONSES: Habit("resp_", "created_at"),
    MESSAGES: Habit("msg_", ping=b'event: ping\ndata: {"type": "ping"}\n\n'),
    GEMINI: Habit("", ping=b"\n"),
}


@cache
def load_wire(name: str) -> Wire:
    """Return the server's half of a protocol."""
    if name == LEGACY:
        return cast("Wire", import_module("jackfield.gateway.completions"))
    return load(name)
