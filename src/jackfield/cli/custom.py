"""A server of the user's own: from the `--custom-…` flags to a provider and its config entry."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog.merge import LIST_OF_API, UNKNOWN, derive_id, is_local
from jackfield.cli.choices import Choice
from jackfield.errors import UsageError
from jackfield.message import JsonObject
from jackfield.model import Api

CUSTOM = "custom-api-key"  # the choice
COMPATIBILITY: dict[str, Api] = {
    "openai": "openai-completions",
    "openai-responses": "openai-responses",
    "anthropic": "anthropic-messages",
}
PROVIDER_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")


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
    url = check_url(custom.base_url)
    provider_id = custom.provider_id or derive_id(url)
    if not PROVIDER_ID.fullmatch(provider_id):
        raise UsageError(f"{provider_id!r} is no provider id", hint="use letters, digits, '.', '_' and '-'")
    info = replace(
        choice.info,
        id=provider_id,
        name=custom.provider_id or urlsplit(url).netloc,
        api=COMPATIBILITY[custom.compatibility or "openai"],
        base_url=url,
        local=is_local(url),
        discovery=UNKNOWN.discovery,
        discovery_format=LIST_OF_API.get(COMPATIBILITY[custom.compatibility or "openai"], "openai"),
        aliases=(),
    )
    return replace(choice, info=info)


def entry_of_custom(choice: Choice, custom: Custom) -> JsonObject:
    """Return what `models.providers.<id>` says of the server."""
    row: JsonObject = {"id": custom.model_id}
    if custom.image_input is not None:
        row["input"] = ["text", "image"] if custom.image_input else ["text"]
    return {"baseUrl": choice.info.base_url, "api": choice.info.api, "models": [row]}


def check_url(text: str) -> str:
    """Return a base URL without its last slash; raises `UsageError` when it is none."""
    text = text.strip()
    wrong = UsageError(f"{text!r} is no base URL", hint="write it like http://127.0.0.1:8000/v1")
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise wrong from error
    if not good:
        raise wrong
    if "@" in parts.netloc:
        raise UsageError(
            f"a user name or password stands before {parts.hostname}",
            hint="give the key on its own: --custom-api-key KEY",
        )
    return text.rstrip("/")
