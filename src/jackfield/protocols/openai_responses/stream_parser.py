"""Streamed replies of this wire, read tolerantly; `stream_renderer` writes them.

A reply is complete when `response.completed` or `response.incomplete` says so. Servers leave
out indices, ids, beginnings and ends of items, or the items of the last event (Codex): an
event belongs to the item of its index or id, else to the last open one of its kind, else it
opens one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct

from jackfield.errors import BadReply, StreamBroken
from jackfield.events import MessageEnd, MessageStart, StreamEvent, split_events
from jackfield.message import JsonObject
from jackfield.protocols.base import NO_EVENT, as_count, decode_event, preview
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.openai_errors import parse_error
from jackfield.protocols.openai_responses.citations import parse_logprobs
from jackfield.protocols.openai_responses.item_book import ItemBook
from jackfield.protocols.openai_responses.open_item import CALLS, OpenItem
from jackfield.protocols.openai_responses.plain import HEAD, KIND, PLAIN
from jackfield.protocols.openai_responses.response import (
    find_error,
    find_logprobs,
    parse_extras,
    parse_finish,
    parse_response,
)
from jackfield.protocols.openai_responses.usage import parse_usage
from jackfield.protocols.outbox import Outbox
from jackfield.protocols.plain import read_plain
from jackfield.protocols.sse import SseDecoder, SseEvent

HEAD_BYTES = 200


class _Text(Struct, frozen=True):
    """Where an event's words belong."""

    kind: str  # of the item
    part: str = ""  # the field that counts its parts
    sort: str = ""  # of the part
    field: str = "delta"


# The events that say words; those that end in `done` repeat a part as a whole.
TEXTS: dict[str, _Text] = {
    "response.output_text.delta": _Text("message", "content_index", "output_text"),
    "response.output_text.done": _Text("message", "content_index", "output_text", "text"),
    "response.refusal.delta": _Text("message", "content_index", "refusal"),
    "response.refusal.done": _Text("message", "content_index", "refusal", "refusal"),
    "response.reasoning_summary_text.delta": _Text("reasoning", "summary_index", "summary"),
    "response.reasoning_summary_text.done": _Text("reasoning", "summary_index", "summary", "text"),
    "response.reasoning_text.delta": _Text("reasoning", "content_index", "content"),
    "response.reasoning_text.done": _Text("reasoning", "content_index", "content", "text"),
    "response.function_call_arguments.delta": _Text("function_call"),
    "response.function_call_arguments.done": _Text("function_call", field="arguments"),
    "response.custom_tool_call_input.delta": _Text("custom_tool_call"),
    "response.custom_tool_call_input.done": _Text("custom_tool_call", field="input"),
}


