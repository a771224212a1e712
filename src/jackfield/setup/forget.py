"""A credential that goes: what the config says of it, and the edits that take that out."""

from __future__ import annotations

from jackfield.config.save import Edit, Set, Unset
from jackfield.message import JsonObject
from jackfield.setup.installation import Installation


def is_named(home: Installation, profile_id: str) -> bool:
    """Tell whether the config speaks of a profile."""
    config = home.config
    return profile_id in config.auth_profiles or any(profile_id in ids for ids in config.auth_order.values())


def forget(raw: JsonObject, profile_id: str) -> list[Edit]:
    """Return the edits that take a profile out of the config's `auth`; an order it alone was in goes too."""
    section = raw.get("auth", {})
    edits: list[Edit] = [Unset(("auth", "profiles", profile_id))]
    for provider, ids in section.get("order", {}).items():
        left = [each for each in ids if each != profile_id]
        if left != ids:
            path = ("auth", "order", provider)
            edits.append(Set(path, left) if left else Unset(path))
    return edits
