"""`doctor --net`: whether each provider of the set-up can be reached, and where the way ends. No key leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from msgspec import Struct

from jackfield import __version__
from jackfield.cli.context import Context
from jackfield.cli.findings import Finding, providers_in_use
from jackfield.errors import ConfigError, Error
from jackfield.message import JsonObject
from jackfield.model import Network, ProviderInfo, Timeouts
from jackfield.providers.listing.address import list_url
from jackfield.transport.request import HttpRequest
from jackfield.transport.survey import STEP_S, Survey, survey

AT_ONCE = 8
NO_KEY = "no key was sent; whether one is accepted: jackfield models status --probe"
# What a server says that is there, to somebody without a key.
WANTS_KEY = frozenset({400, 401, 403})
NOT_THERE = frozenset({404, 405, 410})


class Way(Struct, frozen=True, kw_only=True):
    """One provider and how far the way to it goes."""

    provider: str
    found: Survey
    is_used: bool  # by the default model, a fallback, a route

    @property
    def verdict(self) -> str:
        """What came of it, in words."""
        error, status = self.found.error, self.found.status or 0
        if error:
            return error.message
        if status >= 500:
            return f"{self.found.url} answers HTTP {status}"
        said = "and wants a key" if status in WANTS_KEY else "but has no list there" if status in NOT_THERE else ""
        return f"{self.found.url} answers HTTP {status} {said}".rstrip()

    @property
    def is_fine(self) -> bool:
        """Tell whether somebody answered who is not out of order."""
        return self.found.error is None and (self.found.status or 0) < 500


def look_at_ways(context: Context) -> list[Way]:
    """Ask every provider that the config, a profile or a model in use names, at most eight at a time."""
    used = providers_in_use(context)
    named = dict.fromkeys([*used, *context.config.providers, *(each.provider for each in context.store.list())])
    infos = [info for info in map(context.catalog.provider, named) if info]
    found = asyncio.run(_ask_all(context, {info.id: info for info in infos}.values()))
    return [Way(provider=info.id, found=each, is_used=info.id in used) for info, each in found]


def as_findings(ways: Sequence[Way]) -> list[Finding]:
    """Return a finding for each way that ends early; it is a problem where a model in use needs it."""
    return [
        Finding(
            kind="net",
            level="problem" if way.is_used else "note",
            message=f"{way.provider}: {way.verdict}",
            hint=way.found.error.hint if way.found.error else "",
        )
        for way in ways
        if not way.is_fine
    ]


def as_line(way: Way) -> str:
    """Return one line of a way that is fine: what answered, and how long each step took."""
    steps = ", ".join(f"{name} {ms} ms" for name, ms in way.found.steps.items())
    through = f" through {way.found.proxy}" if way.found.proxy else ""
    return f"{way.provider}: {way.verdict}{through} ({steps})"


def render_way(way: Way) -> JsonObject:
    """Return a way as JSON shows it."""
    return {
        "provider": way.provider,
        "ok": way.is_fine,
        "url": way.found.url,
        "proxy": way.found.proxy or None,
        "stepsMs": dict(way.found.steps),
        "latencyMs": sum(way.found.steps.values()),
        "status": way.found.status,
        "message": way.verdict,
        "keySent": False,
    }


async def _ask_all(context: Context, infos: Iterable[ProviderInfo]) -> list[tuple[ProviderInfo, Survey]]:
    room = asyncio.Semaphore(AT_ONCE)

    async def ask(info: ProviderInfo) -> tuple[ProviderInfo, Survey]:
        async with room:
            return info, await _ask(context, info)

    return list(await asyncio.gather(*map(ask, infos)))


async def _ask(context: Context, info: ProviderInfo) -> Survey:
    try:
        url = list_url(info) or info.base_url or info.endpoint
        if "{" in url or not url:
            raise ConfigError(f"the address {url!r} is not whole", hint=f"set models.providers.{info.id}.baseUrl")
    except Error as error:
        return Survey(url=info.base_url, error=error)
    request = HttpRequest(
        method="GET",
        url=url,
        headers={"accept": "application/json", "user-agent": f"jackfield/{__version__}"},
        timeouts=Timeouts(connect=STEP_S, first_token=STEP_S, idle=STEP_S, total=STEP_S),
        network=info.network or Network(),
        settings=f"models.providers.{info.id}",
    )
    return await survey(request, context.config.environ, offline=context.offline)
