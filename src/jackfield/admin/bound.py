"""Credentials belong to the server they were given for: what may go to an address, and what must be asked for anew.

A provider whose address moves to another host is another server. What is stored for the old one
is never sent to the new one.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from jackfield.admin.desk import Desk
from jackfield.auth.sources import names, variables
from jackfield.catalog.merge import UNKNOWN
from jackfield.config.environment import VARIABLE
from jackfield.config.mask import is_telling
from jackfield.config.schema import Config, InvalidConfig, ProviderConfig
from jackfield.config.source import load_tree
from jackfield.errors import InvalidRequest
from jackfield.protocols.fields import as_object
from jackfield.setup.custom import Server, origin

# Headers that tell a server nothing secret; every other may be a key by another name.
HARMLESS = frozenset({"accept", "content-type", "http-referer", "referer", "user-agent", "x-title"})


class Bound(Struct, frozen=True, kw_only=True):
    """What a provider has for the address it is at."""

    address: str  # as the config says it; empty: there is no such provider
    is_moved: bool  # the form names another server
    profiles: tuple[str, ...]
    written: str  # a key that stands in the config as it is: `plain`, `elsewhere`, or empty
    fixed: tuple[str, ...]  # what no form can take away: variables, headers

    @property
    def has_key(self) -> bool:
        """Tell whether anything is stored."""
        return bool(self.profiles or self.written or self.fixed)


def find_bound(desk: Desk, server: Server) -> Bound:
    """Return what is there for the provider of a checked form."""
    config, entry = desk.config, desk.config.providers.get(server.id)
    info = replace(UNKNOWN, id=server.id)
    address = (entry.endpoint or entry.base_url or "") if entry else ""
    return Bound(
        address=address,
        is_moved=not address or origin(address) != origin(server.base_url),
        profiles=tuple(each.id for each in desk.store.list() if each.provider in names(info, config)),
        written=_written(config, entry),
        fixed=tuple(_fixed(config, entry)) if entry else (),
    )


def require_known(bound: Bound, server: Server, *, has_key: bool, needs_none: bool) -> None:
    """Raise `InvalidRequest` where saving a form would send what is stored to another server."""
    if not bound.is_moved:
        return
    if bound.fixed or bound.written == "elsewhere":
        what = ", ".join(bound.fixed) or "the key that the config refers to"
        raise InvalidRequest(
            f"{what} would be sent to another server than before",
            hint="give the server at the new address another provider id, or change it in the config",
        )
    if (bound.profiles or bound.written) and not (has_key or needs_none):
        old = f"for {origin(bound.address)[1]}" if bound.address else "of an older provider of this name"
        raise InvalidRequest(
            f"the key that is stored is {old}: it is not sent to {origin(server.base_url)[1]}",
            hint="type the key for the new address, or say that it needs none",
        )


def without_variables(config: Config, provider_id: str) -> Config:
    """Return the config without the variables that a provider's keys may stand in."""
    stems = {name.removesuffix("_API_KEY") for name in variables(replace(UNKNOWN, id=provider_id))}
    heads = tuple(head for stem in stems for head in (f"{stem}_", f"OPENCLAW_LIVE_{stem}_"))
    kept = {name: text for name, text in config.environ.items() if not (name.startswith(heads) and is_telling(name))}
    return replace(config, environ=kept)


def has_plain_key(config: Config, provider_id: str) -> bool:
    """Tell whether a provider's key stands in the config itself, and not the name of a place where it is."""
    try:
        raw = load_tree(config.paths.config, config.environ)[0].plain()
    except InvalidConfig:
        return False  # it is being mended; what holds is what was read before
    spelt = as_object(as_object(as_object(raw).get("models")).get("providers"))
    entry = next((each for name, each in spelt.items() if name.strip().lower() == provider_id), None)
    key = as_object(entry).get("apiKey")
    return isinstance(key, str) and not VARIABLE.search(key) and not config.environ.get(key.strip())


def _written(config: Config, entry: ProviderConfig | None) -> str:
    if entry is None:
        return ""
    if has_plain_key(config, entry.id):
        return "plain"
    is_named = entry.api_key is not None or any(each.key.endswith(".apiKey") for each in entry.missing)
    return "elsewhere" if is_named else ""


def _fixed(config: Config, entry: ProviderConfig) -> list[str]:
    info = replace(UNKNOWN, id=entry.id)
    found = [f"${name}" for name in variables(info) if config.environ.get(name, "").strip()]
    own = [*entry.headers, *entry.header_refs, *(name for row in entry.models for name in row.headers or ())]
    found += [f"the header {name}" for name in dict.fromkeys(own) if name.lower() not in HARMLESS]
    return [*found, *(["the keys of AWS"] if entry.auth == "aws-sdk" else [])]
