"""Streamed replies of this wire, read tolerantly; `stream_renderer` writes them.

The wire never closes a block: words and thoughts close when another kind begins, tool calls
(which may interleave) when the reply ends. A reply is complete once it gave a finish reason,
or counted its tokens and said `[DONE]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from jackfield.errors import BadReply, StreamBroken
from jackfield.events import MessageEnd, MessageStart, StreamEvent, split_events
from jackfield.message import JsonObject, RefusalBlock, TextBlock, ThinkingBlock, ToolCall
from jackfield.protocols.base import NO_EVENT, decode_event, preview
from jackfield.protocols.fields import as_list, as_object, as_text, rest, said
from jackfield.protocols.openai_completions.block_writer import BlockWriter
from jackfield.protocols.openai_completions.calls import CallReader
from jackfield.protocols.openai_completions.citations import parse_citations
from jackfield.protocols.openai_completions.logprobs import take_logprobs
from jackfield.protocols.openai_completions.merge import merge
from jackfield.protocols.openai_completions.message_parser import ASSISTANT_KEYS, parse_audio, parse_images
from jackfield.protocols.openai_completions.parts import parse_content
from jackfield.protocols.openai_completions.plain import PLAIN
from jackfield.protocols.openai_completions.reasoning import DETAILS, FIELDS
from jackfield.protocols.openai_completions.response import (
    CHOICE_KEYS,
    REPLY_KEYS,
    is_error,
    parse_finish,
    parse_response,
)
from jackfield.protocols.openai_completions.usage import find_usage, parse_usage
from jackfield.protocols.openai_errors import parse_error
from jackfield.protocols.outbox import Outbox
from jackfield.protocols.plain import read_plain
from jackfield.protocols.sse import FIELD, SseDecoder, SseEvent

HEAD_BYTES = 200


class StreamParser:
    """Turns a reply's bytes into events. One object per stream."""

    def __init__(self) -> None:
        self.plain = PLAIN
        self.skipped = 0
        self._sse = SseDecoder()
        self._whole: bytearray | None = None  # the body, where a server answers with one JSON object
        self._out = Outbox()
        self._started = self._done = self._ended = False
        self._head = b""  # the first bytes, to say what came instead of a reply
        self._first: JsonObject = {}  # top-level fields of the reply's start, and those that came or changed since
        self._extras: JsonObject = {}
        self._blocks = BlockWriter(self._out)
        self._calls = CallReader(self._blocks)
        self._fields: JsonObject = {}  # the message's further fields
        self._audio: JsonObject = {}
        self._choice: JsonObject = {}  # further fields of the answer's choice
        self._others: dict[int, JsonObject] = {}  # the choices beside it, by their index
        self._finish: object = None
        self._usage: JsonObject = {}

    # -- bytes ---------------------------------------------------------------------

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take the next bytes, cut anywhere; raise the provider's error when the stream carries one."""
        # Nearly every read is one event with some more words.
        if self._blocks.is_text and self._sse.is_one(data, FIELD) and self._take_words(data[len(FIELD) :]):
            return self._out.take()
        if not self._started and len(self._head) < HEAD_BYTES:
            if not self._head and data.lstrip()[:1] in (b"{", b"["):
                self._whole = bytearray()
            self._head = (self._head + data).lstrip()[:HEAD_BYTES]
        if self._whole is not None:
            self._whole += data
            return ()
        return self._read(self._sse.feed(data))

    def close(self) -> Sequence[StreamEvent]:
        """Say that the stream has ended cleanly; raise `StreamBroken` when the reply is not complete."""
        if self._whole is not None:
            return tuple(split_events(parse_response(bytes(self._whole))))
        events = self._read(self._sse.close())
        if self._out.error is None and not self._ended:
            self._end()
        if self._out.error is not None:
            raise self._out.error
        return (*events, *self._out.take())

    def _read(self, frames: Iterable[SseEvent]) -> Sequence[StreamEvent]:
        for frame in frames:
            self._take(frame.data)
        return self._out.take()

    def _take_words(self, data: bytes | str) -> bool:
        """Take words of a text that is open; say whether the event was such words."""
        piece = read_plain(self.plain, data)
        if piece is None or self._ended or self._out.error is not None or not piece.repeats(self._first):
            return False
        self._blocks.say("content", TextBlock, piece.choices[0].delta.content)
        return True

    def _take(self, data: str) -> None:
        if self._ended or self._out.error is not None:
            return
        if self._blocks.is_text and self._take_words(data):
            return
        if data[:1] != "{" and data.strip() == "[DONE]":
            self._done = True
            if self._finish or self._usage:
                self._end()
            return
        try:
            chunk = decode_event(data)
            # A broken event among whole ones is skipped: no word is worth losing the others for.
            if isinstance(chunk, dict) and is_error(chunk):
                self._out.fail(parse_error(200, chunk))
            elif isinstance(chunk, dict):
                self._feed_chunk(chunk)
            else:
                self.skipped += 1
        except (msgspec.DecodeError, UnicodeError):
            self.skipped += data.strip() not in NO_EVENT
        except RecursionError:
            self._out.fail(BadReply("an event of the stream is nested too deeply"))

    # -- chunks --------------------------------------------------------------------

    def _feed_chunk(self, chunk: JsonObject) -> None:
        choices = chunk.get("choices")
        for name, value in chunk.items():
            if name not in REPLY_KEYS and value is not None and self._first.get(name) != value:
                self._extras[name] = value
        usage = find_usage(chunk)
        if choices or usage:
            self._start(chunk)
        if usage:
            # Some repeat a running count, some end with nulls: the last number wins.
            self._usage.update(said(usage))
        for choice in as_list(choices):
            self._feed_choice(as_object(choice))

    def _start(self, chunk: JsonObject) -> None:
        if not self._started:
            self._started = True
            self._first = self._extras
            self._extras = {}
            self._out.add(MessageStart(as_text(chunk.get("id")), as_text(chunk.get("model")), self._first))
            self._calls.reply_id = as_text(chunk.get("id"))

    def _feed_choice(self, choice: JsonObject) -> None:
        index = choice.get("index") or 0
        if index != 0:
            self._feed_other(choice)
            return
        if not choice.keys() <= CHOICE_KEYS:
            for name, value in rest(choice, CHOICE_KEYS).items():
                merge(self._choice, {name: value})
        if delta := choice.get("delta"):
            self._feed_delta(as_object(delta))
        if reason := choice.get("finish_reason"):
            self._finish = reason

    def _feed_other(self, choice: JsonObject) -> None:
        held = self._others.get(index := choice["index"] if isinstance(choice["index"], int) else -1)
        if held is None:
            held = self._others[index] = {"index": index, "message": {}}
        merge(held["message"], as_object(choice.get("delta")))
        merge(held, {name: value for name, value in choice.items() if name not in ("index", "delta", "message")})

    def _feed_delta(self, delta: JsonObject) -> None:
        for field in FIELDS:
            if text := delta.get(field):
                self._blocks.say(field, ThinkingBlock, as_text(text))
                break
        if details := delta.get(DETAILS):
            self._blocks.add_details(as_list(details))
        if content := delta.get("content"):
            self._feed_content(content)
        if refusal := delta.get("refusal"):
            self._blocks.say("refusal", RefusalBlock, as_text(refusal))
        if calls := delta.get("tool_calls"):
            self._blocks.end_words()
            for call in as_list(calls):
                self._calls.feed(as_object(call))
        if not delta.keys() <= _USUAL:
            self._feed_rare(delta)

    def _feed_content(self, content: object) -> None:
        if isinstance(content, str):
            self._blocks.say("content", TextBlock, content)
            return
        for block in parse_content(content):
            match block:
                case TextBlock(text):
                    self._blocks.say("content", TextBlock, text)
                case ThinkingBlock():
                    self._blocks.add_thought(block)
                case _:
                    self._blocks.add_whole(block)

    def _feed_rare(self, delta: JsonObject) -> None:
        call = as_object(delta.get("function_call"))
        if call.get("name") or call.get("arguments"):
            self._blocks.end_words()
            self._calls.feed({"index": 0, "function": call})
        for block in parse_images(delta.get("images")):
            self._blocks.add_whole(block)
        merge(self._audio, as_object(delta.get("audio")))
        for name, value in delta.items():
            if name not in ASSISTANT_KEYS and value is not None:
                merge(self._fields, {name: value})

    # -- the end -------------------------------------------------------------------

    def _end(self) -> None:
        if not self._started:
            what = f"the stream holds no reply: {preview(self._head)}" if self._head else "the reply is empty"
            self._out.fail(BadReply(what))
        elif not (self._finish or (self._done and self._usage)):
            self._out.fail(StreamBroken("the stream ended before its finish reason"))
        else:
            self._finish_reply()

    def _finish_reply(self) -> None:
        self._ended = True
        self._end_blocks()
        calls = [ToolCall("", "", "")] if self._calls.seen else []
        reason, raw = parse_finish(self._finish, calls)
        logprobs = take_logprobs(self._choice)
        if self._choice or self._others:
            self._extras["choices"] = [self._choice, *self._others.values()]
        self._out.add(MessageEnd(reason, parse_usage(self._usage), raw, self._extras, logprobs))

    def _end_blocks(self) -> None:
        # The message's further fields ride on its last words, else on its first call.
        citations = parse_citations(self._fields, {**self._first, **self._extras})
        left = {} if self._blocks.end_words(self._fields, citations) else self._fields
        left = self._calls.close(left)
        self._blocks.end_details()
        for block in parse_audio(self._audio):
            self._blocks.add_whole(block)
        if left:
            self._extras["message"] = left


_USUAL = frozenset(("role", "content", "refusal", "tool_calls", DETAILS, *FIELDS))
