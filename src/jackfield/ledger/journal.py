"""What a client that is no server's asks, as rows of the ledger: the command line, and programs that want it.

Nothing is opened before the first row, and nobody waits for it: the rows are written on the ledger's own thread.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from jackfield.ledger.row import row_of
from jackfield.message import Attempt

if TYPE_CHECKING:
    from jackfield.ledger.writer import Ledger

Asker = Literal["cli", "library"]
NAMES: dict[Asker, str] = {"cli": "command line", "library": "library"}  # who asks, where others have a key's name
CLOSE_S = 1.0  # longest wait for a database that is busy or away: whoever has an answer leaves


class Journal:
    """Keeps the tries of one client; `close` writes what waits, for a second at most."""

    def __init__(self, url: str, source: Asker) -> None:
        self.trouble = ""  # what became of rows that could not be written
        self._url = url
        self._source = source
        self._ledger: Ledger | None = None

    def note(self, requested: str, attempts: Iterable[Attempt], *, streamed: bool = False) -> None:
        """Queue a row for every try of a call."""
        tried = [each for each in attempts if each.ms is not None]
        if not tried:
            return
        if self._ledger is None:
            # Only who has asked something pays for it.
            from jackfield.ledger.writer import Ledger  # noqa: PLC0415

            self._ledger = Ledger.open(self._url)
        call = secrets.token_hex(8)
        for number, each in enumerate(tried, 1):
            row = row_of(
                each,
                id=secrets.token_hex(16),
                at_ms=each.at_ms or 0,
                request=call,
                attempt=number,
                source=self._source,
                key_name=NAMES[self._source],
                requested=requested,
                wire_out=each.api,
                streamed=streamed,
                outcome=each.reason or "ok",
            )
            self._ledger.note(row)

    def close(self) -> None:
        """Write what waits, or note in `trouble` that it cannot be."""
        if self._ledger and (lost := self._ledger.close(CLOSE_S)):
            told = "1 row of the ledger is" if lost == 1 else f"{lost} rows of the ledger are"
            self.trouble = f"{told} lost: {self._ledger.trouble or 'the database is busy'}"
