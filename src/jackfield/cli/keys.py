"""Which key a set-up uses: the flag's, a variable's, the one stored before. Asks nobody."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from jackfield.auth import adc, aws
from jackfield.auth.flows.paste import parse_token
from jackfield.auth.sources import names, variables
from jackfield.cli.choices import Choice
from jackfield.cli.context import Context
from jackfield.cli.signin import check_secret
from jackfield.credential import Profile, ProfileType, Secret, SecretRef
from jackfield.errors import MissingKey
from jackfield.setup.profile import make_profile, name_profile

TYPES: dict[str, ProfileType] = {"token": "token"}


class GivenKey(Struct, frozen=True, kw_only=True):
    """What the command line says of the credential."""

    text: str = ""  # as typed; may be wrapped in quotes and `export X=`
    flag: str = ""  # the flag that gave it
    profile_id: str | None = None
    expires_ms: int | None = None
    by_reference: bool = False  # store the variable's name, not its value


class Key(Struct, frozen=True, kw_only=True):
    """A credential that was found: new, or one the store has already."""

    profile: Profile
    origin: str
    is_stored: bool = False


def secret_type(choice: Choice) -> ProfileType:
    """Return the type of profile a choice makes."""
    return TYPES.get(choice.method.kind, "api_key")


def find_key(context: Context, choice: Choice, given: GivenKey) -> Key | None:
    """Return the flag's key, else a variable's, else the stored one; `None` when there is none."""
    if given.text.strip() and not given.by_reference:
        key = check_secret(given.text, given.flag)
        require_shape(choice, key)
        return Key(profile=new_profile(choice, key, given), origin=given.flag)
    if found := find_variable(context, choice):
        return take_variable(choice, found, given)
    return None if given.by_reference else find_stored(context, choice)


def take_variable(choice: Choice, found: tuple[str, str], given: GivenKey) -> Key:
    """Return the credential that a variable, name and content, becomes: a copy, or a reference to it."""
    name, text = found
    profile = new_profile(choice, check_secret(text, f"env: {name}"), given)
    if given.by_reference:
        profile = replace(profile, secret=Secret(""), ref=SecretRef("env", name))
    return Key(profile=profile, origin=f"env: {name}")


def find_variable(context: Context, choice: Choice) -> tuple[str, str] | None:
    """Return the first variable that is set and holds this kind of secret, with its content."""
    wants_token = secret_type(choice) == "token"
    for name in variables(choice.info):
        text = context.config.environ.get(name, "").strip()
        if text and ("OAUTH_TOKEN" in name) == wants_token:
            return name, text
    return None


def find_stored(context: Context, choice: Choice) -> Key | None:
    """Return the profile of this type that the store has for the provider."""
    known, kind = names(choice.info, context.config), secret_type(choice)
    for profile in context.store.list():
        usable = (profile.secret or profile.ref) and not profile.is_expired(context.now_ms())
        if profile.provider in known and profile.type == kind and usable:
            return Key(profile=profile, origin=f"profile:{profile.id}", is_stored=True)
    return None


def new_profile(choice: Choice, key: str, given: GivenKey) -> Profile:
    """Return the profile a key becomes."""
    profile_id = name_profile(choice.info, given.profile_id, "default")
    return replace(make_profile(choice.info, profile_id, secret_type(choice), key), expires_ms=given.expires_ms)


def missing_key(choice: Choice) -> MissingKey:
    """Return the error for a set-up without a key and without anybody to ask."""
    kind = secret_type(choice)
    named = [name for name in variables(choice.info) if ("OAUTH_TOKEN" in name) == (kind == "token")]
    word = "token" if kind == "token" else "API-key"
    env = f"{named[0]} in env, or " if named else ""
    return MissingKey(
        f"Missing {choice.flag or '--token'} (or {env}existing {choice.info.id} {word} profile).",
        hint=f"get one from {choice.info.name or choice.info.id}, or run this on a terminal to be asked for it",
    )


def require_machine_keys(context: Context, choice: Choice) -> None:
    """Raise `MissingKey` for a sign-in that stands on what this machine has, AWS's keys or Google's file, where it has none."""
    environ = context.config.environ
    if choice.method.kind == "aws" and not (any(aws.find_keys(environ)) or aws.has_chain(environ)):
        raise MissingKey("no AWS credentials on this machine", hint=f"what works: {choice.method.hint}")
    if choice.method.kind == "adc" and (gap := adc.find_gap(environ)):
        raise MissingKey(f"no Google credentials on this machine: {gap}", hint=f"what works: {choice.method.hint}")


def require_shape(choice: Choice, key: str) -> None:
    """Raise `AuthError` for a token that is cut off, or of another kind than the choice takes."""
    parse_token(key, choice.method)
