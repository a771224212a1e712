"""The wizard's step that gets a credential: what is there already, a key that is typed, a sign-in elsewhere.

Writes nothing. A second account's key never takes the first one's place unasked.
"""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.cli import ask, ui
from jackfield.cli.choices import TYPED, Choice
from jackfield.cli.context import Context
from jackfield.cli.given import Given
from jackfield.cli.keys import (
    GivenKey,
    Key,
    find_stored,
    find_variable,
    new_profile,
    require_machine_keys,
    require_shape,
    take_variable,
)
from jackfield.cli.login import sign_in
from jackfield.cli.signin import check_secret, end_of, warn_of
from jackfield.cli.unattended import is_optional
from jackfield.credential import Profile, Secret
from jackfield.errors import AuthError, Error, MissingKey
from jackfield.setup.login import is_browser
from jackfield.setup.profile import next_name, shown_key


class Left(Exception):
    """The person leaves; nothing is written."""


def ask_credential(context: Context, choice: Choice, given: Given, *, anew: bool = False) -> Key | None:
    """Have the person sign in or give a key; `anew`: what is there already is not offered."""
    if is_browser(choice.method):
        return Key(profile=_sign_in(context, choice, given), origin="signed in")
    wanted = replace(given.key, expires_ms=end_of(context, given.lasts_ms))
    key = None if anew else _offer_known(context, choice, wanted)
    if key is None and takes_key(choice) and (text := _ask_secret(choice)):
        key = Key(profile=new_profile(choice, text, wanted), origin="typed")
    if key is None:
        require_machine_keys(context, choice)
    return _keep_apart(context, key, wanted) if key else None


def takes_key(choice: Choice) -> bool:
    """Tell whether a person can type a secret for this choice."""
    return choice.method.kind in TYPED or bool(choice.flag)


def _sign_in(context: Context, choice: Choice, given: Given) -> Profile:
    """Sign in elsewhere, again after a failure if the person wants to; raises `MissingKey` where there is no client."""
    while True:
        try:
            return sign_in(context, choice.info, choice.method, given.key.profile_id)
        except MissingKey:
            raise
        except Error as error:
            tell_fault("no sign-in", error)
        if ask.pick("What now?", [("Leave; nothing is written", "leave"), ("Sign in again", "again")]) == "leave":
            raise Left


def tell_fault(what: str, error: Error) -> None:
    """Show what went wrong, and what to do about it; for a refused key the next menu says that."""
    hint = "" if error.type == AuthError.type else error.hint
    ui.note("\n".join(filter(None, (f"{what}: {error}", hint))))


def _offer_known(context: Context, choice: Choice, wanted: GivenKey) -> Key | None:
    """Offer the key of a variable, then the stored one; `None`: neither is there, or wanted."""
    if found := find_variable(context, choice):
        name, text = found
        if ask.confirm(f"Use existing {name} (env, {Secret(text).masked()})?"):
            return take_variable(choice, found, wanted)
    stored = find_stored(context, choice)
    if stored and ask.confirm(f"Use the stored key {stored.profile.id} ({shown_key(stored.profile)})?"):
        return stored
    return None


def _keep_apart(context: Context, key: Key, wanted: GivenKey) -> Key:
    """Ask before a key takes another one's place: it may be a second account's."""
    profile = key.profile
    old = None if key.is_stored or wanted.profile_id else context.store.read(profile.id)
    if old is None or (old.secret, old.ref) == (profile.secret, profile.ref):
        return key
    beside = next_name(profile.id, {each.id for each in context.store.list()})
    options = [(f"Keep both accounts, this one as {beside}", beside), ("Put this one in its place", profile.id)]
    name = ask.pick(f"{profile.id} holds another key ({shown_key(old)})", options)
    return replace(key, profile=replace(profile, id=name))


def _ask_secret(choice: Choice) -> str | None:
    """Ask until a key is given that can be one; nothing is an answer only where no key is needed."""
    if choice.method.flow and choice.method.flow.notice:
        ui.warn(choice.method.flow.notice)
    while True:
        text = ask.secret(_key_question(choice))
        if not text.strip() and is_optional(choice):
            return None
        try:
            key = check_secret(text, "the terminal")
            require_shape(choice, key)
        except AuthError as error:
            ui.warn(error.message)
            continue
        warn_of(key, choice.info, choice.method)
        return key


def _key_question(choice: Choice) -> str:
    if is_optional(choice):
        return f"Key for {choice.info.name or choice.info.id} (typed unseen; empty: none)"
    return f"{choice.method.label or f'Key for {choice.info.id}'} (typed unseen)"
