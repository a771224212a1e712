"""Setting a provider up step by step: provider, sign-in, key, model, check, summary, yes.

Nothing is written before the last yes; Ctrl-C at any step leaves everything as it was.
"""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.cli import ask, ui
from jackfield.cli.alternative import alternative
from jackfield.cli.check import find_fault
from jackfield.cli.choices import CHOICES, OFFERED, Choice, groups
from jackfield.cli.context import Context
from jackfield.cli.custom import COMPATIBILITY, CUSTOM, check_url
from jackfield.cli.given import Given
from jackfield.cli.keys import (
    Key,
    find_stored,
    find_variable,
    new_profile,
    require_machine_keys,
    require_shape,
    take_variable,
)
from jackfield.cli.login import is_browser, sign_in
from jackfield.cli.models_menu import pick_model
from jackfield.cli.setup import Setup, apply, becomes_default, preview
from jackfield.cli.signin import check_secret, end_of, shown_key, warn_of
from jackfield.cli.unattended import is_optional, place, prepare, report
from jackfield.credential import Secret
from jackfield.errors import AuthError


def guide(context: Context, given: Given) -> None:
    """Ask for what is not given, show what will change, and write it on yes."""
    _ = context.config  # one that cannot be read stops us before the first question
    choice = given.choice or pick_choice()
    if choice is None:
        ui.note("nothing changed; later: jackfield onboard")
        return
    given = replace(given, choice=choice)
    refuse(context, choice)
    if choice.id == CUSTOM:
        given = _ask_custom(given)
    elif choice.info.local:
        given = _ask_address(given, choice.info.base_url)
    choice = place(given)
    setup = prepare(choice, given, _ask_credential(context, choice, given))
    setup = _ask_model(context, setup)
    if _answers(context, setup) and _is_agreed(context, setup):
        report(context, setup, given, apply(context, setup))
    else:
        ui.note("nothing was written")


def pick_choice() -> Choice | None:
    """Ask for the provider and the way to sign in there; `None` is `Skip for now`."""
    by_group = groups(CHOICES)
    options = [*((group, group) for group in sorted(by_group, key=str.lower)), ("Skip for now", "")]
    group = ask.pick("Provider", options)
    if not group:
        return None
    choices = by_group[group]
    if len(choices) == 1:
        return choices[0]
    return ask.pick(f"How do you sign in to {group}?", [(_label(choice), choice) for choice in choices])


def refuse(context: Context, choice: Choice) -> None:
    """Raise for a sign-in that this version cannot carry out."""
    if not is_possible(choice):
        raise AuthError(
            f"{choice.method.label or choice.id} is not in this version",
            hint=f"what works instead: {alternative(context, choice.info)}",
        )


def is_possible(choice: Choice) -> bool:
    """Tell whether a person can sign in that way here."""
    return choice.method.kind in OFFERED or is_browser(choice.method)


def _label(choice: Choice) -> str:
    label = choice.method.label or choice.id
    return label if is_possible(choice) else f"{label} (not in this version)"


# -- the steps ---------------------------------------------------------------------


def _ask_custom(given: Given) -> Given:
    custom = given.custom
    url = custom.base_url or ask.text("Base URL", "http://127.0.0.1:8000/v1")
    check_url(url)
    options = [(name, name) for name in COMPATIBILITY]
    kind = custom.compatibility or ask.pick("What does it speak?", options)
    model = custom.model_id or _ask_until("Model id (as the server names it)")
    return replace(given, custom=replace(custom, base_url=url, compatibility=kind, model_id=model))


def _ask_address(given: Given, usual: str) -> Given:
    """Ask where a local server is; its usual address needs no entry in the config."""
    url = given.custom.base_url or check_url(ask.text("Address of the server", usual))
    return replace(given, custom=replace(given.custom, base_url="" if url == usual else url))


def _ask_credential(context: Context, choice: Choice, given: Given) -> Key | None:
    if not is_browser(choice.method):
        return _ask_key(context, choice, given)
    return Key(profile=sign_in(context, choice.info, choice.method, given.key.profile_id), origin="signed in")


def _ask_key(context: Context, choice: Choice, given: Given) -> Key | None:
    """Offer what is there already, then ask; `None` only where no key is needed."""
    wanted = replace(given.key, expires_ms=end_of(context, given.lasts_ms))
    if found := find_variable(context, choice):
        name, text = found
        if ask.confirm(f"Use existing {name} (env, {Secret(text).masked()})?"):
            return take_variable(choice, found, wanted)
    stored = find_stored(context, choice)
    if stored and ask.confirm(f"Use the stored key {stored.profile.id} ({shown_key(stored.profile)})?"):
        return stored
    key = _ask_secret(choice) if choice.flag else None
    if key is None:
        require_machine_keys(context, choice)
    return Key(profile=new_profile(choice, key, wanted), origin="typed") if key else None


def _ask_secret(choice: Choice) -> str | None:
    """Ask until a key is given that can be one; nothing is an answer only where no key is needed."""
    if choice.method.hint:
        ui.note(choice.method.hint)
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
        return f"Key for {choice.info.name or choice.info.id} (empty: none)"
    return choice.method.label or f"Key for {choice.info.id}"


def _ask_model(context: Context, setup: Setup) -> Setup:
    """Ask for the default model among all the provider has; the present one may stay."""
    current = context.config.primary
    model = pick_model(context, setup)
    if model is None:
        return replace(setup, model=None, alias="")
    alias = setup.alias if model == setup.model else ""
    # Picking a model in the presence of another default means changing the default.
    return replace(setup, model=model, alias=alias, set_default=setup.set_default or current is not None)


def _answers(context: Context, setup: Setup) -> bool:
    """Try the model where the person wants that; tell whether to go on."""
    if setup.ref is None or context.offline or not ask.confirm(f"Ask {setup.ref} one word to see that it works?"):
        return True
    fault = find_fault(context, setup)
    if fault is None:
        ui.note("it answers")
        return True
    ui.note(f"no answer: {fault}")
    if fault.hint:
        ui.note(fault.hint)
    return ask.confirm("Save anyway?", default=False)


def _is_agreed(context: Context, setup: Setup) -> bool:
    """Show what will be written, and ask."""
    if setup.profile:
        ui.note(f"{context.store.path}: {setup.profile.id} ({shown_key(setup.profile)})")
    diff = preview(context, setup)
    ui.note(diff.rstrip() if diff else f"{context.paths.config}: no change")
    if becomes_default(setup, context.config):
        ui.note(f"default model: {setup.ref}")
    return ask.confirm("Write this?")


def _ask_until(question: str) -> str:
    while not (said := ask.text(question)):
        ui.note("something is needed here")
    return said
