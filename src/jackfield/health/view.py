"""What is known of failures and quotas at one moment; a plan reads it and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from jackfield.health.record import Key, Quota, Rest


class View:
    """A snapshot; each question costs a few dictionary reads."""

    __slots__ = ("_quotas", "_rests")

    def __init__(self, rests: Iterable[Rest] = (), quotas: Iterable[Quota] = ()) -> None:
        # A place that somebody tries just now rests for everybody else.
        self._rests = {rest.place.key: replace(rest, until_ms=rest.ends_ms) for rest in rests}
        self._quotas: dict[tuple[str, str], tuple[Quota, ...]] = {}
        for quota in quotas:
            key = quota.provider, quota.credential
            self._quotas[key] = (*self._quotas.get(key, ()), quota)

    @property
    def rests(self) -> tuple[Rest, ...]:
        """Every place that failed and has not answered since, resting or half-open."""
        return tuple(self._rests.values())

    @property
    def every_quota(self) -> tuple[Quota, ...]:
        """The windows of all credentials."""
        return tuple(quota for quotas in self._quotas.values() for quota in quotas)

    def look(self, provider: str, credential: str, model: str, now_ms: int) -> tuple[Rest | None, bool]:
        """Return what keeps this candidate from use now, the longest of several; and whether it is half-open.

        Half-open is what has rested and not answered since: claim it, then try it.
        """
        longest, has_failed = None, False
        if self._rests:
            # A plan asks this of every candidate; a look-up each is cheaper than anything that says it shorter.
            for key in ((provider, "", ""), (provider, credential, ""), (provider, credential, model)):
                rest = self._rests.get(key)
                if rest is not None:
                    has_failed = True
                    if rest.holds(now_ms) and (longest is None or rest.until_ms > longest.until_ms):
                        longest = rest
        return longest, has_failed and longest is None

    def rest_of(self, provider: str, credential: str, model: str, now_ms: int) -> Rest | None:
        """Return what keeps this candidate from use now, the longest of several; `None`: it may go."""
        return self.look(provider, credential, model, now_ms)[0]

    def half_open(self, provider: str, credential: str, model: str, now_ms: int) -> Rest | None:
        """Return the failure this candidate has rested from and not yet answered after: claim it, then try it."""
        if not self._rests or self.rest_of(provider, credential, model, now_ms):
            return None
        return max(self.known(provider, credential, model), key=_end, default=None)

    def quotas(self, provider: str, credential: str) -> tuple[Quota, ...]:
        """Return the windows a reply to this credential told of last."""
        return self._quotas.get((provider, credential), ())

    def known(self, provider: str, credential: str, model: str) -> Iterator[Rest]:
        """Yield every failure this candidate is part of."""
        for key in scopes(provider, credential, model):
            if rest := self._rests.get(key):
                yield rest


def scopes(provider: str, credential: str, model: str) -> frozenset[Key]:
    """Return every place a candidate is part of, itself among them."""
    return frozenset(((provider, "", ""), (provider, credential, ""), (provider, credential, model)))


def _end(rest: Rest) -> int:
    return rest.until_ms


NOTHING = View()
