"""Show a reply as it comes, on a terminal or into a pipe, and tell how it went."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jackfield.cli import ui
from jackfield.cli.media import find_media
from jackfield.errors import BadReply, Error
from jackfield.events import BlockDelta, BlockStart, StreamEvent
from jackfield.message import ChatResponse, Citation, TextBlock, ThinkingBlock
from jackfield.reply import ChatStream

if TYPE_CHECKING:
    from jackfield.client import AsyncClient


class Printer:
    """Prints text blocks to stdout as they grow; thoughts go to stderr, dimmed, where a person reads."""

    def __init__(self, *, show_thinking: bool) -> None:
        self._show_thinking = show_thinking
        self._open: dict[int, type] = {}
        self._thinking = False
        self.printed = False

    def feed(self, event: StreamEvent) -> None:
        """Print what an event adds."""
        match event:
            case BlockStart(index, block):
                self._open[index] = type(block)
                if isinstance(block, ThinkingBlock) and self._thinking:
                    ui.whisper("\n\n")
                self._print(type(block), getattr(block, "text", ""))
            case BlockDelta(index, text):
                self._print(self._open[index], text)
            case _:
                pass

    def close(self) -> None:
        """End the last line."""
        self._end_thinking()
        if self.printed:
            ui.out()

    def _print(self, kind: type, text: str) -> None:
        if not text:
            return
        if kind is TextBlock:
            self._end_thinking()
            ui.out(text, end="")
            self.printed = True
        elif kind is ThinkingBlock and self._show_thinking:
            self._thinking = True
            ui.whisper(text)

    def _end_thinking(self) -> None:
        if self._thinking:
            self._thinking = False
            ui.note("")


async def show(stream: ChatStream, *, show_thinking: bool) -> ChatResponse:
    """Print a reply while it comes; return it whole. What was heard stays printed when it breaks."""
    printer = Printer(show_thinking=show_thinking)
    try:
        async for event in stream:
            printer.feed(event)
    finally:
        printer.close()
    return stream.heard()


def remark(reply: ChatResponse) -> None:
    """Tell on stderr what a person should know of a reply: warnings, who stood in, a cut answer."""
    for warning in reply.warnings:
        ui.warn(warning)
    failed = dict.fromkeys(f"{attempt.model}: {attempt.reason}" for attempt in reply.attempts if attempt.reason)
    told = f" ({', '.join(failed)})" if failed else ""
    if reply.notice or failed:
        ui.note(reply.notice if len(failed) < 2 and reply.notice else f"answered by {reply.model}{told}")
    for number, citation in enumerate(_sources(reply), 1):
        ui.note(f"[{number}] {citation.title or citation.url}{f'  {citation.url}' if citation.title else ''}")
    if reply.finish_reason == "length":
        ui.warn("the answer was cut off at the output limit; raise it with --max-tokens")
    if reply.finish_reason == "content_filter":
        ui.warn(f"the provider stopped the answer{': ' + reply.refusal if reply.refusal else ''}")


def tell_quota(client: AsyncClient, reply: ChatResponse) -> None:
    """Tell on stderr what is left of the quota at the provider that answered, where it says so."""
    from jackfield.providers.quota import describe

    for window in client.quota(reply.model.partition("/")[0]):
        ui.note(f"quota {describe(window)}")


def check_answer(reply: ChatResponse, *, wants_json: bool) -> None:
    """Raise when a reply is no answer: nothing in it, or no JSON where a schema asked for it."""
    if not reply.text and not reply.tool_calls and not reply.refusal and not find_media(reply):
        raise _failed(reply, BadReply(f"{reply.model} gave an empty answer", hint="try again, or another model"))
    if wants_json:
        try:
            json.loads(reply.text)
        except ValueError as error:
            raise _failed(reply, BadReply(f"{reply.model} did not answer in JSON: {error}")) from error


def _failed(reply: ChatResponse, error: Error) -> Error:
    error.partial = reply
    error.attempts = tuple(reply.attempts)
    return error


def _sources(reply: ChatResponse) -> list[Citation]:
    """Return each source of an answer once, in the order the answer names them."""
    first: dict[str, Citation] = {}
    for block in reply.content:
        for citation in block.citations if isinstance(block, TextBlock) else ():
            first.setdefault(citation.url or citation.title, citation)
    return list(first.values())


def render_reply(reply: ChatResponse, saved: Sequence[Path] = ()) -> dict[str, Any]:
    """Return a reply as the object `chat --json` prints; `saved` are the files its media went to."""
    usage = reply.usage
    return {
        "ok": True,
        "model": reply.model,
        "requested": reply.requested,
        "text": reply.text,
        "thinking": reply.thinking or None,
        "toolCalls": [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in reply.tool_calls],
        "citations": [
            {"url": each.url or None, "title": each.title or None, "cited": each.cited or None}
            for each in _sources(reply)
        ],
        "files": [str(path) for path in saved],
        "finishReason": reply.finish_reason,
        "usage": {
            "input": usage.input,
            "output": usage.output,
            "cacheRead": usage.cache_read,
            "cacheWrite": usage.cache_write,
            "reasoning": usage.reasoning,
            **({"estimated": True} if usage.estimated else {}),
        },
        "costUsd": None if reply.cost_usd is None else format(reply.cost_usd, "f"),
        "attempts": [ui.render_attempt(attempt) for attempt in reply.attempts],
        "warnings": list(reply.warnings),
    }
