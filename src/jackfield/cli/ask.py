"""Questions to a person on a terminal: menus, text, hidden text, yes or no.

Menus are searchable lists; a terminal that cannot move its cursor gets numbered ones. All
questions appear on stderr, so that stdout stays data. Ctrl-C leaves through `KeyboardInterrupt`
or click's `Abort`, whichever asked; so does Esc, in a typed line with Enter after it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jackfield.cli import ui

if TYPE_CHECKING:
    from prompt_toolkit.output import Output
    from questionary import Question

Answer = TypeVar("Answer")
Options = Sequence[tuple[str, Answer]]  # what is shown, what is returned
SEARCH_FROM = 8  # shorter menus need no search
ESCAPE = "\x1b"
YES, NO = frozenset({"y", "yes"}), frozenset({"n", "no"})


def require_person(command: str, hint: str) -> None:
    """Stop with one clear line when nobody is there to answer."""
    if not ui.can_ask():
        raise click.ClickException(f"{command} asks questions and needs a terminal\n{hint}")


def pick(question: str, options: Options[Answer], default: Answer | None = None) -> Answer:
    """Return the chosen option's value; `default` is where the cursor starts."""
    if _is_plain():
        return _pick_by_number(question, options, default)
    import questionary

    choices = [questionary.Choice(ui.safe(label), value=index) for index, (label, _) in enumerate(options)]
    start = next((index for index, (_, value) in enumerate(options) if value == default), 0)
    search = len(options) >= SEARCH_FROM
    asked = questionary.select(
        question,
        choices,
        default=choices[start],
        use_search_filter=search,
        use_jk_keys=not search,
        # In the question's own line: what stands above a long menu is off the screen.
        instruction="(type to search, Esc leaves)" if search else "(arrows, Esc leaves)",
        output=_stderr(),
    )
    index: int = _with_escape(asked).unsafe_ask()
    return options[index][1]


def pick_many(question: str, options: Options[Answer], chosen: Sequence[Answer]) -> list[Answer]:
    """Return the marked options' values, in the options' order."""
    if _is_plain():
        return _pick_numbers(question, options, chosen)
    import questionary

    choices = [
        questionary.Choice(ui.safe(label), value=index, checked=value in chosen)
        for index, (label, value) in enumerate(options)
    ]
    search = len(options) >= SEARCH_FROM
    asked = questionary.checkbox(question, choices, use_search_filter=search, use_jk_keys=not search, output=_stderr())
    marked: list[int] = _with_escape(asked).unsafe_ask()
    return [options[index][1] for index in sorted(marked)]


def text(question: str, default: str = "") -> str:
    """Return a line of text; may be empty."""
    return leave_on_escape(click.prompt(question, default=default, show_default=bool(default), err=True)).strip()


def secret(question: str) -> str:
    """Return a line typed unseen; may be empty."""
    return leave_on_escape(click.prompt(question, hide_input=True, default="", show_default=False, err=True))


def confirm(question: str, *, default: bool = True) -> bool:
    """Return yes or no."""
    while True:
        said = text(f"{question} [{'Y/n' if default else 'y/N'}]").lower()
        if said in YES or said in NO or not said:
            return said in YES if said else default
        ui.note("y for yes, n for no")


def leave_on_escape(typed: str) -> str:
    """Return a typed line; one that is Esc alone leaves, as Ctrl-C does."""
    if typed.strip() == ESCAPE:
        raise click.Abort
    return typed


# -- terminals that cannot draw ----------------------------------------------------


def _pick_by_number(question: str, options: Options[Answer], default: Answer | None) -> Answer:
    shown = list(enumerate(options, 1))
    while True:
        for number, (label, _) in shown:
            ui.note(f"{number:3}  {label}")
        start = next((str(number) for number, (_, value) in enumerate(options, 1) if value == default), "1")
        said = text(f"{question} (a number, or words to search)", start)
        if said.isdecimal() and 1 <= int(said) <= len(options):
            return options[int(said) - 1][1]
        found = [(number, option) for number, option in enumerate(options, 1) if _has_words(option[0], said)]
        if len(found) == 1:
            return found[0][1][1]
        if not found:
            ui.note(f"nothing matches {said!r}")
        shown = found or list(enumerate(options, 1))


def _pick_numbers(question: str, options: Options[Answer], chosen: Sequence[Answer]) -> list[Answer]:
    for number, (label, value) in enumerate(options, 1):
        ui.note(f"{number:3} {'*' if value in chosen else ' '} {label}")
    marked = " ".join(str(number) for number, (_, value) in enumerate(options, 1) if value in chosen)
    said = text(f"{question} (numbers, '-' for none)", marked or "-").replace(",", " ").split()
    numbers = {int(word) for word in said if word.isdecimal()}
    return [value for number, (_, value) in enumerate(options, 1) if number in numbers]


def _has_words(label: str, said: str) -> bool:
    return all(word in label.lower() for word in said.lower().split())


def _with_escape(question: Question) -> Question:
    """Have Esc leave a drawn menu, which knows only Ctrl-C."""
    from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings

    keys = KeyBindings()

    # Eager: arrows arrive as keys of their own, so nothing that begins with Esc is waited for.
    @keys.add("escape", eager=True)
    def _(event: Any) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    application = question.application
    application.key_bindings = merge_key_bindings([*filter(None, [application.key_bindings]), keys])
    return question


def _is_plain() -> bool:
    from prompt_toolkit.utils import is_dumb_terminal

    # Windows' own console has no such variable.
    return is_dumb_terminal() or (sys.platform != "win32" and not os.environ.get("TERM"))


def _stderr() -> Any:
    from prompt_toolkit.output import create_output

    output: Output = create_output(stdout=sys.stderr)
    return output
