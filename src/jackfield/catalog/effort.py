"""Names that are a model and how hard it shall think: `o3-mini-high` is o3-mini, thinking hard."""

from __future__ import annotations

import re

from msgspec import UNSET
from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.model import Model

NAMED = r"(?i)(.+)[-:](minimal|low|medium|high|xhigh)"


def split_effort(model_id: str) -> tuple[str, str] | None:
    """Return the model and the level that an id ends in, `None` when it ends in no level."""
    found = re.fullmatch(NAMED, model_id)
    return (found[1], found[2].lower()) if found else None


def with_effort(stem: Model, model_id: str, level: str) -> Model | None:
    """Return the row that an id with a level means; `None` for a model that does not reason."""
    if not defaults.reasons(stem) or stem.effort:
        return None
    named = f"{defaults.name(stem)} ({level})"
    return replace(stem, id=model_id, name=named, upstream=defaults.wire_id(stem), effort=level, aliases=UNSET)
