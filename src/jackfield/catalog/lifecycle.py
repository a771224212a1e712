"""What is to become of a model: whether it still answers, until when, and what replaces it. The day is an argument."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from jackfield.model import Model

State = Literal["ok", "deprecated", "retiring", "retired", "gone"]
SOON = timedelta(days=30)  # a model that ends within this time is warned of whenever it is asked
RETIRED = "retired"
DEPRECATED = "deprecated"


class Fate(Struct, frozen=True, kw_only=True):
    """What is known of a model's end; `retires` is an ISO date, empty where none is known."""

    state: State = "ok"
    retires: str = ""
    replacement: str = ""  # a ref


def judge(model: Model, provider: str, today: date) -> Fate:
    """Return a model's fate as its row tells it; a replacement that is a bare id is the same provider's."""
    retires, named = model.retires or "", model.replacement or ""
    replacement = f"{provider}/{named}" if named and not named.startswith(f"{provider}/") else named
    ends = _parse(retires)
    state: State = "deprecated" if model.status == DEPRECATED else "ok"
    if ends is not None:
        state = "retired" if ends <= today else "retiring"
    elif model.status == RETIRED:
        state = "retired"
    return Fate(state=state, retires=retires, replacement=replacement)


def foretell(ref: str, model: Model, today: date) -> tuple[str, ...]:
    """Return what to warn of before a model is asked: nothing, or one line."""
    fate = judge(model, ref.partition("/")[0], today)
    ends = _parse(fate.retires)
    instead = f"; its provider names {fate.replacement} in its place" if fate.replacement else ""
    if fate.state == "retired":
        when = f" on {fate.retires}" if fate.retires else ""
        return (f"{ref} was to be retired{when}{instead}",)
    if ends is not None and ends - today <= SOON:
        return (f"{ref} retires on {fate.retires}{instead}",)
    return ()


def _parse(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
