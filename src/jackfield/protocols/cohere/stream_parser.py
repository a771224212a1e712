"""Streamed replies of this wire: typed events, whose indexes count contents and calls apart.

Citations come while their words do or after them, so that words end with the reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from jackfield.errors import BadReply, StreamBroken
from jackfield.events import MessageEnd, MessageStart, StreamEvent
from jackfield.message import Block, JsonObject, TextBlock, ThinkingBlock, ToolCall
from jackfield.protocols.base import NO_EVENT, as_count, decode_event, preview
from jackfield.protocols.cohere.errors import parse_error
from jackfield.protocols.cohere.messages import PLAN, THOUGHT, cite, cited_block, parse_call, parse_part
from jackfield.protocols.cohere.plain import KIND, PLAIN
from jackfield.protocols.cohere.response import (
    find_failure,
    is_error,
    parse_finish,
    parse_logprobs,
    parse_usage,
)
from jackfield.protocols.cohere.wire import keep
from jackfield.protocols.fields import as_object, as_text
from jackfield.protocols.outbox import Outbox
from jackfield.protocols.plain import read_plain
from jackfield.protocols.sse import SseDecoder, SseEvent

HEAD_BYTES = 200


class StreamParser:
    """Turns a reply's bytes into events. One object per stream."""

    def __init__(self) -> None:
        self.plain = PLAIN
        self.skipped = 0
        self._sse = SseDecoder()
        self._out = Outbox()
        self._head = b""  # the first bytes, to say what came instead of a reply
        self._id = ""
        self._started = self._ended = False
        self._open: dict[tuple[str, object], int] = {}  # (content or call, the wire's index) → block
        self._blocks: dict[int, Block] = {}  # as they began
        self._silent: set[int] = set()  # calls that have said no arguments yet
        self._citations: list[JsonObject] = []
        self._logprobs: list[JsonObject] = []

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take the next bytes, cut anywhere; raise the provider's error when the stream carries one."""
        if len(self._head) < HEAD_BYTES:
            self._head = (self._head + data)[:HEAD_BYTES]
        return self._read(self._sse.feed(data))

    def close(self) -> Sequence[StreamEvent]:
        """Say that the stream has ended cleanly; raise `StreamBroken` when the reply is not complete."""
        events = self._read(self._sse.close())
        if not self._ended and self._out.error is None:
            broken = StreamBroken("the stream ended before the reply did")
            said = self._head.strip()
            self._out.fail(
                broken if self._started or not said else BadReply(f"not a stream of events: {preview(said)}")
            )
        return (*events, *self._out.take())

    def _read(self, frames: Iterable[SseEvent]) -> Sequence[StreamEvent]:
        for frame in frames:
            if self._ended or self._out.error is not None:
                break
            if frame.event not in ("", KIND) or not self._take_words(frame.data):
                self._take(frame.data)
        return self._out.take()

    def _take_words(self, data: str) -> bool:
        """Take words of a content that is open; say whether the event was such words."""
        piece = read_plain(self.plain, data)
        if piece is None or (at := self._open.get(("content", piece.index))) is None:
            return False
        self._out.grow(at, piece.delta.message.content.text)
        return True

    def _take(self, data: str) -> None:
        try:
            event = decode_event(data)
            if isinstance(event, dict):
                self._feed_event(event)
            else:
                self.skipped += 1
        except (msgspec.DecodeError, UnicodeError):
            # A broken event among whole ones is skipped: no word is worth losing the others for.
            self.skipped += data.strip() not in NO_EVENT
        except RecursionError:
            self._out.fail(BadReply("an event of the stream is nested too deeply"))

    # -- events --------------------------------------------------------------------

    def _feed_event(self, event: JsonObject) -> None:
        delta = as_object(event.get("delta"))
        message = as_object(delta.get("message"))
        content, kind, index = (
            as_object(message.get("content")),
            as_text(event.get("type")),
            as_count(event.get("index")),
        )
        match kind:
            case "message-start":
                self._start(as_text(event.get("id")))
            case "content-start":
                self._start_block(("content", index), _empty(content))
                self._say_content(index, content)
            case "content-delta":
                self._say_content(index, content)
                self._logprobs += [log] if (log := as_object(event.get("logprobs"))) else []
            case "tool-plan-delta":
                self._say((PLAN, 0), as_text(message.get(PLAN)), ThinkingBlock("", opaque=keep({"kind": PLAN})))
            case "tool-call-start" | "tool-call-delta" | "tool-call-end":
                self._feed_call(kind, index, as_object(message.get("tool_calls")))
            case "citation-start":
                self._citations += [one] if (one := as_object(message.get("citations"))) else []
            case "message-end":
                self._end(delta)
            case _ if is_error(event):
                self._out.fail(parse_error(200, event))
            case _:  # content-end, citation-end, debug and what is yet to come
                pass

    def _start(self, reply_id: str) -> None:
        if not self._started:
            self._started, self._id = True, reply_id
            self._out.add(MessageStart(reply_id))

    def _start_block(self, key: tuple[str, object], block: Block) -> int:
        self._start("")
        if key not in self._open:
            self._open[key] = self._out.start(block)
            self._blocks[self._open[key]] = block
        return self._open[key]

    def _say(self, key: tuple[str, object], text: str, block: Block) -> None:
        if text:
            self._out.grow(self._start_block(key, block), text)

    def _say_content(self, index: object, content: JsonObject) -> None:
        text = as_text(content.get("text"))
        thought = as_text(content.get(THOUGHT))
        self._say(("content", index), text or thought, _empty({"type": "text" if text else THOUGHT}))

    # -- calls ---------------------------------------------------------------------

    def _feed_call(self, kind: str, index: object, call: JsonObject) -> None:
        if kind == "tool-call-start":
            self._start_call(index, call)
        elif kind == "tool-call-delta":
            self._say_arguments(index, call)
        else:
            self._end_call(("call", index))

    def _start_call(self, index: object, call: JsonObject) -> None:
        begun = parse_call({**call, "function": {**as_object(call.get("function")), "arguments": ""}}, self._spare_id())
        self._end_call(("call", index))
        self._silent.add(self._start_block(("call", index), msgspec.structs.replace(begun, arguments="")))
        self._say_arguments(index, call)

    def _spare_id(self) -> str:
        return f"call_{self._id}_{sum(isinstance(block, ToolCall) for block in self._blocks.values())}"

    def _say_arguments(self, index: object, call: JsonObject) -> None:
        at = self._open.get(("call", index))
        text = as_text(as_object(call.get("function")).get("arguments"))
        if at is not None and text:
            self._silent.discard(at)
            self._out.grow(at, text)

    def _end_call(self, key: tuple[str, object]) -> None:
        if (at := self._open.pop(key, None)) is not None:
            self._out.grow(at, "{}" if at in self._silent else "")
            self._out.end(at)

    # -- the end -------------------------------------------------------------------

    def _end(self, delta: JsonObject) -> None:
        self._start("")
        cited = self._place_citations()
        for key, at in list(self._open.items()):
            if key[0] == "call":
                self._end_call(key)
            else:
                block = cite(self._blocks[at], cited.get(at, []))
                self._out.end(at, getattr(block, "opaque", None), getattr(block, "citations", ()))
        word = as_text(delta.get("finish_reason"))
        if not word and delta.get("error"):
            word = "ERROR"
        if error := find_failure(word, delta):
            self._out.fail(error)
            return
        self._ended = True
        calls = any(isinstance(block, ToolCall) for block in self._blocks.values())
        logprobs = [one for item in self._logprobs for one in parse_logprobs(item)]
        usage = parse_usage(as_object(delta.get("usage")))
        self._out.add(MessageEnd(parse_finish(word, calls=calls), usage, word or None, logprobs=logprobs))

    def _place_citations(self) -> dict[int, list[JsonObject]]:
        places: dict[int, list[JsonObject]] = {}
        blocks = list(self._blocks.values())
        for citation in self._citations:
            if (at := cited_block(citation, blocks)) is not None:
                places.setdefault(at, []).append(citation)
        return places


def _empty(content: JsonObject) -> Block:
    """Return the block that a content begins."""
    match content.get("type"):
        case "text" | None:
            return TextBlock("")
        case "thinking":
            return ThinkingBlock("", opaque=keep({"kind": THOUGHT}))
        case _:
            return parse_part(content)
