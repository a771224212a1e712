"""`configure`: change the set-up by sections. Each section is a step of its own and writes its own part."""

from __future__ import annotations

from collections.abc import Callable

import click

from jackfield.cli import ask, ui
from jackfield.cli.context import Context, pass_context


def _set_up_model(context: Context) -> None:
    from jackfield.cli.given import Given
    from jackfield.cli.wizard import guide

    guide(context, Given(choice=None))


def _choose_allowlist(context: Context) -> None:
    from jackfield.cli.allowlist import choose

    choose(context)


# section → (what the menu shows, its step); further names of a section stand below
SECTIONS: dict[str, tuple[str, Callable[[Context], None]]] = {
    "model": ("Model/auth", _set_up_model),
    "allowlist": ("Models that may be used (an allowlist)", _choose_allowlist),
}
NAMES = {"models": "model", "model/auth": "model", "auth": "model"}
ELSEWHERE = ("workspace", "web", "gateway", "daemon", "channels", "skills", "health")


@click.command(short_help="Change the set-up, step by step.")
@click.option("--section", "sections", metavar="NAME", multiple=True, help=f"Go straight to: {', '.join(SECTIONS)}.")
@pass_context
def configure(context: Context, sections: tuple[str, ...]) -> None:
    """Change the set-up, step by step."""
    named = [NAMES.get(name.lower(), name.lower()) for name in sections]
    for name in named:
        if name not in SECTIONS and name not in ELSEWHERE:
            raise click.ClickException(f"unknown section {name!r}\nsections: {', '.join(SECTIONS)}")
    ask.require_person("configure", "without one: jackfield onboard --auth-choice …, jackfield config set PATH VALUE")
    for name in named:
        if name in ELSEWHERE:
            ui.note(f"nothing to set up here for the section {name}")
        else:
            SECTIONS[name][1](context)
    if not named:
        _menu(context)


def _menu(context: Context) -> None:
    options = [*((label, name) for name, (label, _) in SECTIONS.items()), ("Done", "")]
    name = ask.pick("What do you want to change?", options)
    while name:
        SECTIONS[name][1](context)
        name = ask.pick("Anything else?", options, default="")
