"""What outlives a reload: counts of what callers have used, the ledger's writer, and whose prompt cache is warm."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from jackfield.gateway.meters import LocalMeters
from jackfield.gateway.rows import Rows
from jackfield.ledger.writer import Ledger
from jackfield.routing.session import Sessions


class Kept:
    """One process's; parts rent from it what is theirs while they last."""

    def __init__(self, open_ledger: Callable[[str], Ledger], make_id: Callable[[], str]) -> None:
        self.meters = LocalMeters()
        self.sessions = Sessions()
        self._open_ledger = open_ledger
        self._make_id = make_id
        self._renters: dict[str, tuple[Ledger, int]] = {}  # by URL: the writer, and how many use it
        self._lock = Lock()

    def rent_ledger(self, url: str) -> tuple[Ledger, Rows]:
        """Return the writer at a URL, and what hears of calls for it; the last to close that closes the writer."""
        with self._lock:
            known = self._renters.get(url)
            ledger, renters = known or (self._open_ledger(url), 0)
            self._renters[url] = ledger, renters + 1
        return ledger, Rows(ledger, self._make_id, lambda: self._release(url))

    def _release(self, url: str) -> None:
        with self._lock:
            ledger, renters = self._renters[url]
            if renters > 1:
                self._renters[url] = ledger, renters - 1
                return
            del self._renters[url]
        ledger.close()
