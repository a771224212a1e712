"""What a store of failures offers, and the one that forgets when the process ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import Protocol

from jackfield.config.schema import Config
from jackfield.errors import Error
from jackfield.health import ladder
from jackfield.health.classify import classify
from jackfield.health.record import Key, Place, Quota, QuotaWindow, Rest, as_quota
from jackfield.health.view import View, scopes

Clock = Callable[[], int]  # Unix milliseconds
DAY_MS = 86_400_000
# A quota is noted anew when it moved by this share, or after this time: not with every reply.
QUOTA_STEP = 0.01
QUOTA_AGE_MS = 60_000


class HealthStore(Protocol):
    """Where failures are noted and looked up. No method raises: what cannot be kept is kept in memory, and said."""

    @property
    def problems(self) -> Sequence[str]:
        """What kept notes from their place, in words for the user; each once."""

    def view(self) -> View:
        """Return what is known now; cheap as long as nobody notes anything."""

    def note_failure(self, provider: str, credential: str, model: str, error: Error) -> Rest | None:
        """Put to rest what an error tells to; `None` when that is nothing. Frees what the caller had claimed."""

    def note_success(self, provider: str, credential: str, model: str) -> None:
        """Forget the failures of a candidate that answered; writes nothing where there were none."""

    def claim(self, provider: str, credential: str, model: str) -> bool:
        """Tell whether the caller may try this half-open candidate; for `PROBE_MS` no other caller may."""

    def note_quotas(self, provider: str, credential: str, windows: Sequence[QuotaWindow]) -> None:
        """Keep what a reply told of its credential's quotas."""

    def reset(self, place: Place | None = None) -> int:
        """Forget the failures of a place and of its parts, or all; return how many there were."""

    def close(self) -> None:
        """Give back what is open."""


def open_health(config: Config, now_ms: Clock, *, shared_url: str = "") -> HealthStore:
    """Return this user's store, or one for many machines at a URL of Redis or Valkey.

    Nothing is opened or made before there is something to read or to note. Raises `ConfigError`
    when the URL is none, or its library is not installed.
    """
    # A command that asks no model pays for no database.
    from jackfield.health.file import StateFile  # noqa: PLC0415
    from jackfield.health.kept import KeptHealth  # noqa: PLC0415
    from jackfield.state import NAME  # noqa: PLC0415

    if shared_url:
        from jackfield.health.server import open_server  # noqa: PLC0415

        return KeptHealth(open_server(shared_url, now_ms), now_ms, window_ms(config))
    return KeptHealth(StateFile(config.paths.home / NAME, now_ms), now_ms, window_ms(config))


def window_ms(config: Config) -> int:
    """Return after how long without a failure the count starts anew."""
    return int(config.failure_window_hours * 3_600_000)


class MemoryHealth:
    """Failures of this process, noted for this process."""

    def __init__(self, now_ms: Clock, window_ms: int = DAY_MS) -> None:
        self.problems: tuple[str, ...] = ()
        self._now_ms = now_ms
        self._window_ms = window_ms
        self._rests: dict[Key, Rest] = {}
        self._quotas: dict[Key, Quota] = {}
        self._view: View | None = None
        self._lock = RLock()

    def view(self) -> View:
        """See `HealthStore`."""
        with self._lock:
            if self._view is None:
                now_ms = self._now_ms()
                for key in [key for key, rest in self._rests.items() if ladder.is_stale(rest, now_ms, self._window_ms)]:
                    del self._rests[key]
                self._view = View(self._rests.values(), self._quotas.values())
            return self._view

    def note_failure(self, provider: str, credential: str, model: str, error: Error) -> Rest | None:
        """See `HealthStore`."""
        with self._lock:
            candidate = (provider, credential, model)
            known = self._known(*candidate)
            new, changed = ladder.note(known, classify(error), candidate, self._now_ms(), self._window_ms)
            self._keep(changed)
            return new

    def note_success(self, provider: str, credential: str, model: str) -> None:
        """See `HealthStore`."""
        if self._rests:
            with self._lock:
                for rest in self._known(provider, credential, model):
                    del self._rests[rest.place.key]
                    self._view = None

    def claim(self, provider: str, credential: str, model: str) -> bool:
        """See `HealthStore`."""
        with self._lock:
            claimed = ladder.claim(self._known(provider, credential, model), self._now_ms())
            self._keep(claimed or ())
            return claimed is not None

    def note_quotas(self, provider: str, credential: str, windows: Sequence[QuotaWindow]) -> None:
        """See `HealthStore`."""
        with self._lock:
            self.adopt((), news(self.view(), provider, credential, windows, self._now_ms()))

    def reset(self, place: Place | None = None) -> int:
        """See `HealthStore`."""
        with self._lock:
            gone = [key for key, rest in self._rests.items() if place is None or place.covers(rest.place)]
            for key in gone:
                del self._rests[key]
            self._view = None
            return len(gone)

    def adopt(self, rests: Iterable[Rest], quotas: Iterable[Quota]) -> None:
        """Take over what another store knew."""
        self._keep(rests)
        for quota in quotas:
            self._quotas[quota.provider, quota.credential, quota.name] = quota
            self._view = None

    def close(self) -> None:
        """See `HealthStore`."""

    def _known(self, provider: str, credential: str, model: str) -> list[Rest]:
        return [rest for key in scopes(provider, credential, model) if (rest := self._rests.get(key))]

    def _keep(self, rests: Iterable[Rest]) -> None:
        for rest in rests:
            self._rests[rest.place.key] = rest
            self._view = None


def news(view: View, provider: str, credential: str, windows: Sequence[QuotaWindow], now_ms: int) -> tuple[Quota, ...]:
    """Return the quotas among a reply's windows that are worth a note: new ones, or noticeably other."""
    if not windows:
        return ()
    known = {quota.name: quota for quota in view.quotas(provider, credential)}
    read = (as_quota(provider, credential, window, now_ms) for window in windows)
    return tuple(quota for quota in read if _is_news(quota, known.get(quota.name)))


def _is_news(new: Quota, old: Quota | None) -> bool:
    if old is None or old.used is None or new.used is None:
        return old is None or new.used != old.used
    return abs(new.used - old.used) >= QUOTA_STEP or new.read_ms - old.read_ms >= QUOTA_AGE_MS