class StreamParser:
    """Turns a reply's bytes into events. One object per stream."""

    def __init__(self) -> None:
        self.plain = PLAIN
        self.skipped = 0
        self._sse = SseDecoder()
        self._whole: bytearray | None = None  # the body, where a server answers with one JSON object
        self._head = b""  # the first bytes, and the first event: to say what came instead of a reply
        self._first = ""
        self._box = Outbox()
        self._started = self._ended = False
        self._items = ItemBook(self._box)

    # -- bytes ---------------------------------------------------------------------

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take the next bytes, cut anywhere; raise the provider's error when the stream carries one."""
        # Nearly every read is one event with some more words.
        if self._started and self._sse.is_one(data, HEAD) and self._take_words(data[len(HEAD) :]):
            return self._box.take()
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
        if not self._ended and self._box.error is None:
            what = (
                f"the stream holds no reply: {preview(self._first or self._head)}"
                if self._head
                else "the reply is empty"
            )
            missing = StreamBroken("the stream ended before its end") if self._started else BadReply(what)
            self._box.fail(missing)
        if self._box.error is not None:
            raise self._box.error
        return events

    def _read(self, frames: Iterable[SseEvent]) -> Sequence[StreamEvent]:
        for frame in frames:
            self._first = self._first or frame.data[:HEAD_BYTES]
            if self._ended or self._box.error is not None:
                continue
            if frame.event not in ("", KIND) or not self._take_words(frame.data):
                self._take(frame.data)
        return self._box.take()

    def _take_words(self, data: bytes | str) -> bool:
        """Take words of a message that is open; say whether the event was such words."""
        piece = None if self._ended or self._box.error is not None else read_plain(self.plain, data)
        if piece is None or (item := self._items.find("message", piece.output_index, piece.item_id)) is None:
            return False
        item.say(piece.content_index, piece.delta, "output_text")
        return True

    def _take(self, data: str) -> None:
        try:
            event = decode_event(data)
        except (msgspec.DecodeError, UnicodeError):
            # A broken event among whole ones is skipped: no word is worth losing the others for.
            self.skipped += data.strip() not in NO_EVENT
            return
        except RecursionError:
            self._box.fail(BadReply("an event of the stream is nested too deeply"))
            return
        if isinstance(event, dict):
            self._feed_event(event)
        else:
            self.skipped += 1

    # -- events --------------------------------------------------------------------

    def _feed_event(self, event: JsonObject) -> None:
        kind = as_text(event.get("type"))
        if text := TEXTS.get(kind):
            self._feed_text(event, text)
        elif take := EVENTS.get(kind):
            take(self, event)
        elif kind == "error":
            self._box.fail(parse_error(200, as_object(event.get("error")) or rest(event, ("type",))))
        elif not kind and (error := find_error(event)):
            self._box.fail(error)

    def _start(self, wire: JsonObject) -> None:
        if not self._started:
            self._started, self._items.reply_id = True, as_text(wire.get("id"))
            self._box.add(MessageStart(self._items.reply_id, as_text(wire.get("model"))))

    def _feed_text(self, event: JsonObject, text: _Text) -> None:
        said = as_text(event.get(text.field))
        if not said:
            return
        item = self._pick(event, text.kind)
        part = as_count(event.get(text.part)) or 0
        if text.field == "delta":
            item.say(part, said, text.sort)
            if likely := event.get("logprobs"):
                item.hear_logprobs(parse_logprobs(likely))
        else:
            item.catch_up(part, said, text.sort)

    def _pick(self, event: JsonObject, kind: str) -> OpenItem:
        """Return the item an event speaks of, a new one where no other began it."""
        at, name = as_count(event.get("output_index")), event.get("item_id")
        return self._items.find(kind, at, name) or self._open({"type": kind, **({"id": name} if name else {})}, at)

    def _open(self, wire: JsonObject, at: int | None) -> OpenItem:
        self._start({})
        return self._items.open(wire, at)

    def _feed_added(self, event: JsonObject) -> None:
        wire = as_object(event.get("item"))
        if wire.get("type"):
            self._open(wire, as_count(event.get("output_index")))

    def _feed_done(self, event: JsonObject) -> None:
        wire = as_object(event.get("item"))
        kind, at = as_text(wire.get("type")), as_count(event.get("output_index"))
        if kind:
            known = self._items.find(kind, at, wire.get("call_id"), wire.get("id"))
            (known or self._open(wire, at)).finish(wire)

    def _feed_annotation(self, event: JsonObject) -> None:
        if isinstance(event.get("annotation"), dict):
            self._pick(event, "message").cite(as_count(event.get("content_index")) or 0, event["annotation"])

    def _feed_begin(self, event: JsonObject) -> None:
        self._start(as_object(event.get("response")))

    # -- the end -------------------------------------------------------------------

    def _feed_end(self, event: JsonObject) -> None:
        wire = dict(as_object(event.get("response")))
        wire["status"] = wire.get("status") or event["type"].rpartition(".")[2]
        self._start(wire)
        if error := find_error({"output": [], **wire}):
            self._box.fail(error)
            return
        self._finish_items(as_list(wire.get("output")))
        reason, raw = parse_finish(wire, calls=any(item.kind in CALLS for item in self._items))
        extras = {**rest(event, ("type", "response", "sequence_number")), **parse_extras(wire)}
        heard = [token for item in self._items for token in item.logprobs]
        logprobs = heard or find_logprobs(as_list(wire.get("output")))
        last_id = as_text(wire.get("id"))
        last_id = "" if last_id == self._items.reply_id else last_id
        self._box.add(MessageEnd(reason, parse_usage(as_object(wire.get("usage"))), raw, extras, logprobs, last_id))
        self._ended = True

    def _finish_items(self, output: list[object]) -> None:
        """End what is open, and say the items of the last event that no other event spoke of."""
        wires = [as_object(item) for item in output]
        has_news = len(wires) > len(self._items)
        for at, wire in enumerate(wires):
            item = self._items.at(at)
            if item is not None and item.kind == wire.get("type"):
                item.finish(wire)
            elif has_news and item is None and wire.get("type"):
                self._open(wire, at).finish(wire)
        for item in self._items:
            item.finish({})


EVENTS: dict[str, Callable[[StreamParser, JsonObject], None]] = {
    "response.created": StreamParser._feed_begin,
    "response.in_progress": StreamParser._feed_begin,
    "response.queued": StreamParser._feed_begin,
    "response.output_item.added": StreamParser._feed_added,
    "response.output_item.done": StreamParser._feed_done,
    "response.output_text.annotation.added": StreamParser._feed_annotation,
    "response.completed": StreamParser._feed_end,
    "response.incomplete": StreamParser._feed_end,
    "response.failed": StreamParser._feed_end,
    "response.cancelled": StreamParser._feed_end,
}
