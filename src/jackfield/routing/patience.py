"""What to do after a failed try: the same candidate again, the next one, or nothing more. Pure arithmetic.

The same again for what passes by itself (429, 5xx, a lost connection) while the wait fits; the
next at once for silence, a refused key, used-up credit, a missing model; nothing more for the
caller's own mistakes, a policy's refusal and a cancelled request: another try changes nothing.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from jackfield.errors import ConnectionLost, ContextLength, Error, Overloaded, RateLimit, ServerError, StreamBroken
from jackfield.model import Timeouts
from jackfield.providers.provider import timers_of
from jackfield.routing.candidate import Candidate
from jackfield.transport.request import STREAM_TIMEOUTS, WHOLE_TIMEOUTS, merge_timeouts

# What may be gone at the next try. Silence is not in it: who waited once in vain has waited enough.
PASSING = (RateLimit, Overloaded, ServerError, ConnectionLost, StreamBroken)
RETRIES = 1  # of one candidate while others remain
RETRIES_ALONE = 3  # of the last one
WAIT_S = 10.0  # the longest wait for one candidate while others remain
WAIT_ALONE_S = 60.0
BACKOFF_S = 0.5  # doubled with every try
LEAST_S = 0.1  # likewise, where a server says "at once": it has just refused
FOREVER = float("inf")
# Others wait for their turn: a silent model that nobody gave a limit of its own gets no more than this.
FIRST_TOKEN_S = 60.0


class Step(Struct, frozen=True):
    """What comes after a failed try; `wait_s` before the same again."""

    kind: Literal["again", "next", "stop"]
    wait_s: float = 0.0


NEXT, STOP = Step("next"), Step("stop")


class Waits(Struct, frozen=True):
    """The longest waits for the same candidate, in seconds: while others remain, and when none does."""

    others_s: float = WAIT_S
    alone_s: float = WAIT_ALONE_S


USUAL = Waits()


def decide(error: Error, waits: Waits, *, tries: int, others: bool, left_s: float, jitter: float) -> Step:
    """Return the next step after `tries` tries of one candidate; `jitter` is in 0..1.

    `others`: candidates remain behind it. `left_s`: what is left of the whole request's time.
    """
    onward = NEXT if others else STOP
    if isinstance(error, ContextLength):
        return onward  # the walk leaves only larger windows in the queue
    if not error.failover:
        return STOP
    if not isinstance(error, PASSING) or tries > (RETRIES if others else RETRIES_ALONE):
        return onward
    wait_s = error.retry_after_s
    if wait_s is None:
        if others and isinstance(error, RateLimit):
            return NEXT  # nobody said when; somebody else can answer now
        wait_s = BACKOFF_S * 2 ** (tries - 1) * (1 + jitter / 2)
    wait_s = max(wait_s, LEAST_S * 2 ** (tries - 1))
    # Less than all that is left: the try after the wait needs some of it, too.
    longest_s = min(waits.others_s if others else waits.alone_s, left_s / 2)
    return Step("again", wait_s) if wait_s <= longest_s else onward


def as_waits(max_wait_s: float | None) -> Waits:
    """Return the longest waits; the config says one for both, or nothing."""
    return USUAL if max_wait_s is None else Waits(max_wait_s, max_wait_s)


def deadline_s(candidate: Candidate, *, stream: bool) -> float:
    """Return how long a request may take in all: what its first candidate's one exchange may."""
    return _timers(candidate, stream=stream).total or FOREVER


def first_word_s(candidate: Candidate, *, stream: bool) -> float:
    """Return how long a caller may wait for the first word of a candidate."""
    timers = _timers(candidate, stream=stream)
    return min(timers.first_token or FOREVER, timers.total or FOREVER)


def narrow(candidate: Candidate, *, stream: bool, left_s: float, waiting: int) -> Candidate:
    """Return the candidate with timers that leave each of the `waiting` others its share of what is left."""
    timers = _timers(candidate, stream=stream)
    first_s = min(timers.first_token or FOREVER, left_s / (waiting + 1))
    if waiting and stream and timers_of(candidate.info, candidate.model, stream=stream).first_token is None:
        first_s = min(first_s, FIRST_TOKEN_S)
    total_s = min(timers.total or FOREVER, left_s)
    if (first_s, total_s) == (timers.first_token, timers.total):
        return candidate
    said = candidate.model.timeouts or Timeouts()
    return replace(
        candidate,
        model=replace(candidate.model, timeouts=merge_timeouts(said, Timeouts(first_token=first_s, total=total_s))),
    )


def _timers(candidate: Candidate, *, stream: bool) -> Timeouts:
    wide = STREAM_TIMEOUTS if stream else WHOLE_TIMEOUTS
    return merge_timeouts(wide, timers_of(candidate.info, candidate.model, stream=stream))
