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
from jackfield.cli.login import is_browser
from jackfield.cli.models_menu import pick_model
from jackfield.cli.setup import Setup, apply, becomes_default, preview
from jackfield.cli.signin import shown_key
from jackfield.cli.unattended import place, prepare, report
from jackfield.cli.wizard_key import ask_credential
from jackfield.errors import AuthError

LEAVE = "leave"


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
    started = prepare(choice, given, ask_credential(context, choice, given))
    setup = _settle(context, choice, given, _ask_model(context, started))
    if setup and _is_agreed(context, setup):
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


def _ask_model(context: Context, setup: Setup) -> Setup:
    """Ask for the default model among all the provider has; the present one may stay."""
    current = context.config.primary
    model = pick_model(context, setup)
    if model is None:
        return replace(setup, model=None, alias="")
    alias = setup.alias if model == setup.model else ""
    # Picking a model in the presence of another default means changing the default.
    return replace(setup, model=model, alias=alias, set_default=setup.set_default or current is not None)


def _settle(context: Context, choice: Choice, given: Given, setup: Setup) -> Setup | None:
    """Try the set-up until it answers or shall be kept as it is; `None`: the person leaves."""
    # Who keeps another default model wants to know of the new key, too.
    tried = setup if setup.ref else replace(setup, model=_first_model(choice, given))
    if tried.ref is None:
        return setup
    if context.offline:
        ui.note("offline: no model is asked")
        return setup
    if not ask.confirm(f"Ask {tried.ref} one word to see that it works?"):
        return setup
    while fault := find_fault(context, tried):
        ui.note("\n".join(filter(None, (f"no answer: {fault}", fault.hint))))
        match ask.pick("What now?", _ways_on(choice), default=LEAVE):
            case "key":
                fresh = prepare(choice, given, ask_credential(context, choice, given, anew=True))
                setup = replace(setup, profile=fresh.profile, stored_id=fresh.stored_id, origin=fresh.origin)
                tried = replace(setup, model=tried.model)
            case "model":
                setup = _ask_model(context, tried)
                tried = setup if setup.ref else tried
            case "save":
                return setup
            case "leave":
                return None
    ui.note("it answers")
    return setup


def _ways_on(choice: Choice) -> list[tuple[str, str]]:
    credential = [("Sign in again", "key")] if is_browser(choice.method) else [("Enter another key", "key")]
    return [
        ("Leave; nothing is written", LEAVE),
        ("Ask again", "again"),
        *(credential if choice.flag or is_browser(choice.method) else ()),
        ("Choose another model", "model"),
        ("Save anyway", "save"),
    ]


def _first_model(choice: Choice, given: Given) -> str | None:
    return given.custom.model_id or choice.method.default_model or choice.info.default_model or None


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
