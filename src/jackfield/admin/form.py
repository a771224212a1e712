"""The form of a server of one's own: what was typed, and with which of the user's things it would be asked.

A typed key goes to the typed address and nowhere else; what is stored for another host stays at home.
How the last tests of forms went is remembered, so that a form that is saved as it was tested counts as tested.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.admin.asked import Asked
from jackfield.admin.bound import Bound, without_variables
from jackfield.admin.card import is_known, tests_of
from jackfield.admin.desk import Desk
from jackfield.admin.providers import find_entry, read_key
from jackfield.auth.resolve import resolve
from jackfield.auth.store import FileStore, HeldProfile
from jackfield.catalog.load import Catalog
from jackfield.config.save import Edit, Set, Unset
from jackfield.config.schema import Config
from jackfield.credential import NO_AUTH, RequestAuth, Secret
from jackfield.errors import AuthError, InvalidRequest
from jackfield.message import JsonObject
from jackfield.model import ProviderInfo
from jackfield.setup.custom import Server, check_server, draft, make_edits
from jackfield.setup.profile import make_profile
from jackfield.setup.state import state_of
from jackfield.transport.request import shown_url

THE_FORM = "the form"
TRIED, REMEMBERED = "custom.tried", 8  # in the desk's memory: a form's mark → how its test went


class Form(Struct, frozen=True, kw_only=True):
    """A checked form."""

    server: Server
    key: str = ""
    needs_no_key: bool = False
    is_new: bool = False


def read_form(desk: Desk, asked: Asked, **usual: Any) -> Form:
    """Return what was typed; raise `InvalidRequest` or `UsageError` that names what is wrong. `usual` stands in for what was not."""
    said = dict(asked.body)
    flags = asked.as_struct(_Flags)
    for name in ("key", "needsNoKey", "isNew"):
        said.pop(name, None)
    server = Asked(
        {},
        {
            "baseUrl": "",
            "model": "",
            **usual,
            **{name: value for name, value in said.items() if value is not None and value != ""},
        },
    )
    form = check_server(server.as_struct(Server))
    _require_own(desk, form.id)
    entry = desk.config.providers.get(form.id)
    # An address is shown without what may be secret in its query; unchanged, it is the one there is.
    old = (entry.endpoint or entry.base_url or "") if entry else ""
    if old and form.base_url == shown_url(old).rstrip("/"):
        form = replace(form, base_url=old)
    if not form.model:
        raise InvalidRequest("no model is named", hint="choose one of the list, or type its id")
    return Form(
        server=form,
        key=read_key(flags.key) if flags.key.strip() else "",
        needs_no_key=flags.needs_no_key,
        is_new=flags.is_new,
    )


def _require_own(desk: Desk, provider_id: str) -> None:
    """Raise `InvalidRequest` for a provider of others: its variables and profiles are for its own address."""
    if is_known(desk, desk.catalog.normalise(provider_id)):
        raise InvalidRequest(
            f"{provider_id!r} is a provider of the catalog", hint="choose another id for a server of your own"
        )


def edits_of(form: Form, bound: Bound, raw: JsonObject) -> list[Edit]:
    """Return what writes a form into the config."""
    path = find_entry(raw, form.server.id)
    edits = [*make_edits(form.server, str(path[-1]), raw)]
    if bound.written == "plain" and form.key:
        edits.append(Set((*path, "apiKey"), form.key))  # where it is now, and masked in what is shown
    elif bound.written == "plain" and bound.is_moved:
        edits.append(Unset((*path, "apiKey")))
    return edits


def drafted(desk: Desk, form: Form, bound: Bound) -> Config:
    """Return the config as it would be, for a question before anything is written."""
    config = draft(desk.config, form.server, keeps_secrets=not bound.is_moved)
    return without_variables(config, form.server.id) if bound.is_moved else config


def find_drafted(config: Config, server: Server) -> ProviderInfo:
    """Return the provider of a drafted config; raise `InvalidRequest` where it is none."""
    info = Catalog(config).provider(server.id)
    if info is None:
        raise InvalidRequest(
            f"{server.base_url} is no address of a provider", hint="write it like http://127.0.0.1:8000/v1"
        )
    return info


def find_store(desk: Desk, form: Form, bound: Bound) -> FileStore:
    """Return the store that a question may take credentials from."""
    if bound.is_moved or form.key:
        # Without a key, a store of nobody's.
        provider_id = form.server.id if form.key else ""
        return HeldProfile(make_profile(ProviderInfo(id=provider_id), f"{provider_id}:default", "api_key", form.key))
    return desk.store


def find_auth(desk: Desk, form: Form, bound: Bound, config: Config, info: ProviderInfo) -> RequestAuth:
    """Return what a list of models is asked for with."""
    if form.key:
        return RequestAuth(secret=Secret(form.key), source=THE_FORM)
    try:
        # Many lists are public: no key is no reason not to ask.
        return NO_AUTH if bound.is_moved else resolve(info, config, desk.store, desk.now_ms())
    except AuthError:
        return NO_AUTH


def say_withheld(form: Form, bound: Bound) -> JsonObject:
    """Say so where a stored key was not sent, because the address is another server."""
    withheld = bound.is_moved and bound.has_key and bool(bound.address) and not form.key
    return {"withheld": f"the stored key is for {shown_url(bound.address)} and was not sent"} if withheld else {}


# -- how its test went -------------------------------------------------------------


def remember_test(desk: Desk, form: Form, result: JsonObject) -> None:
    """Remember how a form's test went, until it is saved."""
    tried: dict[str, JsonObject] = desk.state.setdefault(TRIED, {})
    tried[_mark(form)] = result
    while len(tried) > REMEMBERED:
        tried.pop(next(iter(tried)))


def carry_test(desk: Desk, form: Form, info: ProviderInfo) -> None:
    """Let the credential that a saved form is used with count as tested, where the same form was tested with it."""
    result = desk.state.get(TRIED, {}).pop(_mark(form), None)
    chosen = state_of(desk, info).chosen
    if result is None or chosen is None:
        return
    is_typed = bool(form.key) and chosen.secret is not None and chosen.secret.reveal() == form.key
    if is_typed or result["label"] == chosen.label:
        tests_of(desk, info.id)[chosen.label] = {**result, "label": chosen.label}


def _mark(form: Form) -> str:
    # Keys are not kept in it.
    return hashlib.sha256(msgspec.json.encode([form.server, form.key])).hexdigest()


class _Flags(Struct, rename="camel"):
    key: str = ""
    needs_no_key: bool = False
    is_new: bool = False
