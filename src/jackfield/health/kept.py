"""Failures shared by processes, and what becomes of them while the shared place is in trouble.

Reading answers from a snapshot that is renewed when another process noted something. What
cannot be written is remembered in memory, and written when the place is back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock
from typing import TypeVar

from jackfield.errors import Error
from jackfield.health import ladder
from jackfield.health.backend import Backend, Change, Decide, Trouble
from jackfield.health.classify import classify
from jackfield.health.record import Place, QuotaWindow, Rest
from jackfield.health.store import Clock, MemoryHealth, news
from jackfield.health.view import NOTHING, View, scopes

R = TypeVar("R")
PAUSE_MS = 5_000  # for so long a place in trouble is left alone


class KeptHealth:
    """See `HealthStore`; one instance serves all threads of a process."""

    def __init__(self, backend: Backend, now_ms: Clock, window_ms: int) -> None:
        self.problems: list[str] = []
        self._backend = backend
        self._now_ms = now_ms
        self._window_ms = window_ms
        self._view: View = NOTHING
        self._memory: MemoryHealth | None = None  # while there is trouble
        self._retry_ms = 0
        self._lock = RLock()

    def view(self) -> View:
        """See `HealthStore`."""
        # While another thread writes, what was known before is recent enough.
        if not self._lock.acquire(blocking=False):
            return self._view
        try:
            return self._read()
        finally:
            self._lock.release()

    def note_failure(self, provider: str, credential: str, model: str, error: Error) -> Rest | None:
        """See `HealthStore`."""
        verdict, candidate, now_ms = classify(error), (provider, credential, model), self._now_ms()
        if verdict is None and not any(rest.probe_until_ms for rest in self.view().known(*candidate)):
            return None

        def decide(rests: list[Rest]) -> tuple[Rest | None, Change]:
            known = [rest for rest in rests if rest.place.key in scopes(*candidate)]
            new, changed = ladder.note(known, verdict, candidate, now_ms, self._window_ms)
            kept = {rest.place for rest in changed}
            stale = (rest.place for rest in rests if ladder.is_stale(rest, now_ms, self._window_ms))
            return new, Change(changed, tuple(place.key for place in stale if place not in kept))

        return self._change(decide, lambda memory: memory.note_failure(*candidate, error))

    def note_success(self, provider: str, credential: str, model: str) -> None:
        """See `HealthStore`."""
        candidate = (provider, credential, model)
        if any(self.view().known(*candidate)):
            gone = Change(drop=tuple(scopes(*candidate)))
            self._change(lambda _: (None, gone), lambda memory: memory.note_success(*candidate))

    def claim(self, provider: str, credential: str, model: str) -> bool:
        """See `HealthStore`."""
        candidate, now_ms = (provider, credential, model), self._now_ms()

        def decide(rests: list[Rest]) -> tuple[bool, Change]:
            known = [rest for rest in rests if rest.place.key in scopes(*candidate)]
            claimed = ladder.claim(known, now_ms)
            return claimed is not None, Change(claimed or ())

        return self._change(decide, lambda memory: memory.claim(*candidate))

    def note_quotas(self, provider: str, credential: str, windows: Sequence[QuotaWindow]) -> None:
        """See `HealthStore`."""
        if windows and (quotas := news(self.view(), provider, credential, windows, self._now_ms())):
            self._write(lambda: self._backend.save_quotas(quotas), lambda memory: memory.adopt((), quotas))

    def reset(self, place: Place | None = None) -> int:
        """See `HealthStore`."""

        def decide(rests: list[Rest]) -> tuple[int, Change]:
            gone = tuple(rest.place.key for rest in rests if place is None or place.covers(rest.place))
            return len(gone), Change(drop=gone)

        return self._change(decide, lambda memory: memory.reset(place)) if self.view().rests else 0

    def close(self) -> None:
        """See `HealthStore`."""
        with self._lock:
            self._backend.close()

    def _read(self) -> View:
        if self._memory is not None and not self._is_back():
            return self._memory.view()
        try:
            self._renew()
        except Trouble as trouble:
            return self._retreat(trouble).view()
        return self._view

    def _renew(self) -> None:
        if (found := self._backend.news()) is not None:
            now_ms, (rests, quotas) = self._now_ms(), found
            fresh = (rest for rest in rests if not ladder.is_stale(rest, now_ms, self._window_ms))
            self._view = View(fresh, quotas)

    def _change(self, decide: Decide[R], otherwise: Callable[[MemoryHealth], R]) -> R:
        return self._write(lambda: self._backend.change(decide), otherwise)

    def _write(self, write: Callable[[], R], otherwise: Callable[[MemoryHealth], R]) -> R:
        with self._lock:
            if self._memory is not None and not self._is_back():
                return otherwise(self._memory)
            try:
                result = write()
            except Trouble as trouble:
                return otherwise(self._retreat(trouble))
            # Read at once: should the place go away now, this is still known.
            self._read()
            return result

    # -- trouble -------------------------------------------------------------------

    def _retreat(self, trouble: Trouble) -> MemoryHealth:
        """Go on in memory with what was known, and leave the place alone for a while."""
        self._retry_ms = self._now_ms() + (0 if trouble.mended else PAUSE_MS)
        if str(trouble) not in self.problems:
            self.problems.append(str(trouble))
        if self._memory is None:
            self._memory = MemoryHealth(self._now_ms, self._window_ms)
            self._memory.adopt(self._view.rests, self._view.every_quota)
        return self._memory

    def _is_back(self) -> bool:
        """Try the place again after a pause; what memory has learnt meanwhile is written there."""
        if self._memory is None or 0 < self._retry_ms - self._now_ms() <= PAUSE_MS:
            return False
        learnt = self._memory.view()

        def decide(rests: list[Rest]) -> tuple[None, Change]:
            known = {rest.place: rest for rest in rests}
            return None, Change(tuple(ladder.merge(rest, known.get(rest.place)) for rest in learnt.rests))

        try:
            self._backend.change(decide)
            self._backend.save_quotas(learnt.every_quota)
        except Trouble as trouble:
            self._retreat(trouble)
            return False
        self._memory = None
        return True
