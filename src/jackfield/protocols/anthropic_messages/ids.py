"""Tool ids this wire accepts, made from whatever the caller's history holds.

Only what leaves is changed; the caller's messages are not. The same history gives the same
ids, and an id depends on nothing that comes after it, so a cached prefix stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256

from msgspec.structs import replace

from jackfield.message import Block, Message, ToolCall, ToolResult

LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")


def legal_ids(messages: Sequence[Message]) -> Iterator[Message]:
    """Yield the messages with ids that are legal and unique, each result still with its call."""
    ids = _Ids()
    for message in messages:
        yield replace(message, content=[ids.rename(block) for block in message.content])


class _Ids:
    """What has been given out so far; a call whose id was used before gets a new one."""

    def __init__(self) -> None:
        self._given: dict[str, list[str]] = {}  # the caller's id to ours, one for each call that had it
        self._answered: dict[str, int] = {}
        self._taken: set[str] = set()

    def rename(self, block: Block) -> Block:
        match block:
            case ToolCall(id):
                given = self._given.setdefault(id, [])
                given.append(self._free(id, len(given)))
                return replace(block, id=given[-1])
            case ToolResult(call_id):
                # Results answer calls of one id in the order of the calls.
                given = self._given.get(call_id) or [_legal(call_id, 0)]
                turn = self._answered.get(call_id, 0)
                self._answered[call_id] = turn + 1
                return replace(block, call_id=given[min(turn, len(given) - 1)])
            case _:
                return block

    def _free(self, call_id: str, use: int) -> str:
        while (legal := _legal(call_id, use)) in self._taken:
            use += 1
        self._taken.add(legal)
        return legal


def _legal(call_id: str, use: int) -> str:
    """Return the id itself where it is legal and new, else its legal characters and a digest of the whole."""
    if use == 0 and LEGAL.fullmatch(call_id):
        return call_id
    digest = sha256(f"{call_id}#{use}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{ILLEGAL.sub('_', call_id)[:51]}_{digest}"
