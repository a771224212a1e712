"""What is kept of a call: who asked, who answered, what it cost, how it ended. Values, and the line they make in a log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

import msgspec
from msgspec import Struct

from jackfield.message import Attempt, Usage

ENCODER = msgspec.json.Encoder()


class Finished(Struct, frozen=True, kw_only=True):
    """One call, once it is over. `outcome` is `ok`, `cancelled`, or the type of the error that ended it."""

    request_id: str
    at_ms: int  # when it came, Unix milliseconds
    ms: int  # how long it took
    first_ms: int | None = None  # until the first piece went out, of a stream
    wire: str  # the caller's protocol
    kind: str = "chat"
    key_id: str = ""
    key_name: str = ""
    end_user: str = ""  # the caller's own word for whom it asks
    requested: str = ""
    model: str = ""  # who answered
    outcome: str = "ok"
    status: int = 200  # what the caller was told
    is_stream: bool = False
    attempts: Sequence[Attempt] = ()
    usage: Usage = Usage()
    cost_usd: Decimal | None = None


class Listener(Protocol):
    """Hears of every call once it is over. Must not wait: other requests do meanwhile."""

    def note(self, call: Finished) -> None:
        """Hear of a call."""
        ...

    def close(self) -> None:
        """Hear that there will be no more."""
        ...


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Log:
    """Says every attempt as one line of JSON; what was asked and answered is never in it."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def note(self, call: Finished) -> None:
        """Write the lines of a call in one piece."""
        seconds, ms = divmod(call.at_ms, 1000)
        common = {
            "at": f"{_second(seconds)}.{ms:03d}Z",
            "request": call.request_id,
            "wire": call.wire,
            "requested": call.requested,
        }
        end = {"outcome": call.outcome, "status": call.status, "totalMs": call.ms}
        tries = call.attempts or (Attempt(call.model),)
        lines = [
            {**common, "attempt": number, "model": each.model, "profile": each.profile, "ms": each.ms}
            | {"reason": each.reason, **(end if number == len(tries) else {})}
            for number, each in enumerate(tries, 1)
        ]
        self._write(b"".join(ENCODER.encode(line) + b"\n" for line in lines))

    def close(self) -> None:
        """Do nothing: whoever gave the place to write to has it."""
