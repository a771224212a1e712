"""One tiny real request with a set-up that is not written yet."""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.auth.store import HeldProfile
from jackfield.cli.context import Context
from jackfield.cli.setup import Setup
from jackfield.config.schema import Config, ProviderConfig
from jackfield.errors import Error
from jackfield.message import ChatRequest, Message
from jackfield.model import Model

TIMEOUT_S = 30.0
MAX_TOKENS = 16


def find_fault(context: Context, setup: Setup) -> Error | None:
    """Ask the set-up's model one word; return why there is no answer, `None` when there is one."""
    import asyncio

    try:
        asyncio.run(_ask(context, setup))
    except Error as error:
        return error
    return None


async def _ask(context: Context, setup: Setup) -> None:
    from jackfield.client import AsyncClient
    from jackfield.health.store import MemoryHealth

    store = HeldProfile(setup.profile) if setup.profile else context.store
    request = ChatRequest(model=setup.ref or "", messages=[Message.user("Reply with OK.")], max_tokens=MAX_TOKENS)
    # A key that is only tried puts no place to rest.
    health, config = MemoryHealth(context.now_ms), config_with(context.config, setup)
    async with AsyncClient(config, store=store, health=health, offline=context.offline) as client:
        await client.chat(request, profile_id=setup.profile_id)


def config_with(config: Config, setup: Setup) -> Config:
    """Return the config as it would be with the set-up; no allowlist and no older word on profiles is in the way."""
    entry = config.providers.get(setup.info.id, ProviderConfig(id=setup.info.id))
    entry = replace(
        entry,
        base_url=setup.entry.get("baseUrl", entry.base_url),
        api=setup.entry.get("api", entry.api),
        models=(*entry.models, *(Model(id=row["id"]) for row in setup.entry.get("models", ()))),
    )
    providers = {**config.providers, setup.info.id: entry} if setup.entry else config.providers
    return replace(config, providers=providers, auth_profiles={}, allow=None, timeout_s=TIMEOUT_S)
