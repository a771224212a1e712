"""What an `onboard` command line gives, read from its flags. Asks nobody, opens nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from msgspec import Struct

from jackfield.catalog.index import load_index
from jackfield.cli.choices import CHOICES, FLAGS, SKIP, Choice, find_choice, infer_choice, list_choices
from jackfield.cli.custom import CUSTOM, Custom
from jackfield.cli.keys import GivenKey
from jackfield.errors import UsageError
from jackfield.model import ProviderInfo

# `--secret-input-mode`: store the key, or the name of the variable that holds it.
PLAINTEXT, BY_REFERENCE = "plaintext", "ref"


class Given(Struct, frozen=True, kw_only=True):
    """What need not be asked; `choice` is `None` where a person still has to choose."""

    choice: Choice | None
    key: GivenKey = GivenKey()
    lasts_ms: int | None = None  # from now
    custom: Custom = Custom()
    set_default: bool = False
    check: bool = False
    as_json: bool = False


def parameter(flag: str) -> str:
    """Return the name under which click hands a flag's value over."""
    return flag.lstrip("-").replace("-", "_")


def parse_flags(flags: Mapping[str, Any], keys: Mapping[str, str], plugged: Iterable[ProviderInfo] = ()) -> Given:
    """Return what the flags give; `keys` are the key flags that were given, even with nothing in them.

    The choices of `plugged` providers can be named; they have no flags.
    """
    choice = _pick_choice(flags, keys, (*CHOICES, *list_choices(plugged)))
    flag = choice.flag if choice else ""
    foreign = next((other for other, key in keys.items() if key and choice and other != flag), None)
    if choice and foreign:
        raise UsageError(f"{foreign} is not the key of --auth-choice {choice.id}", hint=f"give {flag or 'no key'}")
    given_key = GivenKey(
        text=keys.get(flag) or flags["token"],
        flag=flag if keys.get(flag) else "--token",
        profile_id=flags["token_profile_id"],
        by_reference=flags["secret_input_mode"] == BY_REFERENCE,
    )
    return Given(
        choice=choice,
        key=given_key,
        lasts_ms=flags["token_expires_in"],
        custom=_parse_custom(flags),
        set_default=flags["set_default"],
        check=flags["check"],
        as_json=flags["as_json"],
    )


def _pick_choice(flags: Mapping[str, Any], keys: Mapping[str, str], choices: Sequence[Choice]) -> Choice | None:
    """Return the choice a command line names, or the one its other flags imply."""
    named = flags["auth_choice"]
    if named == SKIP:
        return None
    choice = infer_choice(keys, FLAGS) if named is None else find_choice(named, choices)
    if choice is None and (flags["custom_base_url"] or flags["custom_model_id"]):
        choice = find_choice(CUSTOM, choices)
    if flags["token_provider"]:
        return _at_provider(flags["token_provider"], choice, flags["token"], choices)
    if choice is None and flags["token"]:
        raise UsageError("--token needs --token-provider", hint="such as: --token-provider anthropic")
    return choice


def _at_provider(text: str, choice: Choice | None, token: str, choices: Sequence[Choice]) -> Choice:
    """Return the named provider's own choice of the same kind; without one, of the kind the token looks like."""
    provider = load_index().aliases.get(text.strip().lower(), text.strip().lower())
    own = [each for each in choices if each.info.id == provider]
    kinds = {choice.method.kind} if choice else {"token", "api-key"}
    fitting = [each for each in own if each.method.kind in kinds]
    alike = [each for each in fitting if each.method.secret_prefix and token.startswith(each.method.secret_prefix)]
    keyed = [each for each in fitting if choice or each.method.kind == "api-key"]
    if not fitting:
        kind = choice.method.kind if choice else "key"
        raise click.ClickException(
            f"{text!r} is no provider that takes a {kind} here\nsee: jackfield models list --all"
        )
    return next(iter((*alike, *keyed, *fitting)))


def _parse_custom(flags: Mapping[str, Any]) -> Custom:
    return Custom(
        base_url=flags["custom_base_url"],
        model_id=flags["custom_model_id"],
        provider_id=flags["custom_provider_id"].strip().lower(),
        compatibility=flags["custom_compatibility"] or "",
        image_input=flags["custom_image_input"],
    )
