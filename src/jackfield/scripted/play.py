"""How a scripted reply sounds: its bytes, pauses and ends, in the caller's own protocol. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

import msgspec
from msgspec import Struct

from jackfield import errors
from jackfield.events import BlockDelta, BlockStart, StreamEvent, split_events
from jackfield.message import Block, ChatRequest, ChatResponse, TextBlock, ThinkingBlock, ToolCall, Usage
from jackfield.protocols.base import Protocol
from jackfield.scripted.reply import Reply

PIECES = re.compile(r"\s*\S+|\s+$")  # how words are streamed: each with the blanks before it
MALFORMED = b'data: {"this event": is no JSON\n\n'
DONE = b"data: [DONE]\n\n"
ERRORS: dict[str, tuple[type[errors.Error], str]] = {
    "auth": (errors.AuthError, "invalid API key"),
    "permission": (errors.PermissionDenied, "this key may not do this"),
    "billing": (errors.Quota, "you exceeded your current quota, please check your plan and billing details"),
    "rate_limit": (errors.RateLimit, "rate limit reached, try again later"),
    "overloaded": (errors.Overloaded, "the server is overloaded"),
    "server_error": (errors.ServerError, "the server had an error"),
    "timeout": (errors.TimeoutExpired, "the request timed out"),
    "model_not_found": (errors.ModelNotFound, "the model does not exist"),
    "context_overflow": (errors.ContextLength, "context_length_exceeded: this model's maximum context length is 4096 tokens"),
    "content_filter": (errors.ContentFilter, "content_policy_violation: rejected by the safety system"),
    "invalid_request": (errors.InvalidRequest, "invalid request"),
}  # fmt: skip


class End(Enum):
    """An end that is none: the connection is lost."""

    CUT = "closed by the other side"
    RESET = "reset by the other side"


Step = bytes | float | End  # bytes are sent, a number is a pause in seconds


class Answer(Struct, frozen=True):
    """An HTTP answer as the steps that make it; a lone `End` comes before any header."""

    status: int
    headers: dict[str, str]
    steps: Sequence[Step]


def play(reply: Reply, request: ChatRequest, protocol: Protocol, number: int) -> Answer:
    """Return what a reply sounds like to a request; `number` makes its ids."""
    if reply.reset:
        return Answer(0, {}, [End.RESET])
    if reply.error or reply.body is not None or (reply.status or 200) >= 400:
        return _play_body(reply, protocol)
    response, status = to_response(reply, request, number), reply.status or 200
    if request.stream:
        return _answer(reply, status, protocol.STREAM_TYPE, _stream(reply, response, protocol))
    body = msgspec.json.encode(protocol.render_response(response))
    return _answer(reply, status, "application/json", _whole(reply, body))


def _answer(reply: Reply, status: int, kind: str, steps: Iterable[Step]) -> Answer:
    """Return an answer of a kind, unless the script names another; its headers overrule ours."""
    return Answer(status, {"content-type": reply.content_type or kind, **reply.headers}, list(steps))


def refuse(error: errors.Error, protocol: Protocol, status: int | None = None) -> Answer:
    """Return an error in the caller's protocol."""
    own, body = protocol.render_error(error)
    return Answer(status or own, {"content-type": "application/json"}, [msgspec.json.encode(body)])


def to_response(reply: Reply, request: ChatRequest, number: int) -> ChatResponse:
    """Return the reply as a value."""
    calls = [
        ToolCall(call.id or f"call_{number}_{index}", call.name, _arguments(call.arguments))
        for index, call in enumerate(reply.tool_calls)
    ]
    text = last_user_text(request) if reply.echo else reply.text
    content: list[Block] = [ThinkingBlock(reply.thinking)] if reply.thinking else []
    content += [*([TextBlock(text)] if text else []), *calls]
    return ChatResponse(
        id=f"fake-{number}",
        model=reply.model or request.model,
        content=content,
        finish_reason=reply.finish_reason or ("tool_calls" if calls else "stop"),
        usage=_usage(reply, request, content),
    )


def last_user_text(request: ChatRequest) -> str:
    """Return the words of the last turn in which the user said some."""
    for turn in reversed(request.messages):
        words = [block.text for block in turn.content if isinstance(block, TextBlock)]
        if turn.role == "user" and words:
            return "\n".join(words)
    return ""


# -- bytes, pauses and ends --------------------------------------------------------


def _stream(reply: Reply, response: ChatResponse, protocol: Protocol) -> Iterator[Step]:
    renderer, words = protocol.StreamRenderer(), 0
    if reply.delay_s:
        yield float(reply.delay_s)
    for event in _in_words(response):
        if isinstance(event, BlockDelta):
            yield from _fault(reply, words)
            if _ends(reply, words):
                return
            if words and reply.per_token_s:
                yield float(reply.per_token_s)
            words += 1
        yield renderer.feed(event)
    yield from _fault(reply, words)
    if not _ends(reply, words):
        end = renderer.close()
        yield end.replace(DONE, b"") if reply.without_end else end


def _whole(reply: Reply, body: bytes) -> Iterator[Step]:
    if reply.delay_s:
        yield float(reply.delay_s)
    if reply.silent_after is not None:
        yield from (body[: len(body) // 2] if reply.silent_after else b"", float(reply.silence_s), End.CUT)
    elif reply.cut_after is not None:
        yield from (body[: len(body) // 2], End.CUT)
    else:
        yield body if reply.malformed_after is None else body[: len(body) // 2]


def _fault(reply: Reply, words: int) -> Iterator[Step]:
    if words == reply.malformed_after:
        yield MALFORMED
    if words == reply.silent_after:
        yield from (float(reply.silence_s), End.CUT)
    elif words == reply.cut_after:
        yield End.CUT


def _ends(reply: Reply, words: int) -> bool:
    return words in {reply.silent_after, reply.cut_after}


def _in_words(response: ChatResponse) -> Iterator[StreamEvent]:
    arguments = set()
    for event in split_events(response):
        if isinstance(event, BlockStart) and isinstance(event.block, ToolCall):
            arguments.add(event.index)
        if isinstance(event, BlockDelta) and event.index not in arguments:
            yield from (BlockDelta(event.index, piece) for piece in PIECES.findall(event.text))
        else:
            yield event


def _play_body(reply: Reply, protocol: Protocol) -> Answer:
    if reply.error or reply.body is None:
        kind, words = ERRORS[reply.error or ("server_error" if (reply.status or 0) >= 500 else "invalid_request")]
        answer = refuse(kind(reply.message or words), protocol, reply.status)
    else:
        body = reply.body.encode() if isinstance(reply.body, str) else msgspec.json.encode(reply.body)
        kind_of = "text/plain" if isinstance(reply.body, str) else "application/json"
        answer = Answer(reply.status or 200, {"content-type": kind_of}, [body])
    pause: list[Step] = [float(reply.delay_s)] if reply.delay_s else []
    return _answer(reply, answer.status, answer.headers["content-type"], [*pause, *answer.steps])


def _arguments(given: object) -> str:
    return given if isinstance(given, str) else msgspec.json.encode(given).decode()


def _usage(reply: Reply, request: ChatRequest, content: Sequence[Block]) -> Usage:
    if reply.usage is not None:
        return Usage(**msgspec.structs.asdict(reply.usage))
    said = [block.text for turn in request.messages for block in turn.content if isinstance(block, TextBlock)]
    written = [getattr(block, "text", "") or getattr(block, "arguments", "") for block in content]
    return Usage(input=_words(said), output=_words(written))


def _words(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)
