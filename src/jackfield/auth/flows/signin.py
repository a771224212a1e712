"""A sign-in from beginning to end: which engine, what the person is told, what the profile holds.

The network, the person, time and randomness are arguments. Stores nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct
from msgspec.structs import replace

from jackfield.auth.flows import pkce
from jackfield.auth.flows.client import Client
from jackfield.auth.flows.device import LONGEST_INTERVAL_S, Code, Waiting
from jackfield.auth.flows.headless import why_headless
from jackfield.auth.flows.project import find_project
from jackfield.auth.flows.token import Ask, as_text, check_answer, render_question, to_profile
from jackfield.credential import Profile, Secret
from jackfield.errors import ConnectError, Error, TimeoutExpired, TransportError
from jackfield.message import JsonObject
from jackfield.model import AuthMethod, Flow, ProviderInfo
from jackfield.transport.landing import Landing, open_landing

LANDING_S = 600.0


class Person(Protocol):
    """Who signs in, as a flow sees them."""

    def tell(self, text: str) -> None:
        """Show a line."""
        ...

    def browse(self, url: str) -> None:
        """Open a page, if that is possible."""
        ...

    async def paste(self, question: str) -> str:
        """Return the next line typed; may be cancelled."""
        ...


class World(Struct, frozen=True, kw_only=True):
    """All that a sign-in touches."""

    ask: Ask
    person: Person
    environ: Mapping[str, str]
    platform: str
    random: pkce.Random
    now_ms: Callable[[], int]
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    landing_s: float = LANDING_S
    # For a person at a browser of their own: they are handed the code, and every page, wherever this runs.
    show_code: Callable[[Code], object] | None = None

    def why_headless(self) -> str:
        """Return in words why a page opened here would not be seen; empty when it would."""
        return "" if self.show_code else why_headless(self.environ, self.platform)


async def sign_in(info: ProviderInfo, method: AuthMethod, client: Client, world: World) -> Profile:
    """Return the profile that a sign-in makes; its id names the person where the provider says who it is.

    Raises `AuthError` for a refusal, a foreign answer or an expired code, `TimeoutExpired` when nobody comes.
    """
    flow = method.flow or Flow(engine="paste")
    fields = await (_by_page if flow.engine == "pkce" else _by_code)(flow, client, world)
    blank = Profile(
        id="", provider=info.id, type="oauth", secret=Secret(""), details={"clientId": client.id, **flow.noted}
    )
    profile = to_profile(fields, flow, blank, world.now_ms())
    if flow.base_url_detail and method.base_url:
        profile = _noted(profile, flow.base_url_detail, method.base_url)
    if flow.identity_url and not profile.email:
        profile = replace(profile, email=await _ask_email(flow, profile.secret, world.ask))
    if flow.project_url:
        own = world.environ.get("GOOGLE_CLOUD_PROJECT", "") or world.environ.get("GOOGLE_CLOUD_PROJECT_ID", "")
        profile = _noted(
            profile, "projectId", await find_project(flow.project_url, profile.secret, own, world.ask, world.sleep)
        )
    kind = profile.type if profile.refresh or profile.expires_ms else "token"
    name = flow.profile_name or profile.email or "default"
    return replace(profile, id=f"{info.id}:{name}", type=kind)


def _noted(profile: Profile, name: str, text: str) -> Profile:
    return replace(profile, details={**profile.details, name: text})


async def _ask_email(flow: Flow, token: Secret, ask: Ask) -> str | None:
    # A name for the profile is not worth a failed sign-in.
    try:
        said = check_answer(await ask(render_question(flow.identity_url, token)), flow.identity_url)
    except Error:
        return None
    return as_text(said.get("email")) or None


# -- a page that sends the browser back --------------------------------------------


async def _by_page(flow: Flow, client: Client, world: World) -> JsonObject:
    parts = urlsplit(flow.redirect_url)
    async with AsyncExitStack() as stack:
        page: Landing | None = None
        try:
            page = await stack.enter_async_context(
                open_landing(parts.path, parts.port or 0, lambda query: pkce.find_problem(query, attempt))
            )
        except ConnectError as error:
            world.person.tell(f"{error.message}: the last page will not load; paste its whole address here instead")
        redirect = flow.redirect_url
        if page and not parts.port:
            redirect = urlunsplit(parts._replace(netloc=f"{parts.hostname}:{page.port}"))
        attempt = pkce.begin(flow, client, redirect, world.random)
        _show(attempt.url, world)
        code = await _hear(page, attempt, world)
    return check_answer(await world.ask(pkce.render_exchange(flow, client, attempt, code)), flow.token_url)


def _show(url: str, world: World) -> None:
    world.person.tell(f"Sign in on this page:\n{url}")
    if reason := world.why_headless():
        world.person.tell(f"{reason}: open it elsewhere; the last page may not load there")
    else:
        world.person.browse(url)


async def _hear(page: Landing | None, attempt: pkce.Attempt, world: World) -> str:
    """Return the code, from the page landed on or from the person, whichever comes first."""
    pasted = asyncio.ensure_future(_paste(attempt, world.person))
    waits: set[asyncio.Future[str]] = {pasted} | ({page.query} if page else set())
    try:
        done, _ = await asyncio.wait(waits, timeout=world.landing_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise TimeoutExpired(f"nobody finished the sign-in within {world.landing_s:g} s", hint="start it again")
        return pkce.parse_landing(page.query.result(), attempt) if page and page.query in done else pasted.result()
    finally:
        pasted.cancel()
        await asyncio.gather(pasted, return_exceptions=True)


async def _paste(attempt: pkce.Attempt, person: Person) -> str:
    while True:
        if text := (
            await person.paste("Unless this goes on by itself, paste the address you land on (or the code): ")
        ).strip():
            return pkce.parse_paste(text, attempt)


# -- a code for another device -----------------------------------------------------


async def _by_code(flow: Flow, client: Client, world: World) -> JsonObject:
    waiting = Waiting(flow, client, world.random)
    code = waiting.begin(await world.ask(waiting.start()), world.now_ms())
    if world.show_code:
        world.show_code(code)
    world.person.tell(f"Open {code.url}\nand enter the code: {code.user_code}")
    world.person.tell("This goes on by itself when that is done; Ctrl-C leaves")
    if not world.why_headless():
        world.person.browse(code.whole_url)
    while True:
        await world.sleep(waiting.interval_s)
        request = waiting.request(world.now_ms())
        try:
            answer = await world.ask(request)
        except TransportError:
            # A network that is away for a moment is no end; RFC 8628 (3.5) asks for longer pauses.
            waiting.interval_s = min(LONGEST_INTERVAL_S, waiting.interval_s * 2)
            continue
        if (fields := waiting.feed(answer)) is not None:
            return fields
