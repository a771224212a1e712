"""A conversation as providers take it: every tool call answered once, right after it was made.

One call without a result, or one result without its call, and every provider refuses the whole
conversation, for good. A program that was interrupted, or that trims its history, leaves such
behind. Only what is sent is mended; the caller's own messages stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.message import Block, Message, TextBlock, ToolCall, ToolResult
from jackfield.protocols.base import decode_object

NO_RESULT = "(no result: the tool did not run, or its answer was lost)"
Place = tuple[int, int]  # of a turn, and of a block in it


class _Match(Struct, frozen=True):
    """Which result answers which call, and what is left over on both sides."""

    results: Mapping[Place, ToolResult]
    unanswered: Mapping[Place, ToolCall]
    orphans: Sequence[ToolResult]


def mend_turns(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the turns with each call's result right behind it, one that says so where none came.

    Results of no call, and turns of the model that say nothing, are left out. Arguments that
    are no JSON object stand under one key: servers that read them refuse anything else.
    """
    match = _match(messages)
    mended: list[Message] = []
    due: list[Block] = []  # results of the model's last turn
    for at, message in enumerate(messages):
        kept: list[Block] = [_legible(block) for block in message.content if not isinstance(block, ToolResult)]
        if message.role == "user":
            kept, due = [*due, *kept], []
        elif due:
            mended.append(Message("user", due))
        if message.role == "assistant":
            calls = [(n, block) for n, block in enumerate(message.content) if isinstance(block, ToolCall)]
            due = [match.results.get((at, n)) or _no_result(call) for n, call in calls]
        if kept or (message.role == "user" and not message.content):
            mended.append(replace(message, content=kept))
    return (*mended, Message("user", due)) if due else tuple(mended)


def find_gaps(messages: Sequence[Message]) -> tuple[str, ...]:
    """Name the calls and results that lack their other half; a result that only stood elsewhere is none."""
    match = _match(messages)
    calls = [f"tool call {call.id}: it has no result, which the model is told" for call in match.unanswered.values()]
    return (*calls, *(f"tool result {orphan.call_id}: it answers no call" for orphan in match.orphans))


def _match(messages: Sequence[Message]) -> _Match:
    waiting: dict[Place, ToolCall] = {}
    results: dict[Place, ToolResult] = {}
    orphans: list[ToolResult] = []
    for at, message in enumerate(messages):
        for n, block in enumerate(message.content):
            match block:
                case ToolCall():
                    waiting[at, n] = block
                case ToolResult(call_id):
                    # Some servers number each turn's calls anew: the last turn's are meant, in their order.
                    meant = [place for place, call in waiting.items() if call.id == call_id]
                    if not meant:
                        orphans.append(block)
                        continue
                    place = min(meant, key=lambda place: (-place[0], place[1]))
                    results[place] = block
                    del waiting[place]
                case _:
                    pass
    return _Match(results, waiting, orphans)


def _no_result(call: ToolCall) -> ToolResult:
    return ToolResult(call.id, [TextBlock(NO_RESULT)], is_error=True, name=call.name)


def _legible(block: Block) -> Block:
    # What a wire's own fields go with may be another kind of call, whose input is no JSON.
    if not isinstance(block, ToolCall) or block.opaque or not block.arguments.strip():
        return block
    if block.arguments.strip() == "null":  # some models' way to say: no arguments
        return replace(block, arguments="{}")
    if decode_object(block.arguments) is not None:
        return block
    return replace(block, arguments=msgspec.json.encode({"arguments": block.arguments}).decode())
