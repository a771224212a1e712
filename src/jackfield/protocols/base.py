"""What every protocol is: a two-sided, sans-IO codec.

`parse_*` reads the wire, `render_*` writes it. A client renders requests and parses replies;
a gateway parses requests and renders replies. Nothing under this package opens a socket,
reads a clock or knows a provider's name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Protocol as TypingProtocol

import msgspec

from jackfield.errors import BadReply, Error, InvalidRequest
from jackfield.events import StreamEvent
from jackfield.message import ChatRequest, ChatResponse, JsonObject
from jackfield.model import Compat

# A body as it came from the wire, or already decoded.
Body = bytes | str | Mapping[str, object]
NATIVE = Compat()
NO_EVENT = frozenset(("", "[DONE]"))  # what a stream may say in an event's place
MOST = 10**12  # of whatever a wire counts: no reply has more tokens


class StreamParser(TypingProtocol):
    """Turns a reply's bytes into events. One object per stream."""

    skipped: int  # malformed events that the others were heard without

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take the next bytes, cut anywhere; raise the provider's error when the stream carries one."""
        ...

    def close(self) -> Sequence[StreamEvent]:
        """Say that the stream has ended cleanly; raise `StreamBroken` when the reply is not complete."""
        ...


class StreamRenderer(TypingProtocol):
    """Turns events into a reply's bytes. One object per stream."""

    def feed(self, event: StreamEvent) -> bytes:
        """Return the bytes that say this event (may be empty)."""
        ...

    def close(self) -> bytes:
        """Return the bytes that end the stream well."""
        ...

    def fail(self, error: Error) -> bytes:
        """Return the wire's own in-stream error; a broken reply never ends cleanly."""
        ...


class Protocol(TypingProtocol):
    """The functions a protocol's package exports; `load` returns the package itself."""

    NAME: str
    # What this wire does not carry as it is meant, and its fate (see `features`).
    LIMITS: Mapping[str, str]
    # Stream content type this protocol answers with.
    STREAM_TYPE: str
    StreamParser: type[StreamParser]
    StreamRenderer: type[StreamRenderer]

    @staticmethod
    def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
        """Write a request as the wire's JSON body; `request.model` is already the wire's own id."""
        ...

    @staticmethod
    def parse_request(body: Body) -> ChatRequest:
        """Read a caller's request; raise `InvalidRequest` naming the field that is wrong."""
        ...

    @staticmethod
    def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
        """Name what this wire cannot carry of the request, in words for the user."""
        ...

    @staticmethod
    def render_response(response: ChatResponse) -> JsonObject:
        """Write a whole reply."""
        ...

    @staticmethod
    def parse_response(body: Body) -> ChatResponse:
        """Read a whole reply; raise the provider's error when the body is one, `BadReply` when it is neither."""
        ...

    @staticmethod
    def render_error(error: Error) -> tuple[int, JsonObject]:
        """Write an error in the wire's shape: HTTP status and body."""
        ...

    @staticmethod
    def parse_error(status: int, body: Body, headers: Mapping[str, str] = {}) -> Error:
        """Read a refused request; never raises, whatever the body is. Header names are lower-case."""
        ...

    @staticmethod
    def auth_headers(secret: str) -> dict[str, str]:
        """Return the headers that carry a credential on this wire."""
        ...


def own_fields(opaque: JsonObject | None, api: str) -> JsonObject:
    """Return what `api`'s wire left in a value's `opaque`; another wire's fields are not ours to send."""
    held = (opaque or {}).get(api)
    return held if isinstance(held, dict) else {}


def as_opaque(fields: JsonObject, api: str) -> JsonObject | None:
    """Keep a wire's own further fields under its name, so that only it gets them back."""
    return {api: fields} if fields else None


def as_count(value: object) -> int | None:
    """Return the value when it is a count: whole, not below zero, not beyond all reason; else `None`."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST else None


def bearer_headers(secret: str) -> dict[str, str]:
    """Return the header that carries a key as most wires ask for it."""
    return {"authorization": f"Bearer {secret}"}


def decode(body: Body, what: str = "reply") -> JsonObject:
    """Return a body as a JSON object; raise `BadReply` when it is none."""
    if not isinstance(body, bytes | str):
        return dict(body)
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadReply(f"the {what} is not JSON: {error}: {preview(body)}") from error
    if not isinstance(value, dict):
        raise BadReply(f"the {what} is not a JSON object: {preview(body)}")
    return value


def decode_request(body: Body) -> JsonObject:
    """Return a caller's body as a JSON object; raise `InvalidRequest` when it is none."""
    try:
        return decode(body, "request")
    except BadReply as error:
        raise InvalidRequest(error.message, status=400) from error


def decode_object(text: str) -> JsonObject | None:
    """Return the JSON object that a text spells, `None` where it spells none: a tool's arguments may be cut."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def as_input(arguments: str) -> JsonObject:
    """Return a call's arguments as the object that most wires ask for.

    Text that is no JSON object stands whole under the one key `arguments`: the model reads
    what it wrote, and the request is valid.
    """
    if arguments.strip() in ("", "null"):  # some models' way to say: no arguments
        return {}
    value = decode_object(arguments)
    return {"arguments": arguments} if value is None else value


def decode_event(text: str) -> object:
    """Return the value of a streamed event; half a character escaped in it becomes U+FFFD.

    Servers that cut their words between UTF-16 units send such halves; the words around them count.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        if "\\ud" not in text.lower():
            raise
    try:
        units = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-16", "surrogatepass")
    except ValueError as error:
        raise msgspec.DecodeError(str(error)) from error
    return msgspec.json.decode(units.decode("utf-16", "replace"))


def preview(body: bytes | str, limit: int = 120) -> str:
    """Return the start of a body on one line, for an error message."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    text = " ".join(text.split())
    return repr(text if len(text) <= limit else text[:limit] + "…")
