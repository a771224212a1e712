"""Tool call ids in the shape a server accepts.

The same id always becomes the same new one, whatever else the conversation holds (a cached
prefix stays cached), and two ids never become one. Histories keep the originals.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

from jackfield.message import Message, ToolCall, ToolResult

# Format → what fits, and the length of an id that replaces one that does not.
FORMATS: dict[str, tuple[re.Pattern[str], int]] = {
    "alnum9": (re.compile(r"[A-Za-z0-9]{9}"), 9),
    "alnum64": (re.compile(r"[A-Za-z0-9_-]{1,64}"), 24),
}


def remap_ids(messages: Sequence[Message], form: str | None) -> dict[str, str]:
    """Return the new id of every id that the format does not accept."""
    if form not in FORMATS:
        return {}
    pattern, length = FORMATS[form]
    ids = dict.fromkeys(_ids(messages))
    new: dict[str, str] = {}
    taken = {held for held in ids if pattern.fullmatch(held)}
    for held in [held for held in ids if held not in taken]:
        new[held] = _replacement(held, length, taken)
        taken.add(new[held])
    return new


def _ids(messages: Sequence[Message]) -> list[str]:
    return [
        block.id if isinstance(block, ToolCall) else block.call_id
        for message in messages
        for block in message.content
        if isinstance(block, ToolCall | ToolResult)
    ]


def _replacement(held: str, length: int, taken: set[str]) -> str:
    salt = 0
    while (new := sha256(f"{salt}:{held}".encode()).hexdigest()[:length]) in taken:
        salt += 1
    return new
