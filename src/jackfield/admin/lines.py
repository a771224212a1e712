"""A reply as the page hears it: one small object after another, named by what happened. Pure.

The `type` of each, and its fields:

    start     requestId, requested, model             who is asked first
    attempt   model, profile, reason, message, ms     a try that came to nothing; the next one follows
    served    model, firstMs                          this one answers
    text, thinking, refusal   index, text             more words of a block
    call      index, id, name, arguments              a tool's call begins, or more of its arguments come
    media     index, kind, mediaType, data, url       a picture, sound, film or file
    done      how it ended, and what it cost; `message` is the turn as the next request should hold it
    error     the error's type, message, hint; else as `done`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jackfield.errors import Error
from jackfield.events import BlockDelta, BlockStart, StreamEvent
from jackfield.gateway.wires import COMPLETIONS, load_wire
from jackfield.message import (
    Attempt,
    AudioBlock,
    ChatResponse,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Usage,
    VideoBlock,
)

# What has words → the name of the line that says more of them.
WORDS: dict[type, str] = {TextBlock: "text", ThinkingBlock: "thinking", RefusalBlock: "refusal"}
MEDIA: dict[type, str] = {ImageBlock: "image", AudioBlock: "audio", VideoBlock: "video", DocumentBlock: "document"}


class Teller:
    """Says events as lines; knows which block is what."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def feed(self, batch: Sequence[StreamEvent]) -> Iterator[JsonObject]:
        """Yield the lines of events that came together; pieces of one block that follow each other are one."""
        held: JsonObject = {}
        for event in batch:
            line = self._say(event)
            if not line:
                continue
            if _is_more(line, held):
                held[PIECE[held["type"]]] += line[PIECE[line["type"]]]
                continue
            if held:
                yield held
            held = line
        if held:
            yield held

    def _say(self, event: StreamEvent) -> JsonObject:
        match event:
            case BlockStart(index, TextBlock() | ThinkingBlock() | RefusalBlock() as block):
                self._names[index] = WORDS[type(block)]
                return {"type": self._names[index], "index": index, "text": block.text} if block.text else {}
            case BlockStart(index, ToolCall(id, name, arguments)):
                self._names[index] = "call"
                return {"type": "call", "index": index, "id": id, "name": name, "arguments": arguments}
            case BlockStart(index, ImageBlock() | AudioBlock() | VideoBlock() | DocumentBlock() as block):
                said = {"mediaType": block.media_type, "data": block.data, "url": block.url}
                return {"type": "media", "index": index, "kind": MEDIA[type(block)], **said}
            case BlockDelta(index, text) if index in self._names:
                name = self._names[index]
                return {"type": name, "index": index, PIECE[name]: text}
            case _:
                return {}


PIECE = {"text": "text", "thinking": "text", "refusal": "text", "call": "arguments"}  # where a line has what grows


def _is_more(line: JsonObject, held: JsonObject) -> bool:
    return bool(held) and line["type"] in PIECE and (line["type"], line["index"]) == (held["type"], held["index"])


def render_end(reply: ChatResponse) -> JsonObject:
    """Say how a reply ended, whole or broken, what it used and cost, and who was tried."""
    return {
        "model": reply.model,
        "requested": reply.requested,
        "finishReason": reply.finish_reason,
        "rawFinishReason": reply.raw_finish_reason,
        "usage": _render_usage(reply.usage),
        "costUsd": None if reply.cost_usd is None else format(reply.cost_usd, "f"),
        "attempts": [render_attempt(each) for each in reply.attempts],
        "warnings": list(reply.warnings),
        "notice": reply.notice,
        "citations": _render_citations(reply),
    }


def render_message(reply: ChatResponse) -> JsonObject:
    """Write a reply as a turn of the next request, signed thoughts and all."""
    message: JsonObject = load_wire(COMPLETIONS).render_response(reply)["choices"][0]["message"]
    return message


def render_error(error: Error) -> JsonObject:
    """Say what went wrong and what to do."""
    return {"type": error.type, "message": error.message, "hint": error.hint}


def render_attempt(attempt: Attempt) -> JsonObject:
    """Say what became of a try; one without a time was not made."""
    return {
        "model": attempt.model,
        "profile": attempt.profile,
        "reason": attempt.reason,
        "message": attempt.message,
        "ms": attempt.ms,
    }


def _render_usage(usage: Usage) -> JsonObject:
    return {
        "input": usage.input,
        "output": usage.output,
        "cacheRead": usage.cache_read,
        "cacheWrite": usage.cache_write,
        "reasoning": usage.reasoning,
        "estimated": usage.estimated,
    }


def _render_citations(reply: ChatResponse) -> list[JsonObject]:
    first: dict[str, JsonObject] = {}
    for block in reply.content:
        for each in block.citations if isinstance(block, TextBlock) else ():
            first.setdefault(each.url or each.title, {"url": each.url, "title": each.title})
    return list(first.values())
