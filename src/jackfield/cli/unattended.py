"""Setting a provider up without asking: from what is given to what is written, and the words about it."""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.catalog.index import load_index
from jackfield.cli import ui
from jackfield.cli.alternative import alternative
from jackfield.cli.check import find_fault
from jackfield.cli.choices import OFFERED, Choice
from jackfield.cli.context import Context
from jackfield.cli.custom import CUSTOM, entry_of_custom, place_custom
from jackfield.cli.given import Given
from jackfield.cli.keys import Key, find_key, missing_key, require_machine_keys
from jackfield.cli.setup import Setup, apply
from jackfield.cli.signin import end_of, warn_of
from jackfield.config.save import EditResult
from jackfield.errors import AuthError, Error, NotAllowed, UsageError
from jackfield.message import JsonObject
from jackfield.model import ModelRef
from jackfield.routing.policy import check_allowed
from jackfield.setup.custom import check_url
from jackfield.setup.login import BROWSER


def carry_out(context: Context, given: Given) -> None:
    """Set up the given provider; raises when something is missing, and then has written nothing."""
    choice = place(given)
    if choice.method.kind not in OFFERED:
        label = f"{choice.method.label or choice.id} is not in this version"
        reason = "OAuth requires interactive mode." if choice.method.kind in BROWSER else label
        raise AuthError(reason, hint=f"what works here: {alternative(context, choice.info)}")
    if choice.id == CUSTOM and choice.info.id in load_index().providers:
        ui.warn(f"{choice.info.id} is a built-in provider; all its models are now asked at {choice.info.base_url}")
    key = find_key(context, choice, replace(given.key, expires_ms=end_of(context, given.lasts_ms)))
    if key is None and not is_optional(choice):
        raise missing_key(choice)
    if key is None:
        require_machine_keys(context, choice)
    setup = prepare(choice, given, key)
    if key and key.profile.secret and not key.is_stored:
        warn_of(key.profile.secret.reveal(), choice.info, choice.method)
    if given.check and (fault := check(context, setup)):
        raise fault
    report(context, setup, given, apply(context, setup))


def place(given: Given) -> Choice:
    """Return the given choice at the address it means."""
    choice, url = given.choice, given.custom.base_url
    if choice is None:
        raise UsageError("no --auth-choice is given", hint="such as: --auth-choice venice-api-key")
    if choice.id == CUSTOM:
        return place_custom(choice, given.custom)
    url = check_url(url) if url else choice.method.base_url
    return replace(choice, info=replace(choice.info, base_url=url)) if url else choice


def is_optional(choice: Choice) -> bool:
    """Tell whether the choice works without a key."""
    return choice.method.kind in {"none", "aws", "adc"} or choice.info.key_optional


def prepare(choice: Choice, given: Given, key: Key | None) -> Setup:
    """Return what would be written for a choice that is in its place."""
    info, method = choice.info, choice.method
    model = given.custom.model_id or method.default_model or info.default_model or None
    moved = bool(method.base_url or given.custom.base_url)
    entry: JsonObject = {"baseUrl": info.base_url} if moved else {}
    return Setup(
        choice=choice.id,
        info=info,
        profile=key.profile if key and not key.is_stored else None,
        stored_id=key.profile.id if key and key.is_stored else None,
        origin=key.origin if key else "no key",
        model=model,
        alias=info.default_alias if model == info.default_model else "",
        set_default=given.set_default,
        entry=entry_of_custom(given.custom) if choice.id == CUSTOM else entry,
        plugin=method.plugin,
    )


def check(context: Context, setup: Setup) -> Error | None:
    """Ask the model one word; return why it did not answer."""
    if setup.ref is None:
        raise UsageError("there is no model to check", hint="name one: --custom-model-id ID")
    return find_fault(context, setup)


# -- what is said afterwards -------------------------------------------------------


def report(context: Context, setup: Setup, given: Given, result: EditResult) -> None:
    """Say what was written and where, and what to type next."""
    if given.as_json:
        ui.as_json(render_summary(context, setup, result))
        return
    if setup.profile_id:
        kind = setup.profile.type if setup.profile else "stored before"
        ui.out(f"Auth profile: {setup.profile_id} ({setup.info.id}/{kind})")
    if result.files:
        ui.out(f"Updated {result.path}")
    default = context.config.primary
    if default and setup.ref in {default, None}:
        ui.out(f"Default model: {default}")
    elif setup.ref:
        ui.out(f"Default model available: {setup.ref} (use --set-default to apply; now {default})")
    _warn_of_allowlist(context, setup)
    if setup.profile and setup.profile.ref:
        ui.note(f"the key stays in {setup.profile.ref.id}; {context.store.path} only refers to it")
    elif setup.profile:
        kept = "sign-in" if setup.profile.type == "oauth" else f"key ({setup.origin})"
        ui.note(f"the {kept} is in {context.store.place}; it is used before any variable")
    ui.note(f"next: {_next_command(setup, default)}")


def _warn_of_allowlist(context: Context, setup: Setup) -> None:
    try:
        check_allowed(ModelRef(setup.info.id, setup.model or ""), context.config, context.catalog)
    except NotAllowed as error:
        if setup.model:
            ui.warn(error.message)


def _next_command(setup: Setup, default: str | None) -> str:
    if setup.ref:
        return 'jackfield chat "Hello"' if default == setup.ref else f'jackfield chat --model {setup.ref} "Hello"'
    return f"jackfield models list --provider {setup.info.id}, then jackfield models set REF"


def render_summary(context: Context, setup: Setup, result: EditResult) -> JsonObject:
    """Return the JSON summary; it holds no secret."""
    return {
        "ok": True,
        "mode": "local",
        "authChoice": setup.choice,
        "provider": setup.info.id,
        "profileId": setup.profile_id,
        "keySource": setup.origin,
        "model": setup.ref,
        "defaultModel": context.config.primary,
        "configPath": str(context.paths.config),
        "authStorePath": str(context.store.path),
        "written": [str(path) for path in (*result.files, *((context.store.path,) if setup.profile else ()))],
    }
