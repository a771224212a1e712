"""Setting a provider up step by step: provider, sign-in, key, model, check, summary, yes.

Nothing is written before the last yes; Ctrl-C or Esc at any step leaves everything as it was.
"""

from __future__ import annotations

import click
from msgspec.structs import replace

from jackfield.catalog.merge import is_local
from jackfield.cli import ask, ui
from jackfield.cli.alternative import alternative
from jackfield.cli.check import find_fault
from jackfield.cli.choices import CHOICES, OFFERED, Choice, groups, list_choices
from jackfield.cli.context import Context
from jackfield.cli.custom import COMPATIBILITY, CUSTOM
from jackfield.cli.given import Given
from jackfield.cli.models_menu import pick_model
from jackfield.cli.setup import Setup, apply, becomes_default, enabling, preview
from jackfield.cli.unattended import place, prepare, report
from jackfield.cli.wizard_key import Left, ask_credential, takes_key, tell_fault
from jackfield.config.save import edit_config
from jackfield.errors import AuthError, UsageError
from jackfield.plugins.load import is_enabled
from jackfield.setup.custom import check_url
from jackfield.setup.login import is_browser, require_enabled, runs_code
from jackfield.setup.profile import shown_key

LEAVE = "leave"


def guide(context: Context, given: Given) -> None:
    """Ask for what is not given, show what will change, and write it on yes."""
    _ = context.config  # one that cannot be read stops us before the first question
    ui.note("Nothing is written before you say yes at the end; Ctrl-C or Esc leaves.")
    try:
        choice = given.choice or pick_choice(context)
        if choice is None:
            ui.note("nothing changed; later: jackfield onboard")
            return
        given = replace(given, choice=choice)
        setup = _set_up(context, choice, given)
    except Left:
        setup = None
    except (KeyboardInterrupt, click.Abort):
        ui.note("\nnothing was written")
        raise
    if setup:
        report(context, setup, given, apply(context, setup))
    else:
        ui.note("nothing was written")


def _set_up(context: Context, choice: Choice, given: Given) -> Setup | None:
    """Lead from a choice to what shall be written; `None`: nothing."""
    refuse(context, choice)
    if choice.method.hint:
        ui.note(choice.method.hint)
    if choice.id == CUSTOM:
        given = _ask_custom(given)
    elif is_local(choice.info.base_url):
        given = _ask_address(given, choice.info.base_url)
    choice = place(given)
    started = prepare(choice, given, ask_credential(context, choice, given))
    setup = _settle(context, choice, given, _ask_model(context, started))
    return setup if setup and _is_agreed(context, setup) else None


def pick_choice(context: Context) -> Choice | None:
    """Ask for the provider and the way to sign in there; `None` is `Skip for now`."""
    by_group = groups((*CHOICES, *list_choices(context.plugins.providers)))
    for problem in context.plugins.problems:
        ui.warn(problem)
    options = [*((group, group) for group in sorted(by_group, key=str.lower)), ("Skip for now", "")]
    group = ask.pick("Provider", options)
    if not group:
        return None
    choices = by_group[group]
    if len(choices) == 1:
        return choices[0]
    return ask.pick(f"How do you sign in to {group}?", [(_label(context, choice), choice) for choice in choices])


def refuse(context: Context, choice: Choice) -> None:
    """Raise for a sign-in that this version cannot carry out, or whose plugin the config keeps off."""
    if not is_possible(choice):
        raise AuthError(
            f"{choice.method.label or choice.id} is not in this version",
            hint=f"what works instead: {alternative(context, choice.info)}",
        )
    if runs_code(choice.method):
        require_enabled(context.config, choice.info, choice.method)
    elif plugin := choice.method.plugin:
        config = context.config
        edit_config(context.paths, lambda raw: enabling(plugin, config, raw), environ=context.environ, dry_run=True)


def is_possible(choice: Choice) -> bool:
    """Tell whether a person can sign in that way here."""
    return choice.method.kind in OFFERED or is_browser(choice.method)


def _label(context: Context, choice: Choice) -> str:
    label, plugin = choice.method.label or choice.id, choice.method.plugin
    if not is_possible(choice):
        return f"{label} (not in this version)"
    if not plugin or is_enabled(context.config, plugin):
        return label
    return f"{label} ({'first run: jackfield plugins enable' if runs_code(choice.method) else 'enables the plugin'} {plugin})"


# -- the steps ---------------------------------------------------------------------


def _ask_custom(given: Given) -> Given:
    custom = given.custom
    url = custom.base_url or _ask_url("Base URL", "http://127.0.0.1:8000/v1")
    options = [(name, name) for name in COMPATIBILITY]
    kind = custom.compatibility or ask.pick("What does it speak?", options)
    model = custom.model_id or _ask_until("Model id (as the server names it)")
    return replace(given, custom=replace(custom, base_url=url, compatibility=kind, model_id=model))


def _ask_address(given: Given, usual: str) -> Given:
    """Ask where a local server is; its usual address needs no entry in the config."""
    url = given.custom.base_url or _ask_url("Address of the server", usual)
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
    if not ask.confirm(f"Ask {tried.ref} for one word to see that it works?"):
        return setup
    while fault := find_fault(context, tried):
        tell_fault("no answer", fault)
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
        ("Try again", "again"),
        *(credential if takes_key(choice) or is_browser(choice.method) else ()),
        ("Choose another model", "model"),
        ("Save anyway", "save"),
    ]


def _first_model(choice: Choice, given: Given) -> str | None:
    return given.custom.model_id or choice.method.default_model or choice.info.default_model or None


def _is_agreed(context: Context, setup: Setup) -> bool:
    """Show what will be written, and ask; a set-up that changes nothing needs no yes."""
    diff = preview(context, setup)
    if not diff and not setup.profile:
        ui.note("there is nothing to write: all this is set already")
        return True
    if setup.profile:
        ui.note(f"credential {setup.profile.id} ({shown_key(setup.profile)}) goes into {context.store.place}")
    ui.note(diff.rstrip() if diff else f"{context.paths.config}: no change")
    if becomes_default(setup, context.config):
        ui.note(f"default model: {setup.ref}")
    return ask.confirm("Write this?")


def _ask_url(question: str, usual: str) -> str:
    while True:
        try:
            return check_url(ask.text(question, usual))
        except UsageError as error:
            tell_fault("not used", error)


def _ask_until(question: str) -> str:
    while not (said := ask.text(question)):
        ui.note("something is needed here")
    return said
