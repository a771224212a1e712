"""A sign-in on a provider's page, run over the real network for whoever sits before it. Stores nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from msgspec.structs import replace

from jackfield.auth.flows import signin
from jackfield.auth.flows.ask import ask_over
from jackfield.auth.flows.client import Client
from jackfield.auth.flows.device import Code
from jackfield.credential import Profile
from jackfield.model import AuthMethod, ProviderInfo
from jackfield.setup.installation import Installation
from jackfield.setup.profile import name_profile
from jackfield.transport.http import Transport


async def meet(  # noqa: PLR0913  all but the first four are named
    home: Installation,
    info: ProviderInfo,
    way: AuthMethod,
    client: Client,
    *,
    person: signin.Person,
    profile_id: str | None = None,
    offline: bool = False,
    show_code: Callable[[Code], object] | None = None,
) -> Profile:
    """Return the profile that a sign-in makes, under the name that is wanted; raises like `auth.flows.signin.sign_in`.

    `show_code` is for a person at a browser, who is handed pages and codes instead of lines of text.
    """
    async with Transport(environ=home.config.environ, offline=offline) as sender:
        world = signin.World(
            ask=lambda request: ask_over(sender, request, info),
            person=person,
            environ=home.config.environ,
            platform=sys.platform,
            random=os.urandom,
            now_ms=home.now_ms,
            show_code=show_code,
        )
        profile = await signin.sign_in(info, way, client, world)
    return replace(profile, id=name_profile(info, profile_id or profile.id, "default"))
