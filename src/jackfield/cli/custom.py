"""A server of the user's own, as the `--custom-…` flags describe it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from jackfield.cli.choices import Choice
from jackfield.errors import UsageError
from jackfield.message import JsonObject
from jackfield.model import Api
from jackfield.setup.custom import Server, check_server, make_entry, place

CUSTOM = "custom-api-key"  # the choice
COMPATIBILITY: dict[str, Api] = {
    "openai": "openai-completions",
    "openai-responses": "openai-responses",
    "anthropic": "anthropic-messages",
}


class Custom(Struct, frozen=True, kw_only=True):
    """What the `--custom-…` flags say; empty means not said."""

    base_url: str = ""
    model_id: str = ""
    provider_id: str = ""
    compatibility: str = ""
    image_input: bool | None = None


def place_custom(choice: Choice, custom: Custom) -> Choice:
    """Return the choice at the user's own address; raises `UsageError` where the flags do not say enough."""
    if not custom.base_url or not custom.model_id:
        flag = "--custom-model-id" if custom.base_url else "--custom-base-url"
        raise UsageError(f"missing {flag}", hint="a server of your own needs --custom-base-url and --custom-model-id")
    server = check_server(_as_server(custom))
    info = place(choice.info, server)
    return replace(choice, info=replace(info, name=custom.provider_id) if custom.provider_id else info)


def entry_of_custom(custom: Custom) -> JsonObject:
    """Return what `models.providers.<id>` says of the server."""
    return make_entry(check_server(_as_server(custom)))


def _as_server(custom: Custom) -> Server:
    return Server(
        base_url=custom.base_url,
        model=custom.model_id,
        id=custom.provider_id,
        api=COMPATIBILITY[custom.compatibility or "openai"],
        images=custom.image_input,
    )
