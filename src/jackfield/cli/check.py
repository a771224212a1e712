"""What a set-up that is not written yet is asked: its provider's list, and one word of its model. Keeps nothing."""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.auth.resolve import resolve
from jackfield.auth.store import FileStore, HeldProfile
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


def find_models(context: Context, setup: Setup) -> tuple[Model, ...]:
    """Return what the set-up's provider lists, asked with the new credential; raises what the asking raises."""
    import asyncio

    return asyncio.run(_list(context, setup))


async def _list(context: Context, setup: Setup) -> tuple[Model, ...]:
    from jackfield.providers.refresh import ask_list
    from jackfield.transport.http import Transport

    config, store = config_with(context.config, setup), _store(context, setup)
    auth = resolve(setup.info, config, store, context.now_ms(), setup.profile_id)
    async with Transport(environ=config.environ, offline=context.offline) as sender:
        return await ask_list(sender, setup.info, auth)


def _store(context: Context, setup: Setup) -> FileStore:
    return HeldProfile(setup.profile) if setup.profile else context.store


async def _ask(context: Context, setup: Setup) -> None:
    from jackfield.client import AsyncClient
    from jackfield.health.store import MemoryHealth

    store = _store(context, setup)
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
