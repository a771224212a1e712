"""`jackfield models`: the table of its subcommands; without one it shows the status."""

from __future__ import annotations

import click

from jackfield.cli.main import LazyGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("jackfield.cli.models_list:list_", "List the models you can use."),
    "status": ("jackfield.cli.models_status:status", "Show what is chosen and whether its credentials are there."),
    "set": ("jackfield.cli.models_set:set_", "Choose the default model."),
    "set-image": ("jackfield.cli.models_set:set_image", "Choose the model for pictures."),
    "refresh": ("jackfield.cli.models_refresh:refresh", "Ask providers which models they have now."),
    "scan": ("jackfield.cli.models_scan:scan", "Find free models that work."),
    "why": ("jackfield.cli.why:why", "Say which models would be asked, and why."),
    "audit": ("jackfield.cli.models_audit:audit", "Say which of your models are about to end."),
    "aliases": ("jackfield.cli.models_names:aliases", "List, add and remove short names."),
    "fallbacks": ("jackfield.cli.models_names:fallbacks", "Models asked when the default fails."),
    "image-fallbacks": ("jackfield.cli.models_names:image_fallbacks", "Models asked when the image model fails."),
    "auth": ("jackfield.cli.models_auth:auth", "Add, list, order and remove credentials."),
}


@click.group("models", cls=LazyGroup, table=COMMANDS, invoke_without_command=True)
@click.option("--json", "--status-json", "as_json", is_flag=True, help="Print the status as JSON.")
@click.option("--plain", "--status-plain", "plain", is_flag=True, help="Print the default model and nothing else.")
@click.pass_context
def models(ctx: click.Context, as_json: bool, plain: bool) -> None:
    """List, choose and inspect models; manage credentials. Alone: the status."""
    if ctx.invoked_subcommand is None:
        from jackfield.cli.models_status import status

        ctx.invoke(status, as_json=as_json, plain=plain)
