"""`completion`: print a shell's completion script, made by click."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from jackfield.cli import ui
from jackfield.errors import Error

# shell → where its users put the script
PLACES = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/completions/jackfield.fish",
}


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(list(PLACES)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(jackfield completion bash)"
    zsh:   eval "$(jackfield completion zsh)"
    fish:  jackfield completion fish > ~/.config/fish/completions/jackfield.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Error(f"click knows no completion for {shell}")
    root = ctx.find_root()
    for name in ("jackfield", "openclaw"):
        ui.out(kind(root.command, {}, name, f"_{name.upper()}_COMPLETE").source())
    if ui.is_terminal():
        ui.note(f"# add this to {PLACES[shell]}")
