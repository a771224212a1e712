"""What a conversation keeps of its earlier requests: whose cache is warm, and who answered last. Bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

from jackfield.routing.candidate import Candidate, Plan

MOST = 10_000  # of each; the one that was asked for longest ago goes first
V = TypeVar("V")


class Sessions:
    """Remembers by a session's name; the empty name is nobody's, nothing is kept of it."""

    def __init__(self) -> None:
        self._credentials: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._answered: OrderedDict[tuple[str, str], str] = OrderedDict()

    def sticky(self, session: str, provider: str) -> str | None:
        """Return the credential that answered last, whose prompt cache is warm; a preference, never a veto."""
        return self._credentials.get((session, provider))

    def note(self, session: str, plan: Plan, answered: Candidate, reason: str | None) -> str:
        """Remember who answered; return what a person should be told once, empty when nothing changed.

        `reason` is why the model asked for did not.
        """
        ref = str(answered.ref)
        before = self._answered.get((session, plan.requested), plan.primary)
        if session:
            _keep(self._credentials, (session, answered.info.id), answered.credential)
            _keep(self._answered, (session, plan.requested), ref)
        if ref == before:
            return ""
        if ref == plan.primary:
            return f"{ref} answers again, after {before}"
        return f"{ref} answers in place of {plan.primary}{f' ({reason})' if reason else ''}"


def _keep(kept: OrderedDict[tuple[str, str], V], key: tuple[str, str], value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST:
        kept.popitem(last=False)
