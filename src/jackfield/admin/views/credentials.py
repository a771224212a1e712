"""Credentials from the page: keys come in, go, take another one's place and take turns.

A key comes in the body of a request and goes into the credential store; it is in no answer.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.bound import has_plain_key
from jackfield.admin.card import tests_of
from jackfield.admin.desk import Desk
from jackfield.admin.edits import edit
from jackfield.admin.providers import find_entry, find_info, keep, read_key
from jackfield.auth.sources import entry_of, names
from jackfield.config.environment import VARIABLE
from jackfield.config.save import Edit, Set, Unset
from jackfield.credential import ProfileType, Secret
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject
from jackfield.model import AuthMethod, ProviderInfo
from jackfield.setup.forget import forget, is_named
from jackfield.setup.profile import make_profile, name_profile, next_name
from jackfield.setup.state import state_of

DEFAULT_NAMES: dict[ProfileType, str] = {"api_key": "default", "token": "manual", "oauth": "default"}


async def add_key(desk: Desk, asked: Asked) -> JsonObject:
    """Keep a key: `{provider, key, choice?, profileId?, replaces?, expiresMs?}`; a name that is taken is never taken over unasked."""
    order = asked.as_struct(_Key)
    info = find_info(desk, order.provider)
    way = next((each for each in info.auth if each.choice == order.choice), None)
    old = desk.store.read(name_profile(info, order.profile_id, "")) if order.replaces and order.profile_id else None
    kind: ProfileType = "token" if (way and way.kind == "token") or (old and old.type == "token") else "api_key"
    key = read_key(order.key, way if way and way.kind == "token" else None)
    profile = replace(make_profile(info, _name(desk, info, order, kind, key), kind, key), expires_ms=order.expires_ms)
    if way and way.base_url and way.base_url != info.base_url:
        await _move(desk, info, way, asked.if_match)
        info = find_info(desk, order.provider)
    return keep(desk, info, profile, way)


async def replace_configured(desk: Desk, asked: Asked) -> JsonObject:
    """Change the key that stands in the config: `{provider, key}`; an empty one takes it away."""
    order = asked.as_struct(_Key)
    info = find_info(desk, order.provider)
    entry = entry_of(info, desk.config)
    if entry is None or not has_plain_key(desk.config, entry.id):
        raise InvalidRequest(f"the config has no key of {info.id} that stands there itself", hint="see the view Config")
    key = read_key(order.key) if order.key.strip() else ""
    if VARIABLE.search(key):
        raise InvalidRequest("a key in the config cannot hold ${…}: it would be filled in", hint="keep it in the store")

    def edits(raw: JsonObject) -> list[Edit]:
        path = find_entry(raw, entry.id)
        return [Set((*path, "apiKey"), key) if key else Unset((*path, "apiKey"))]

    said = await edit(desk, edits, asked.if_match)
    tests_of(desk, info.id).clear()
    return said


async def remove_key(desk: Desk, asked: Asked) -> JsonObject:
    """Take a stored credential away, and what the config says of it: `{profileId}`."""
    profile_id = asked.as_struct(_Named).profile_id
    profile = next((each for each in desk.store.list() if each.id == profile_id), None)
    if profile is None:
        raise InvalidRequest(f"there is no profile {profile_id!r}", hint="somebody has removed it; look again")
    said: JsonObject = {}
    if is_named(desk, profile_id):
        said = await edit(desk, lambda raw: forget(raw, profile_id), asked.if_match)
    desk.store.delete(profile_id)
    tests_of(desk, desk.catalog.normalise(profile.provider)).clear()
    return {**said, "removed": profile_id}


async def set_order(desk: Desk, asked: Asked) -> JsonObject:
    """Say in which order profiles are used: `{provider, ids}`; no ids: as they come."""
    order = asked.as_struct(_Order)
    info = find_info(desk, order.provider)
    known = {each.id for each in desk.store.list() if each.provider in names(info, desk.config)}
    if unknown := [each for each in order.ids or () if each not in known]:
        raise InvalidRequest(f"{info.id} has no profile {unknown[0]!r}", hint="look again: somebody has changed them")
    for name in sorted(names(info, desk.config)):
        if name == info.id or desk.store.order(name) is not None:
            desk.store.set_order(name, order.ids if name == info.id else None)
    return {"order": None if order.ids is None else list(order.ids)}


def _name(desk: Desk, info: ProviderInfo, order: _Key, kind: ProfileType, key: str) -> str:
    name = name_profile(info, order.profile_id or None, DEFAULT_NAMES[kind])
    old = desk.store.read(name)
    if old is None or order.replaces or old.secret == Secret(key):
        return name
    if order.profile_id:
        raise InvalidRequest(
            f"{name} is there already, with another key", hint="replace it, or give this one another name"
        )
    return next_name(name, {each.id for each in desk.store.list()})


async def _move(desk: Desk, info: ProviderInfo, way: AuthMethod, if_match: str) -> None:
    """Write the address that a way to sign in means; keys for another server are never sent there."""
    if any(each.kind != "none" for each in state_of(desk, info).found):
        raise InvalidRequest(
            f"{info.id} has credentials for {info.base_url}, and this way is for {way.base_url}",
            hint="remove them first, or set the other address up as a server of your own",
        )
    await edit(desk, lambda raw: [Set((*find_entry(raw, info.id), "baseUrl"), way.base_url)], if_match)


class _Key(Struct, forbid_unknown_fields=True, rename="camel"):
    provider: str
    key: str = ""
    choice: str = ""
    profile_id: str = ""
    replaces: bool = False
    expires_ms: int | None = None


class _Named(Struct, forbid_unknown_fields=True, rename="camel"):
    profile_id: str


class _Order(Struct, forbid_unknown_fields=True):
    provider: str
    ids: tuple[str, ...] | None = None


ROUTES: Routes = {
    "providers/key": {"POST": add_key},
    "providers/key/config": {"POST": replace_configured},
    "providers/key/remove": {"POST": remove_key},
    "providers/order": {"POST": set_order},
}
