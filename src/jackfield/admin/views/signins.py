"""Signing in on a provider's own page, from this one: begun, looked at, helped with a pasted address, cancelled."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from functools import partial

from msgspec import Struct

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.admin.providers import find_info
from jackfield.admin.signins import SignIn, all_of, find_signin
from jackfield.auth.flows.client import Client, find_client, find_installed, missing_client
from jackfield.errors import AuthError, InvalidRequest, UsageError
from jackfield.message import JsonObject
from jackfield.model import AuthMethod, Flow, ProviderInfo
from jackfield.setup.login import at_company, is_browser, require_enabled, runs_code
from jackfield.setup.profile import name_profile


async def list_signins(desk: Desk, asked: Asked) -> JsonObject:
    """Show the sign-ins that are under way, or with `?id=` one that may be over."""
    if number := asked.query.get("id"):
        return find_signin(desk, number).render()
    return {"signins": [each.render() for each in all_of(desk).values() if not each.is_over]}


async def begin(desk: Desk, asked: Asked) -> JsonObject:
    """Begin one: `{provider, choice, profileId?, company?, agrees?}`; an older one for the same provider ends.

    `agrees`: the client id of the provider's own program on this machine may be used.
    """
    order = asked.as_struct(_Order)
    info = find_info(desk, order.provider)
    way = _pick_way(desk, info, order)
    client = await _pick_client(desk, info, way.flow or Flow(engine="paste"), agrees=order.agrees)
    if order.profile_id:
        name_profile(info, order.profile_id, "default")  # one of another provider's is refused before anybody signs in
    every = all_of(desk)
    # Two of them would want the same landing page.
    for each in [each for each in every.values() if each.info.id == info.id and not each.is_over]:
        await each.cancel()
    made = SignIn(secrets.token_urlsafe(12), info, way)
    every[made.number] = made
    made.begin(desk, client, order.profile_id)
    return made.render()


async def paste(desk: Desk, asked: Asked) -> JsonObject:
    """Hand on the address that the browser landed on, or the code: `{id, text}`."""
    order = asked.as_struct(_Paste)
    if not order.text.strip():
        raise InvalidRequest("nothing was pasted", hint="copy the whole address of the last page")
    found = find_signin(desk, order.id)
    found.hear(order.text)
    return found.render()


async def cancel(desk: Desk, asked: Asked) -> JsonObject:
    """End one: `{id}`."""
    found = find_signin(desk, asked.as_struct(_Id).id)
    await found.cancel()
    return found.render()


def _pick_way(desk: Desk, info: ProviderInfo, order: _Order) -> AuthMethod:
    way = next((each for each in info.auth if each.choice == order.choice and is_browser(each)), None)
    if way is None:
        raise InvalidRequest(f"{info.id} has no sign-in {order.choice!r} in a browser", hint="add a key instead")
    try:
        require_enabled(desk.config, info, way)
        if runs_code(way):
            raise InvalidRequest(
                f"signing in to {info.id} is the code of the plugin {way.plugin}, which asks on a terminal",
                hint=f"run it in a terminal: jackfield models auth login --provider {info.id}",
            )
        return at_company(info, way, order.company)
    except (AuthError, UsageError) as error:
        raise InvalidRequest(error.message, hint=error.hint) from error


async def _pick_client(desk: Desk, info: ProviderInfo, flow: Flow, *, agrees: bool) -> Client:
    environ = desk.config.environ
    if named := find_client(info.id, flow, environ):
        return named
    if shutil.which(flow.installed or "-", path=environ.get("PATH")):
        if not agrees:
            raise InvalidRequest(
                f"signing in to {info.id} needs an OAuth client id, and none is known",
                hint=f"{flow.installed} is installed here: agree to use its public client id",
            )
        # Its files may be many.
        if installed := await asyncio.to_thread(partial(find_installed, flow, environ)):
            return installed
    missing = missing_client(info.id, flow)
    raise InvalidRequest(missing.message, hint=missing.hint)


class _Order(Struct, forbid_unknown_fields=True, rename="camel"):
    provider: str
    choice: str
    profile_id: str = ""
    company: str = ""
    agrees: bool = False


class _Paste(Struct, forbid_unknown_fields=True):
    id: str
    text: str


class _Id(Struct, forbid_unknown_fields=True):
    id: str


ROUTES: Routes = {
    "signins": {"GET": list_signins, "POST": begin},
    "signins/paste": {"POST": paste},
    "signins/cancel": {"POST": cancel},
}
