"""One tiny real request with a set-up that is not written yet."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from jackfield.auth.sources import variables
from jackfield.auth.store import FileStore
from jackfield.cli.context import Context
from jackfield.cli.setup import Setup
from jackfield.config.schema import Config, ConfigSecret, Environ, ProviderConfig
from jackfield.credential import Secret
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

    # The key is not in the store yet; an empty file stands for a store without any.
    store = FileStore(Path(os.devnull)) if setup.profile else context.store
    request = ChatRequest(model=setup.ref or "", messages=[Message.user("Reply with OK.")], max_tokens=MAX_TOKENS)
    async with AsyncClient(config_with(context.config, setup), store=store, offline=context.offline) as client:
        await client.chat(request)


def config_with(config: Config, setup: Setup) -> Config:
    """Return the config as it would be with the set-up, its key in the provider's own entry."""
    entry = config.providers.get(setup.info.id, ProviderConfig(id=setup.info.id))
    entry = replace(
        entry,
        base_url=setup.entry.get("baseUrl", entry.base_url),
        api=setup.entry.get("api", entry.api),
        models=(*entry.models, *(Model(id=row["id"]) for row in setup.entry.get("models", ()))),
    )
    environ = config.environ
    if setup.profile:
        secret = setup.profile.secret or Secret(environ.get(setup.profile.secret_env or "", ""))
        entry = replace(entry, auth=setup.profile.type.replace("_", "-"), api_key=ConfigSecret(secret, "the new key"))
        own = {*variables(setup.info)}
        environ = Environ({name: text for name, text in environ.items() if name not in own})
    providers = {**config.providers, setup.info.id: entry}
    return replace(config, providers=providers, environ=environ, allow=None, timeout_s=TIMEOUT_S)
