"""OpenAI's older wire, `POST /v1/completions`: a text to go on from. Callers' side alone.

The models of today chat, so the prompt becomes a user's turn
(platform.openai.com/docs/api-reference/completions, read 2026-11-21).
"""

from __future__ import annotations

import msgspec

from jackfield.errors import BadReply, Error, InvalidRequest
from jackfield.events import BlockDelta, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import ChatRequest, ChatResponse, JsonObject, Message, TextBlock, Usage
from jackfield.protocols.base import Body, decode
from jackfield.protocols.fields import as_list, read, wrong
from jackfield.protocols.openai_completions.usage import render_usage
from jackfield.protocols.openai_errors import render_error
from jackfield.protocols.sse import encode

__all__ = ["NAME", "STREAM_TYPE", "StreamRenderer", "parse_request", "render_error", "render_response"]

NAME = "completions"
STREAM_TYPE = "text/event-stream"
REASONS = {"tool_calls": "stop"}  # the wire knows stop, length and content_filter


def parse_request(body: Body) -> ChatRequest:
    """Read a caller's request; raise `InvalidRequest` naming the field that is wrong."""
    try:
        wire = decode(body, "request")
    except BadReply as error:
        raise InvalidRequest(error.message, status=400) from error
    stop = wire.get("stop")
    return ChatRequest(
        model=read(wire, "model", str) or "",
        messages=[Message.user(_parse_prompt(wire.get("prompt")))],
        max_tokens=read(wire, "max_tokens", int),
        temperature=read(wire, "temperature", float),
        top_p=read(wire, "top_p", float),
        presence_penalty=read(wire, "presence_penalty", float),
        frequency_penalty=read(wire, "frequency_penalty", float),
        seed=read(wire, "seed", int),
        stop=[stop] if isinstance(stop, str) else [each for each in as_list(stop) if isinstance(each, str)],
        user=read(wire, "user", str),
        stream=read(wire, "stream", bool) or False,
    )


def _parse_prompt(value: object) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise wrong("prompt", "must be one text; several, and tokens, are not taken")
    return value


def render_response(response: ChatResponse) -> JsonObject:
    """Write a whole reply."""
    reason = REASONS.get(response.finish_reason, response.finish_reason)
    return {
        **_head(response.id, response.model, response.extras),
        "choices": [_choice(response.text, reason)],
        "usage": render_usage(response.usage) or None,
    }


def _head(reply_id: str, model: str, extras: JsonObject) -> JsonObject:
    return {"id": reply_id, "object": "text_completion", "created": extras.get("created", 0), "model": model}


def _choice(text: str, reason: str | None) -> JsonObject:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}


class StreamRenderer:
    """Turns events into a reply's bytes. One object per stream."""

    def __init__(self, include_usage: bool = False) -> None:
        self._include_usage = include_usage
        self._head: JsonObject = _head("", "", {})
        self._words: set[int] = set()  # blocks of them; thoughts and calls have no place here

    def feed(self, event: StreamEvent) -> bytes:
        """Return the bytes that say this event (may be empty)."""
        match event:
            case MessageStart(reply_id, model, extras):
                self._head = _head(reply_id, model, extras)
            case BlockStart(index, TextBlock(text)):
                self._words.add(index)
                return self._say([_choice(text, None)]) if text else b""
            case BlockDelta(index, text) if index in self._words:
                return self._say([_choice(text, None)])
            case MessageEnd(reason, usage):
                return self._say([_choice("", REASONS.get(reason, reason))]) + self._count(usage)
        return b""

    def close(self) -> bytes:
        """Return the bytes that end the stream well."""
        return encode("[DONE]")

    def fail(self, error: Error) -> bytes:
        """Return the wire's own in-stream error; a broken reply never ends cleanly."""
        return encode(msgspec.json.encode(render_error(error)[1]))

    def _count(self, usage: Usage) -> bytes:
        counts = render_usage(usage) if self._include_usage else None
        return self._say([], {"usage": counts}) if counts else b""

    def _say(self, choices: list[JsonObject], more: JsonObject | None = None) -> bytes:
        return encode(msgspec.json.encode({**self._head, "choices": choices, **(more or {})}))
