"""`onboard`: set up a provider. With a key on the command line nothing is asked; without, a person is.

The choices and their flags are the catalog's. What is written, and where, is `setup`'s.
"""

from __future__ import annotations

import textwrap
from typing import Any

import click

from jackfield.cli import ui
from jackfield.cli.choices import FLAGS, SKIP
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.custom import COMPATIBILITY
from jackfield.cli.given import BY_REFERENCE, PLAINTEXT, parameter, parse_flags
from jackfield.cli.signin import Duration
from jackfield.cli.unattended import carry_out

# Flags of OpenClaw's wizard for parts that are not here (gateway, daemon, skills, …): taken and named in
# one note, so that a command line written for it runs. True: the flag takes a value.
UNRELATED: dict[str, bool] = {
    "--workspace": True, "--flow": True, "--mode": True, "--reset": False, "--reset-scope": True,
    "--gateway-port": True, "--gateway-bind": True, "--gateway-auth": True, "--gateway-token": True,
    "--gateway-password": True, "--remote-url": True, "--remote-token": True, "--tailscale": True,
    "--tailscale-reset-on-exit": False, "--install-daemon": False, "--no-install-daemon": False,
    "--skip-daemon": False, "--daemon-runtime": True, "--skip-channels": False, "--skip-skills": False,
    "--skip-health": False, "--skip-ui": False, "--node-manager": True,
}  # fmt: skip
KEYS = "\b\nKey flags:\n" + textwrap.fill(" ".join(sorted(FLAGS)), 76, break_on_hyphens=False)


def key_options(command: click.Command) -> click.Command:
    """Add every key flag of the catalog, and the flags that change nothing here; help names them in one paragraph."""
    for flag in FLAGS:
        command.params.append(click.Option([flag], metavar="KEY", hidden=True))
    for flag, takes_value in UNRELATED.items():
        command.params.append(click.Option([flag], is_flag=not takes_value, hidden=True))
    return command


@key_options
@click.command(short_help="Set up a provider: key, model, check.", epilog=KEYS)
@click.option("--auth-choice", metavar="CHOICE", help="How to sign in, such as venice-api-key; 'skip' changes nothing.")
@click.option("--non-interactive", is_flag=True, help="Ask nothing; fail when something is missing.")
@click.option("--accept-risk", is_flag=True, help="Accepted; nothing depends on it.")
@click.option("--token-provider", metavar="ID", help="With --token: the provider it is for.")
@click.option("--token", metavar="TOKEN", default="", help="A setup-token, or with --auth-choice apiKey a key.")
@click.option("--token-profile-id", metavar="ID", help="Keep the credential under this name.")
@click.option("--token-expires-in", type=Duration(), help="When the token ends: 365d, 12h, 30m.")
@click.option("--custom-base-url", metavar="URL", default="", help="Address of a server of your own.")
@click.option("--custom-model-id", metavar="ID", default="", help="A model it serves.")
@click.option("--custom-provider-id", metavar="ID", default="", help="What to call it.")
@click.option("--custom-compatibility", type=click.Choice(list(COMPATIBILITY)), help="What it speaks.")
@click.option("--custom-image-input/--custom-text-input", default=None, help="Whether its model reads pictures.")
@click.option("--set-default", is_flag=True, help="Make the model the default even when there is one.")
@click.option(
    "--secret-input-mode",
    type=click.Choice([PLAINTEXT, BY_REFERENCE]),
    default=PLAINTEXT,
    help="'ref' stores the variable's name instead of the key.",
)
@click.option("--check", is_flag=True, help="Ask the model one word before anything is written.")
@json_option
@pass_context
def onboard(context: Context, /, **flags: Any) -> None:
    """Set up a provider: key, model, check.

    \b
      jackfield onboard                                    step by step
      jackfield onboard --auth-choice venice-api-key       asks for the key
      jackfield onboard --venice-api-key KEY               asks nothing

    The key goes into the credential store, never into the config.
    """
    keys = {flag: flags[parameter(flag)] for flag in FLAGS if flags[parameter(flag)] is not None}
    _note_unrelated(flags)
    named = flags["auth_choice"] not in {None, SKIP} or flags["token_provider"]
    given = parse_flags(flags, keys, context.plugins.providers if named else ())
    has_key = bool(given.key.text.strip())
    if given.choice is not None and (has_key or flags["non_interactive"] or not ui.can_ask()):
        carry_out(context, given)
    elif flags["auth_choice"] == SKIP:
        _say_skipped(as_json=flags["as_json"])
    elif flags["non_interactive"] or not ui.can_ask():
        raise click.ClickException(
            "nobody is there to ask, and no key is given\n"
            "give one: jackfield onboard --venice-api-key KEY, or name a choice: --auth-choice venice-api-key"
        )
    else:
        from jackfield.cli.wizard import guide

        guide(context, given)


def _note_unrelated(flags: dict[str, Any]) -> None:
    given = [flag for flag in UNRELATED if flags[parameter(flag)]]
    if given:
        ui.note(f"nothing to set up here for {', '.join(given)}")


def _say_skipped(*, as_json: bool) -> None:
    if as_json:
        ui.as_json({"ok": True, "authChoice": SKIP, "written": []})
    else:
        ui.out("Nothing changed. Later: jackfield onboard")
