"""The ways to sign in that the catalog offers, and how a command line names one of them.

Pure lookups over `AuthMethod` rows; asks nobody and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click
from msgspec import Struct

from jackfield.catalog.index import load_index, parse_info
from jackfield.cli.main import suggest
from jackfield.model import AuthMethod, ProviderInfo

SKIP = "skip"
KEYED = frozenset({"api-key", "none"})  # kinds whose flag takes a key
TYPED = frozenset({"api-key", "token"})  # kinds whose secret is typed, whether or not a flag takes it too
OFFERED = frozenset({"api-key", "token", "none", "aws", "adc"})  # kinds this version can carry out


class Choice(Struct, frozen=True):
    """One row of the wizard: a provider and a way to sign in there."""

    info: ProviderInfo
    method: AuthMethod

    @property
    def id(self) -> str:
        """The word `--auth-choice` takes."""
        return self.method.choice

    @property
    def flag(self) -> str:
        """The flag that takes this choice's key: its own, else that of its provider's other choice of the kind."""
        kind = self.method.kind
        return self.method.flag or next((each.flag for each in self.info.auth if each.kind == kind and each.flag), "")


def _builtin() -> tuple[Choice, ...]:
    """Return every choice that ships with the package, in the catalog's order."""
    return list_choices(parse_info(entry) for entry in load_index().providers.values())


def list_choices(infos: Iterable[ProviderInfo]) -> tuple[Choice, ...]:
    """Return the choices of some providers, in their order."""
    return tuple(Choice(info, method) for info in infos for method in info.auth)


def key_flags(choices: Iterable[Choice]) -> dict[str, Choice]:
    """Return each flag that takes a key, with the choice it implies."""
    return {choice.method.flag: choice for choice in choices if choice.method.flag and choice.method.kind in KEYED}


def find_choice(text: str, choices: Iterable[Choice]) -> Choice:
    """Return the choice of that id or older name; the error lists the nearest and all others."""
    known = {name: choice for choice in choices for name in (*choice.method.aliases, choice.id)}
    folded = {name.lower(): choice for name, choice in known.items()}
    found = known.get(text) or folded.get(text.strip().lower())
    if found is None:
        valid = sorted({choice.id for choice in known.values()} | {SKIP})
        nearest = suggest(text, list(known))
        raise click.ClickException(f"unknown auth choice {text!r}{nearest}\nvalid choices: {', '.join(valid)}")
    return found


def infer_choice(given: Mapping[str, str], flags: Mapping[str, Choice]) -> Choice | None:
    """Return the choice that the key flags of a command line imply; two of them contradict each other."""
    implied = {flags[flag].id: flag for flag in given}
    if len(implied) > 1:
        raise click.ClickException(
            f"{' and '.join(implied.values())} name two sign-ins; give one key at a time, or add --auth-choice"
        )
    return next((flags[flag] for flag in given), None)


def groups(choices: Iterable[Choice]) -> dict[str, list[Choice]]:
    """Return the choices under their headings, in order of appearance."""
    found: dict[str, list[Choice]] = {}
    for choice in choices:
        found.setdefault(choice.info.group or choice.info.name or choice.info.id, []).append(choice)
    return found


CHOICES = _builtin()
FLAGS = key_flags(CHOICES)
