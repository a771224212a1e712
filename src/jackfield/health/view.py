"""What is known of failures and quotas at one moment; a plan reads it and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from jackfield.health.record import Quota, Rest

Key = tuple[str, str, str]  # a `Place`, field by field: a look-up makes no object


class View:
    """A snapshot: look-ups by provider, credential and model, each of them a few dictionary reads."""

    __slots__ = ("_quotas", "_rests", "quota_list", "rests")

    def __init__(self, rests: Iterable[Rest] = (), quotas: Iterable[Quota] = ()) -> None:
        # A place that somebody tries just now rests for everybody else.
        self.rests: tuple[Rest, ...] = tuple(
            replace(rest, until_ms=rest.ends_ms) if rest.probe_until_ms > rest.until_ms else rest for rest in rests
        )
        self.quota_list: tuple[Quota, ...] = tuple(quotas)
        self._rests = {(rest.place.provider, rest.place.credential, rest.place.model): rest for rest in self.rests}
        self._quotas: dict[tuple[str, str], tuple[Quota, ...]] = {}
        for quota in self.quota_list:
            key = quota.provider, quota.credential
            self._quotas[key] = (*self._quotas.get(key, ()), quota)

    def rest_of(self, provider: str, credential: str, model: str, now_ms: int) -> Rest | None:
        """Return what keeps this candidate from use now, the longest of several; `None`: it may go."""
        if not self._rests:
            return None
        resting = (rest for rest in self._about(provider, credential, model) if rest.until_ms > now_ms)
        return max(resting, key=_end, default=None)

    def half_open(self, provider: str, credential: str, model: str, now_ms: int) -> Rest | None:
        """Return why this candidate must be probed before it counts as well: its rest is over, no success came yet."""
        if not self._rests:
            return None
        known = tuple(self._about(provider, credential, model))
        if any(rest.until_ms > now_ms for rest in known):
            return None
        return max(known, key=_end, default=None)

    def quotas(self, provider: str, credential: str) -> tuple[Quota, ...]:
        """Return the windows a reply to this credential told of last."""
        return self._quotas.get((provider, credential), ())

    def _about(self, provider: str, credential: str, model: str) -> Iterator[Rest]:
        for key in scopes(provider, credential, model):
            if rest := self._rests.get(key):
                yield rest


def scopes(provider: str, credential: str, model: str) -> tuple[Key, ...]:
    """Return every place a candidate is part of, from the widest to its own."""
    return (provider, "", ""), (provider, credential, ""), (provider, "", model), (provider, credential, model)


def _end(rest: Rest) -> int:
    return rest.until_ms


NOTHING = View()
