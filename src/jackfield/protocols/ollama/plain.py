"""The plain piece of a streamed reply on this wire: a line with words that is not the last."""

from __future__ import annotations

import msgspec

from jackfield.protocols.plain import Closed


class _Message(Closed, frozen=True):
    content: str
    role: str = ""


class _Line(Closed, frozen=True):
    message: _Message
    done: bool
    model: str = ""
    created_at: str = ""
    remote_model: str = ""
    remote_host: str = ""


PLAIN = msgspec.json.Decoder(_Line)
