"""Streamed replies of this wire: a line of JSON for each piece, calls whole, the counts with the last.

The wire never closes a block: words and thoughts close when another kind begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from jackfield.errors import BadReply, StreamBroken
from jackfield.events import MessageEnd, MessageStart, StreamEvent
from jackfield.message import Block, JsonObject, TextBlock, ThinkingBlock, TokenLogprob, ToolCall
from jackfield.protocols.base import NO_EVENT, decode_event, preview
from jackfield.protocols.fields import as_text, rest
from jackfield.protocols.ndjson import LineDecoder
from jackfield.protocols.ollama.errors import parse_error
from jackfield.protocols.ollama.messages import parse_message
from jackfield.protocols.ollama.plain import PLAIN
from jackfield.protocols.ollama.response import REPLY_KEYS, find_message, parse_finish, parse_logprobs, parse_usage
from jackfield.protocols.outbox import Outbox
from jackfield.protocols.plain import read_plain

HEAD_BYTES = 200


class StreamParser:
    """Turns a reply's bytes into events. One object per stream."""

    def __init__(self) -> None:
        self.plain = PLAIN
        self.skipped = 0
        self._lines = LineDecoder()
        self._out = Outbox()
        self._head = b""  # the first bytes, to say what came instead of a reply
        self._started = self._ended = False
        self._number = 0  # of the line, for ids of calls that have none
        self._open: tuple[type[Block], int] | None = None  # the words or thoughts that go on
        self._calls: list[Block] = []
        self._first: JsonObject = {}
        self._logprobs: list[TokenLogprob] = []

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take the next bytes, cut anywhere; raise the server's error when the stream carries one."""
        if len(self._head) < HEAD_BYTES:
            self._head = (self._head + data)[:HEAD_BYTES]
        return self._read(self._lines.feed(data))

    def close(self) -> Sequence[StreamEvent]:
        """Say that the stream has ended cleanly; raise `StreamBroken` when the reply is not complete."""
        events = self._read(self._lines.close())
        if not self._ended and self._out.error is None:
            said = self._head.strip()
            broken = StreamBroken("the stream ended before the reply did")
            self._out.fail(broken if self._started or not said else BadReply(f"not lines of JSON: {preview(said)}"))
        return (*events, *self._out.take())

    def _read(self, lines: Iterable[str]) -> Sequence[StreamEvent]:
        for line in lines:
            self._take(line)
        return self._out.take()

    def _take(self, line: str) -> None:
        if self._ended or self._out.error is not None:
            return
        self._number += 1
        if self._open and self._open[0] is TextBlock and (words := read_plain(self.plain, line)) and not words.done:
            self._out.grow(self._open[1], words.message.content)
            return
        try:
            piece = decode_event(line)
        except (msgspec.DecodeError, UnicodeError):
            piece = None  # a broken line among whole ones: no word is worth losing the others for
        except RecursionError:
            self._out.fail(BadReply("a line of the stream is nested too deeply"))
            return
        if isinstance(piece, dict) and piece.get("error"):
            self._out.fail(parse_error(200, piece))
        elif isinstance(piece, dict) and piece.keys() & {"message", "response", "done"}:
            self._feed_piece(piece)
        else:
            self.skipped += not isinstance(piece, dict) and line not in NO_EVENT

    def _feed_piece(self, piece: JsonObject) -> None:
        if not self._started:
            self._started = True
            self._first = rest(piece, REPLY_KEYS)
            self._out.add(MessageStart("", as_text(piece.get("model")), self._first))
        for block in parse_message(find_message(piece), f"{self._first.get('created_at')}_{self._number}"):
            self._say(block)
        self._logprobs += parse_logprobs(piece.get("logprobs"))
        if piece.get("done") is True:
            self._end(piece)

    def _say(self, block: Block) -> None:
        match block:
            case TextBlock(text) | ThinkingBlock(text):
                if self._open is None or self._open[0] is not type(block):
                    self._close()
                    self._open = type(block), self._out.start(type(block)(""))
                self._out.grow(self._open[1], text)
            case ToolCall():
                self._close()
                self._calls.append(block)
                at = self._out.start(msgspec.structs.replace(block, arguments=""))
                self._out.grow(at, block.arguments)
                self._out.end(at)
            case _:
                self._close()
                self._out.end(self._out.start(block))

    def _close(self) -> None:
        if self._open is not None:
            self._out.end(self._open[1])
            self._open = None

    def _end(self, piece: JsonObject) -> None:
        self._close()
        self._ended = True
        reason, word = parse_finish(piece, self._calls)
        extras = rest(piece, {*REPLY_KEYS, *self._first})
        self._out.add(MessageEnd(reason, parse_usage(piece), word, extras, self._logprobs))
