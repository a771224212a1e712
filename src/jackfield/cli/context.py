"""What every command shares: the user's set-up and the global flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jackfield.app import App
from jackfield.cli import ui
from jackfield.errors import UsageError

if TYPE_CHECKING:
    from jackfield.client import AsyncClient
    from jackfield.ledger.journal import Asker
    from jackfield.routing.walk import Pulse

Command = TypeVar("Command", bound=Callable[..., Any])


class Context(App):
    """The user's set-up, with what the global flags said; click's `ctx.obj`."""

    verbose: bool = False

    def reload(self) -> None:
        """Read the config anew when it is next asked for: a command changed it."""
        for name in ("config", "plugins", "catalog"):
            self.__dict__.pop(name, None)

    def open_client(self, pulse: Pulse | None = None, ledger: Asker | None = "cli") -> AsyncClient:
        """Return a client over these parts that says so when it waits to ask again."""
        from jackfield.cli.pause import telling

        return super().open_client(pulse or telling(), ledger if self.config.callers.command_line else None)

    def tell_warnings(self) -> None:
        """Warn of broken plugins and of what is odd in the config.

        What only an idle provider misses is told when it is used.
        """
        idle = {str(missing) for entry in self.config.providers.values() for missing in entry.missing}
        for problem in self.plugins.problems:
            ui.warn(problem)
        for warning in self.config.warnings:
            if self.verbose or warning not in idle:
                ui.warn(warning)


pass_context = click.make_pass_decorator(Context)


def json_option(command: Command) -> Command:
    """Add `--json`, which every listing and result takes."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def refuse_both(*, plain: bool, as_json: bool) -> None:
    """Raise `UsageError` when a listing is wanted in two forms at once."""
    if plain and as_json:
        raise UsageError("choose either --json or --plain, not both")
