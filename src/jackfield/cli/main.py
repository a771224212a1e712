"""The command tree. A command's code is imported when it is called, so that help stays quick."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from jackfield import __version__
from jackfield.cli import ui
from jackfield.errors import Cancelled, Error, UsageError

# name → (module:attribute, the line `--help` shows). Order is the order of help.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("jackfield.cli.demo:demo", "Ask a small model that runs on this machine; no key, no network."),
    "onboard": ("jackfield.cli.onboard:onboard", "Set up a provider: key, model, check."),
    "configure": ("jackfield.cli.configure:configure", "Change the set-up, step by step."),
    "chat": ("jackfield.cli.chat:chat", "Ask a model once, or hold a conversation."),
    "tokens": ("jackfield.cli.tokens:tokens", "Count the tokens of a question."),
    "embed": ("jackfield.cli.embed:embed", "Turn texts into vectors."),
    "batch": ("jackfield.cli.batch:batch", "Ask every row of a file, many at a time."),
    "models": ("jackfield.cli.models:models", "List, choose and inspect models; manage credentials."),
    "budget": ("jackfield.cli.budget:budget", "Show what was spent, and the limits."),
    "health": ("jackfield.cli.health:health", "Show what failed lately; end a rest."),
    "gateway": ("jackfield.cli.gateway:gateway", "Serve every model to other programs."),
    "usage": ("jackfield.cli.usage:usage", "Show what was asked, of whom, and what it cost."),
    "config": ("jackfield.cli.config:config", "Read and change the config file."),
    "plugins": ("jackfield.cli.plugins:plugins", "List, enable, install and check plugins."),
    "import": ("jackfield.cli.import_:import_", "Bring another tool's models and keys over."),
    "doctor": ("jackfield.cli.doctor:doctor", "Find what is wrong with the set-up, and mend it."),
    "convert": ("jackfield.cli.convert:convert", "Say a request or a reply of one protocol in another."),
    "fake": ("jackfield.cli.fake:fake", "Serve a scripted provider, to test programs without a real one."),
    "completion": ("jackfield.cli.completion:completion", "Print the completion script of a shell."),
}
PROFILE = r"[\w-][\w.-]*"


class LazyGroup(click.Group):
    """A group whose commands are named in a table and imported when called."""

    def __init__(self, *args: Any, table: dict[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the names in the table's order."""
        return [*self.table, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in self.table:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.table[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the command list from the table, without importing any of them."""
        rows = [(name, line) for name, (_, line) in self.table.items()]
        rows += [(name, command.get_short_help_str(80)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; offer the nearest names when there is none."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            ctx.fail(f"no such command {name!r}{suggest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


def suggest(name: str, known: Sequence[str]) -> str:
    """Return `; did you mean …?` with the nearest names, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""


@click.command(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "config_path", metavar="PATH", help="Use this config file.")
@click.option("--profile", metavar="NAME", help="Use a set-up of its own: ~/.jackfield-NAME.")
@click.option("--offline", is_flag=True, help="No network but this machine's own.")
@click.option("--no-color", is_flag=True, help="No colours (NO_COLOR works too).")
@click.option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
@click.version_option(__version__, "-V", "--version", prog_name="jackfield", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, /, **flags: Any) -> None:
    """Name a model as provider/model, get an answer.

    \b
    First steps:
      jackfield demo                                  see an answer in a second
      jackfield onboard                               set up a provider
      jackfield chat --model provider/model "Hello"   ask
    """
    from jackfield.cli.context import Context
    from jackfield.config.writer import WRITER

    if flags["config_path"] == "":
        raise click.BadParameter("no path is given", ctx, param_hint="--config")
    environ = dict(os.environ)
    if flags["profile"] is not None:
        if not re.fullmatch(PROFILE, flags["profile"]):
            raise click.BadParameter("letters, digits, '.', '_' and '-' only", ctx, param_hint="--profile")
        environ["JACKFIELD_HOME"] = os.path.expanduser(f"~/.jackfield-{flags['profile']}")  # noqa: PTH111
    if flags["no_color"] or environ.get("NO_COLOR"):
        ctx.color = False
    ctx.obj = Context(environ, config_path=flags["config_path"], offline=flags["offline"])
    ctx.obj.verbose = flags["verbose"]
    WRITER.set(lambda: running.command_path if (running := click.get_current_context(silent=True)) else "jackfield")


def run(argv: Sequence[str], program: str = "jackfield") -> int:
    """Run the command line; return its exit code: 0 ok, 1 failed, 2 wrong usage, 130 interrupted."""
    ui.use_utf8()
    argv = [ui.as_text(argument) for argument in argv]
    json_wanted = "--json" in argv
    try:
        result = main.main(args=argv, prog_name=program, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt, Cancelled):
        ui.note("")
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        ui.note(error.format_message())
        return 2
    except click.UsageError as error:
        return _usage(error, json_wanted=json_wanted)
    except click.ClickException as error:
        message, _, hint = error.format_message().partition("\n")
        ui.fail(UsageError(message, hint=hint), json_wanted=json_wanted)
        return 1
    except Error as error:
        ui.fail(error, json_wanted=json_wanted)
        return ui.exit_code(error)
    except SystemExit:
        # How click leaves when the reader (`| head`) has what it wanted; ours do not exit.
        return 0
    except OSError as error:
        ui.fail(Error(f"{error.filename or 'the system'}: {error.strerror or error}"), json_wanted=json_wanted)
        return 1
    return result if isinstance(result, int) else 0


def _usage(error: click.UsageError, *, json_wanted: bool) -> int:
    hint = f"see '{error.ctx.command_path} --help'" if error.ctx else ""
    if isinstance(error, click.NoSuchOption) and error.ctx and _takes_words(error.ctx.command):
        hint += f"\nput -- before words that begin with a dash: {error.ctx.command_path} -- {error.option_name} …"
    message = " ".join(error.format_message().split())  # click puts choices on lines of their own
    ui.fail(UsageError(message.rstrip("."), hint=hint), json_wanted=json_wanted)
    return 2


def _takes_words(command: click.Command) -> bool:
    return any(isinstance(each, click.Argument) for each in command.params)
