"""The plain piece of a streamed reply on this wire: words of choice 0, beside what every chunk repeats or leaves null."""

from __future__ import annotations

from typing import Literal

import msgspec

from jackfield.message import JsonObject
from jackfield.protocols.plain import Closed


class _Delta(Closed, frozen=True):
    content: str
    role: str | None = None
    reasoning_content: None = None
    tool_calls: None = None


class _Choice(Closed, frozen=True):
    delta: _Delta
    index: Literal[0] = 0
    finish_reason: None = None
    native_finish_reason: None = None
    logprobs: None = None


class _Chunk(Closed, frozen=True):
    choices: tuple[_Choice]
    id: str = ""
    object: str = ""
    model: str = ""
    created: int | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    provider: str | None = None
    usage: None = None
    obfuscation: str = ""

    def repeats(self, first: JsonObject) -> bool:
        """Say whether the chunk tells nothing of the reply that its start has not told."""
        return (
            (self.created is None or self.created == first.get("created"))
            and (self.system_fingerprint is None or self.system_fingerprint == first.get("system_fingerprint"))
            and (self.service_tier is None or self.service_tier == first.get("service_tier"))
            and (self.provider is None or self.provider == first.get("provider"))
        )


PLAIN = msgspec.json.Decoder(_Chunk)
