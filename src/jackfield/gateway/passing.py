"""A stream passed on as it came: bytes of whole events, read beside for what they mean.

Only events that are complete leave, so that a sign of life or an error may stand between them;
the mark that ends a stream well waits until the reply has proven to be whole. Nearly every event
is some more words, which change nothing that matters here: they are read only if somebody must count them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Raw, Struct

from jackfield.errors import BadReply, Error
from jackfield.events import Accumulator, MessageStart
from jackfield.gateway.wires import COMPLETIONS, GEMINI, MESSAGES, RESPONSES
from jackfield.message import ChatResponse
from jackfield.protocols import load
from jackfield.protocols.base import NO_EVENT
from jackfield.protocols.sse import MAX_EVENT_BYTES, SseDecoder
from jackfield.routing.walk import is_content
from jackfield.transport.reply import REPLY_LIMIT

EVENT = re.compile(rb".*?(?:\r?\n){2}", re.DOTALL)
NO_CHOICES = re.compile(rb'"choices": ?\[\]')
DONE = (b"data: [DONE]", b"data:[DONE]")
END = b"data: [DONE]\n\n"
JSON = msgspec.json.Decoder(Raw)  # looks, and builds nothing
NO_JSON = (msgspec.DecodeError, UnicodeError, RecursionError)


class _Choice(Struct, frozen=True, gc=False):
    finish_reason: None = None


class _Words(Struct, frozen=True, gc=False):
    choices: tuple[_Choice, ...]
    usage: None = None


# Wire → how an event begins that holds nothing but more words, and what tells in one look that it is sound: nearly
# every read is one such event, and to look for each of these things by itself takes three times as long.
SHAPES: dict[str, tuple[bytes, msgspec.json.Decoder[Any]]] = {
    COMPLETIONS: (b"data: ", msgspec.json.Decoder(_Words)),
    MESSAGES: (b"event: content_block_delta\ndata: ", JSON),
    RESPONSES: (b"event: response.output_text.delta\ndata: ", JSON),
}


def _only_null(field: bytes, data: bytes) -> bool:
    return data.count(field) == data.count(field + b":null") + data.count(field + b": null")


def _is_words(data: bytes) -> bool:
    """Tell whether events of OpenAI's chat neither end the reply nor count it."""
    return _only_null(b'"finish_reason"', data) and _only_null(b'"usage"', data) and b"[DONE]" not in data


def _are_deltas(data: bytes) -> bool:
    return 0 < data.count(b"event: ") == data.count(b"event: content_block_delta\n")


def _are_pieces(data: bytes) -> bool:
    return 0 < data.count(b"event: ") == data.count(b".delta\ndata: ")


def _end_of_events(data: bytes | bytearray, start: int = 0) -> int:
    """Return where the last event that is whole ends; 0: none is."""
    end = max(data.rfind(b"\n\n", start) + 2, data.rfind(b"\r\n\r\n", start) + 4)
    return end if end >= 4 else 0


def _is_sound(event: bytes) -> bool:
    """Tell whether an event holds JSON, or nothing that a client would read as some."""
    if event in DONE:
        return True
    try:
        JSON.decode(event[event.find(b"data: ") + 6 :])
    except NO_JSON:
        decoder = SseDecoder()
        return all(map(_is_json, (each.data for each in (*decoder.feed(event), *decoder.close()))))
    return True


def _is_json(data: str) -> bool:
    try:
        JSON.decode(data)
    except NO_JSON:
        return data.strip() in NO_EVENT
    return True


# Wire → whether bytes hold nothing but more words.
PLAIN: dict[str, Callable[[bytes], bool]] = {
    COMPLETIONS: _is_words,
    MESSAGES: _are_deltas,
    RESPONSES: _are_pieces,
    GEMINI: lambda data: b"finishReason" not in data,
}


