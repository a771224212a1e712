"""The plain piece of a streamed reply on this wire: words of a content, without their likelihood."""

from __future__ import annotations

from typing import Literal

import msgspec

from jackfield.protocols.plain import Closed

KIND = "content-delta"


class _Content(Closed, frozen=True):
    text: str


class _Message(Closed, frozen=True):
    content: _Content


class _Delta(Closed, frozen=True):
    message: _Message


class _Event(Closed, frozen=True):
    type: Literal["content-delta"]
    index: int
    delta: _Delta


PLAIN = msgspec.json.Decoder(_Event)
