"""Calls as the ledger keeps them: one row per attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jackfield.gateway.record import Finished
from jackfield.ledger.row import Row, complete
from jackfield.ledger.writer import Ledger
from jackfield.message import Attempt, Usage


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
    for number, each in enumerate(tried, 1):
        yield _row(call, each, make_id(), number)


def _row(call: Finished, tried: Attempt, row_id: str, number: int) -> Row:
    row = Row(
        id=row_id,
        at_ms=call.at_ms,
        request=call.request_id,
        attempt=number,
        source="cache" if call.cache == "hit" else "gateway",
        key_id=call.key_id,
        key_name=call.key_name,
        end_user=call.end_user,
        requested=call.requested,
        served=tried.model,
        provider=tried.model.partition("/")[0],
        profile=tried.profile or "",
        wire_in=call.wire,
        streamed=call.is_stream,
        outcome=tried.reason or call.outcome,
        first_ms=call.first_ms,
        total_ms=tried.ms,
    )
    return complete(row, tried.usage or Usage(), tried.cost_usd)
