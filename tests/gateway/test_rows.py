"""What the ledger is told of a call's tries."""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.gateway.record import Finished
from jackfield.gateway.rows import rows_of
from jackfield.ledger.row import Row
from jackfield.message import Attempt

AT_MS = 1_795_000_000_000
FAILED = Attempt("a/one", "a:default", "overloaded", 40, "no room", at_ms=AT_MS + 2, api="cohere", status=529)
ANSWERED = Attempt("b/two", "b:default", None, 300, at_ms=AT_MS + 60, api="anthropic-messages")
CALL = Finished(
    request_id="r", at_ms=AT_MS, ms=365, first_ms=160, wire="openai-completions", model="b/two", is_stream=True,
    attempts=(FAILED, ANSWERED),
)  # fmt: skip


def rows(call: Finished) -> list[Row]:
    return list(rows_of(call, lambda: "id"))


def test_each_try_has_its_own_beginning_protocol_and_status() -> None:
    first, second = rows(CALL)
    assert [(row.at_ms - AT_MS, row.total_ms, row.attempt) for row in (first, second)] == [(2, 40, 1), (60, 300, 2)]
    assert (first.wire_in, first.wire_out, first.status) == ("openai-completions", "cohere", 529)
    assert (second.wire_out, second.status, second.outcome) == ("anthropic-messages", None, "ok")


def test_the_first_piece_is_that_of_the_try_which_gave_it_counted_from_its_beginning() -> None:
    assert [row.first_ms for row in rows(CALL)] == [None, 100]
    broken = replace(
        CALL, first_ms=30, outcome="stream_broken", attempts=(replace(FAILED, reason="stream_broken"), ANSWERED)
    )
    assert [row.first_ms for row in rows(broken)] == [28, None]
    assert [row.first_ms for row in rows(replace(CALL, first_ms=None))] == [None, None]


def test_the_short_way_speaks_the_callers_protocol_and_begins_with_the_call() -> None:
    (row,) = rows(replace(CALL, attempts=(Attempt("box/m", None, None, 365),)))
    assert (row.at_ms, row.first_ms, row.wire_out) == (AT_MS, 160, "openai-completions")


def test_what_reached_nobody_went_out_over_no_protocol() -> None:
    (row,) = rows(replace(CALL, attempts=(), model="", outcome="invalid_request", first_ms=None))
    assert (row.served, row.wire_out, row.outcome) == ("", "", "invalid_request")
    (kept,) = rows(replace(CALL, attempts=(), cache="hit"))
    assert (kept.source, kept.wire_out) == ("cache", "")
