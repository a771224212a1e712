"""Calls as the ledger keeps them: one row per attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jackfield.gateway.record import Finished
from jackfield.ledger.row import Row, row_of
from jackfield.ledger.writer import Ledger
from jackfield.message import Attempt


class Rows:
    """Hears of calls and writes rows."""

    def __init__(self, ledger: Ledger, make_id: Callable[[], str], close: Callable[[], object] | None = None) -> None:
        self._ledger = ledger
        self._make_id = make_id
        self._close = close or ledger.close

    def note(self, call: Finished) -> None:
        """Queue a call's rows."""
        for row in rows_of(call, self._make_id):
            self._ledger.note(row)

    def close(self) -> None:
        """Write what waits, where nobody else will."""
        self._close()


def rows_of(call: Finished, make_id: Callable[[], str]) -> Iterator[Row]:
    """Yield a row for every try; a call that led to none has one of its own."""
    tried = [each for each in call.attempts if each.ms is not None]
    if not tried:
        reason = None if call.outcome == "ok" else call.outcome
        tried = [Attempt(call.model, reason=reason, ms=call.ms, usage=call.usage, cost_usd=call.cost_usd)]
    spoke = _find_speaker(call, tried)
    for number, each in enumerate(tried, 1):
        yield _row(call, each, make_id(), number, spoke=each is spoke)


def _find_speaker(call: Finished, tried: Sequence[Attempt]) -> Attempt | None:
    """Return the try that was under way when the first piece of a stream went out."""
    if call.first_ms is None:
        return None
    at_ms = call.at_ms + call.first_ms
    return next((each for each in reversed(tried) if (each.at_ms or call.at_ms) <= at_ms), tried[0])


def _row(call: Finished, tried: Attempt, row_id: str, number: int, *, spoke: bool) -> Row:
    at_ms = call.at_ms if tried.at_ms is None else max(call.at_ms, tried.at_ms)
    return row_of(
        tried,
        id=row_id,
        at_ms=at_ms,
        request=call.request_id,
        attempt=number,
        source="cache" if call.cache == "hit" else "gateway",
        key_id=call.key_id,
        key_name=call.key_name,
        end_user=call.end_user,
        requested=call.requested,
        wire_in=call.wire,
        wire_out=tried.api or (call.wire if tried.model and call.cache != "hit" else ""),
        streamed=call.is_stream,
        outcome=tried.reason or call.outcome,
        first_ms=max(0, call.at_ms + call.first_ms - at_ms) if spoke and call.first_ms is not None else None,
    )
