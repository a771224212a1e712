"""Tool call ids in the shape a server accepts, made from whatever the caller's history holds.

Only what leaves is changed; the caller's messages are not. The same history gives the same
ids, and an id depends on nothing that comes after it, so a cached prefix stays one. No two
calls get the same id, and each result stays with its call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from jackfield.message import Block, Message, ToolCall, ToolResult

ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")


class _Form(Struct, frozen=True):
    fits: re.Pattern[str]
    length: int  # of an id that replaces one that does not fit
    keeps: int  # how many of the old id's legal characters it begins with


# `any` has no rule but that an id is not empty; Mistral takes nine letters and digits, OpenAI 64 characters,
# Anthropic and Bedrock 64 of a smaller alphabet (their references, read 2026-11-21).
FORMS: dict[str, _Form] = {
    "any": _Form(re.compile(r".+", re.DOTALL), 24, 0),
    "any64": _Form(re.compile(r".{1,64}", re.DOTALL), 24, 0),
    "alnum64": _Form(re.compile(r"[a-zA-Z0-9_-]{1,64}"), 64, 51),
    "alnum9": _Form(re.compile(r"[a-zA-Z0-9]{9}"), 9, 0),
}


def legal_ids(messages: Sequence[Message], form: str) -> tuple[Message, ...]:
    """Return the messages with ids that are legal and unique, each result still with its call."""
    ids = _Ids(FORMS[form])
    return tuple(replace(message, content=[ids.rename(block) for block in message.content]) for message in messages)


class _Ids:
    """What has been given out so far; a call whose id was used before gets a new one."""

    def __init__(self, form: _Form) -> None:
        self._form = form
        self._given: dict[str, list[str]] = {}  # the caller's id to ours, one for each call that had it
        self._answered: dict[str, int] = {}
        self._taken: set[str] = set()

    def rename(self, block: Block) -> Block:
        match block:
            case ToolCall(id):
                given = self._given.setdefault(id, [])
                given.append(self._free(id, len(given)))
                return block if given[-1] == id else replace(block, id=given[-1])
            case ToolResult(call_id):
                # Results answer calls of one id in the order of the calls.
                given = self._given.get(call_id) or [self._legal(call_id, 0)]
                turn = self._answered.get(call_id, 0)
                self._answered[call_id] = turn + 1
                return replace(block, call_id=given[min(turn, len(given) - 1)])
            case _:
                return block

    def _free(self, call_id: str, use: int) -> str:
        while (legal := self._legal(call_id, use)) in self._taken:
            use += 1
        self._taken.add(legal)
        return legal

    def _legal(self, call_id: str, use: int) -> str:
        """Return the id itself where it is legal and new, else its legal characters and a digest of the whole."""
        if use == 0 and self._form.fits.fullmatch(call_id):
            return call_id
        digest = sha256(f"{call_id}#{use}".encode("utf-8", "surrogatepass")).hexdigest()
        if not self._form.keeps:
            return digest[: self._form.length]
        start = ILLEGAL.sub("_", call_id)[: self._form.keeps]
        return f"{start}_{digest[: self._form.length - self._form.keeps - 1]}"