class Passing:
    """One stream on its way. `has_begun` once there was content: nothing leaves before. `failed` ends it."""

    def __init__(self, wire: str, ref: str, *, drops_usage: bool = False) -> None:
        self.has_begun = False
        self.failed: Error | None = None  # what the stream says is wrong, once the words before it are out
        self._heard = Accumulator()
        self._wire = wire
        self._parser = load(wire).StreamParser()
        self._is_plain = PLAIN[wire]
        self._begins, self._shape = SHAPES.get(wire, (b"", JSON))
        self._parts: list[bytes] = []
        self._has_skipped = False
        self._ref = ref
        self._field = "modelVersion" if wire == GEMINI else "model"
        self._names: list[tuple[bytes, bytes]] = []  # the model's own name, and who it is here
        # Some clients fall over the chunk that counts tokens, and it was not they who asked for it.
        self._drops_usage = drops_usage and wire == COMPLETIONS
        self._rest = bytearray()
        self._held = b""  # what came before the first content
        self._end = b""
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes, cut anywhere, and return those that may be passed on; raise `failed` when none are left."""
        if self.has_begun and not self._rest and (words := self._pass_words(chunk)):
            return words
        if not self._rest and chunk.endswith(b"\n\n"):
            return self._let_go(self._pass(chunk))
        # An event may be some megabytes in small pieces: only what is new is looked at.
        looked = max(len(self._rest) - 3, 0)
        self._rest += chunk
        if not (cut := _end_of_events(self._rest, looked)):
            if len(self._rest) > MAX_EVENT_BYTES:
                raise BadReply(f"an event of the stream is over {MAX_EVENT_BYTES} bytes")
            return b""
        data = bytes(self._rest[:cut])
        del self._rest[:cut]
        return self._let_go(self._pass(data))

    def _let_go(self, data: bytes) -> bytes:
        if self._held or not self.has_begun:
            self._held = data = self._held + data
            if not self.has_begun:
                data = b""
            else:
                self._held = b""
        if self.failed and not data:
            raise self.failed
        return data

    def close(self) -> bytes:
        """Return the last bytes; raise `StreamBroken` when the reply is not complete."""
        last = self._pass(bytes(self._rest) + b"\n\n") if self._rest else b""
        if self.failed:
            raise self.failed
        for event in self._parser.close():
            self._heard.feed(event)
            self.has_begun = True
        last = self._held + last
        # Not every server says it, and every client may wait for it.
        return last + (self._end or (END if self._wire == COMPLETIONS else b""))

    @property
    def is_complete(self) -> bool:
        """Tell whether the reply has ended well."""
        return self._heard.complete

    def reply(self) -> ChatResponse:
        """Return the reply so far; with its words only where its provider has not counted them."""
        said = self._heard.response()
        is_counted = self.is_complete and said.usage.input is not None and said.usage.output is not None
        return said if is_counted or not self._has_skipped else self.read_again()

    def read_again(self) -> ChatResponse:
        """Return the reply so far, every word of it."""
        heard, parser = Accumulator(), load(self._wire).StreamParser()
        with suppress(Error):
            for part in self._parts:
                for event in parser.feed(part):
                    heard.feed(event)
        return heard.response()

    def _keep(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > REPLY_LIMIT:
            raise BadReply(f"the stream is over {REPLY_LIMIT} bytes")

    def _pass(self, data: bytes) -> bytes:
        self._keep(data)
        if b"error" not in data and all(map(_is_sound, filter(None, data.split(b"\n\n")))):
            if self.has_begun and self._is_plain(data):
                self._has_skipped = True
                return self._renamed(data)
            return self._pass_plain(data)
        said = b""
        for event in EVENT.findall(data) or [data]:
            try:
                passed = self._pass_plain(event)
                # What is no JSON is counted here as in every reply, and no client falls over it.
                said += passed if _is_sound(event) else b""
                self._parser.feed(b"")  # an error waits until the words before it are out
            except Error as error:
                self.failed = error
                break
        return said

    def _pass_words(self, data: bytes) -> bytes:
        """Return what may be passed on where this is one whole event with some more words, as it is nearly always."""
        if not (self._begins and data.startswith(self._begins) and data.endswith(b"\n\n")) or b"error" in data:
            return b""
        try:
            self._shape.decode(data[len(self._begins) :])
        except NO_JSON:
            return b""
        self._keep(data)
        self._has_skipped = True
        return self._renamed(data) if self._names else data

    def _pass_plain(self, data: bytes) -> bytes:
        for event in self._parser.feed(data):
            self._heard.feed(event)
            if isinstance(event, MessageStart):
                self._learn_name(event.model, data)
            elif not self.has_begun:
                self.has_begun = is_content(event)
        data = self._renamed(data)
        if self._drops_usage and (b'"choices":[]' in data or b'"choices": []' in data):
            data = b"".join(event for event in EVENT.findall(data) if not NO_CHOICES.search(event))
        if b"[DONE]" in data:
            data = self._hold_end(data)
        return data

    def _renamed(self, data: bytes) -> bytes:
        for own, ours in self._names:
            data = data.replace(own, ours)
        return data

    def _learn_name(self, name: str, data: bytes) -> None:
        if not name or name == self._ref:
            return
        own, ours = msgspec.json.encode(name), msgspec.json.encode(self._ref)
        field = msgspec.json.encode(self._field)
        # A text inside of a text has its quotes escaped, so that only fields are found.
        self._names = [
            (field + between + own, field + between + ours)
            for between in (b":", b": ")
            if field + between + own in data
        ]  # fmt: skip

    def _hold_end(self, data: bytes) -> bytes:
        for mark in DONE:
            at = 0 if data.startswith(mark) else data.find(b"\n" + mark) + 1
            if at or data.startswith(mark):
                self._end = data[at:]
                return data[:at]
        return data
