"""Credentials that would follow a provider to another server: what a changed config would do with what is stored."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from jackfield.auth.sources import names
from jackfield.catalog.merge import UNKNOWN
from jackfield.config.environment import fill
from jackfield.config.node import Node
from jackfield.setup.custom import origin
from jackfield.setup.installation import Installation


def find_moved(home: Installation, after: Node) -> Iterator[tuple[Node, str]]:
    """Yield the addresses of a config that stored credentials would newly be sent to, and what is to be said of it."""
    entries = after.find(("models", "providers"))
    for name, entry in entries.value.items() if entries and entries.kind == "object" else ():
        said = entry.find(("endpoint",)) or entry.find(("baseUrl",))
        info = home.catalog.provider(name) or replace(UNKNOWN, id=name.strip().lower())
        kept = [each.id for each in home.store.list() if each.provider in names(info, home.config)]
        if said is None or said.kind != "string" or not kept:
            continue
        old, new = info.endpoint or info.base_url, fill(said.value, home.config.environ).text
        if _place(old) != _place(new):
            what = f"what is stored as {', '.join(kept)} is for {_place(old)[1] or 'an older provider of this name'}"
            yield (
                said,
                f"{what}, and will be sent to {_place(new)[1]}; better: take it away first, or choose another id",
            )


def _place(url: str) -> tuple[str, str]:
    try:
        return origin(url) if url else ("", "")
    except ValueError:
        return "", url
