"""What a request needs of a model, and whether a model is known to have it. Pure; opens nothing, asks nobody.

A model that says nothing of what a request needs is in doubt: that is no yes and no veto.
"""

from __future__ import annotations

from msgspec import UNSET

from jackfield.model import Model
from jackfield.routing.candidate import Candidate


def window_of(model: Model) -> int | None:
    """Return the most tokens that question and answer may have together; `None`: nobody says."""
    said = model.context_window
    return said if said is not UNSET and said > 0 else None


def larger(candidate: Candidate, failed: Candidate) -> bool:
    """Tell whether a candidate may take what was too long for another: its window is larger, or one of both unknown."""
    if candidate.ref == failed.ref:
        return False
    ours, theirs = window_of(candidate.model), window_of(failed.model)
    return ours is None or theirs is None or ours > theirs
