"""`gateway`: the server in front of every model. Says where it listens, and runs until it is told to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, TypeVar

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, pass_context
from jackfield.cli.main import LazyGroup
from jackfield.errors import UsageError

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("jackfield.cli.gateway:run", "Serve until told to end."),
    "keys": ("jackfield.cli.gateway_keys:keys", "Make, list and revoke the keys of those who may call."),
}
HOST, PORT, ADMIN_PORT = "127.0.0.1", 4747, 4748
Command = TypeVar("Command", bound=Callable[..., Any])


def options(command: Command) -> Command:
    """Add what `gateway` and `gateway run` both take."""
    for option in reversed((
        click.option("--host", metavar="HOST", help=f"Address to listen on; else the config's, else {HOST}."),
        click.option("--port", metavar="PORT", type=click.IntRange(0, 65535), help=f"Port; else the config's, else {PORT}."),
        click.option("--workers", metavar="N", type=click.IntRange(1, 64), default=1, help="Processes that share the port."),
        click.option("--admin-port", metavar="PORT", type=click.IntRange(0, 65535), help=f"Port to look after it; else the config's, else {ADMIN_PORT}."),
        click.option("--log-format", type=click.Choice(("json", "text")), help="How it writes to stderr; else the config's, else json."),
        click.option("--auth", type=click.Choice(("token", "none")), help="Who may call: who has the token, or (on this machine alone) everybody."),
        click.option("--open", "opens", is_flag=True, help="Open its page in a browser, signed in; of the one that runs already, where one does."),
    )):  # fmt: skip
        command = option(command)
    return command


@click.group("gateway", cls=LazyGroup, table=COMMANDS, invoke_without_command=True)
@options
@click.pass_context
def gateway(ctx: click.Context, /, **flags: Any) -> None:
    """Serve every model to other programs.

    They speak OpenAI's, Anthropic's or Google's protocol. Alone: run.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(run, **flags)


@click.command("run")
@options
@pass_context
def run(context: Context, /, host: str | None, port: int | None, workers: int, **said: Any) -> None:
    """Serve every model on one address until told to end (Ctrl-C, or SIGTERM, which lets open requests finish)."""
    from jackfield.cli.running import Running, note_running, open_running
    from jackfield.cli.serve import find_token, hold_home, open_admin, pick_auth
    from jackfield.gateway.door import is_loopback
    from jackfield.transport.listen import address_of, open_listener

    context.tell_warnings()
    rules = context.config.server
    host = host or rules.host or HOST
    mode = pick_auth(said["auth"] or rules.auth)
    if mode == "none" and not is_loopback(host):
        raise UsageError(f"{host} is not this machine alone: a token is needed", hint="leave out --auth none")
    with ExitStack() as held:
        is_alone = hold_home(held, context.paths.home)
        if said["opens"] and not is_alone and open_running(context, (port, said["admin_port"])):
            return
        port = next((each for each in (port, rules.port) if each is not None), PORT)
        listener = open_listener(host, port)
        held.callback(listener.close)
        admin = open_admin(context.config, said["admin_port"], ADMIN_PORT if port else 0, ui.note)
        if admin:
            held.callback(admin.close)
        if is_alone:
            note_running(held, context.paths.home, Running(address_of(listener), address_of(admin) if admin else ""))
        else:
            ui.note(
                f"another gateway runs with {context.paths.home}; they share its keys, ledger and what failed lately"
            )
        if workers > 1 and not context.config.callers.shared_state:
            ui.warn(f"each of {workers} workers counts limits and budgets alone; set gateway.sharedState to share them")
        where = "" if mode == "none" else find_token(context.config, may_make=is_loopback(host))[1]
        ui.out(_describe(address_of(listener), where))
        ui.out(_describe_admin(context, admin))
        if said["opens"]:
            _open_page(context, admin)
        _serve(
            context, held, (listener, admin), workers,
            host=host, is_open=mode == "none", log_format=said["log_format"] or "",
        )  # fmt: skip


def _serve(context: Context, held: ExitStack, listeners: tuple[Any, Any], workers: int, **found: Any) -> None:
    from tempfile import TemporaryDirectory

    from jackfield.cli.serve import Service
    from jackfield.cli.serve_parts import make_gateway
    from jackfield.gateway.server import DRAIN_S
    from jackfield.gateway.server import run as serve
    from jackfield.transport.listen import address_of

    rules = context.config.server
    listener, admin = listeners
    service = Service(
        environ=context.environ,
        config_path=context.config_path,
        offline=context.offline,
        drain_s=DRAIN_S if rules.drain_s is None else rules.drain_s,
        workers=workers,
        board=held.enter_context(TemporaryDirectory(prefix="jackfield-")) if workers > 1 else "",
        urls=tuple(address_of(each) for each in listeners if each),
        **found,
    )
    serve(partial(make_gateway, service, admin), [listener], workers=workers)


def _open_page(context: Context, listener: Any) -> None:
    from jackfield.cli.open_page import open_page
    from jackfield.cli.serve import find_admin_token
    from jackfield.transport.listen import address_of

    if listener is None:
        raise UsageError("there is no page to open: the admin's address is off or taken", hint="name one: --admin-port")
    token = find_admin_token(context.config)[0]
    open_page(address_of(listener), token, time.time_ns() // 1_000_000, context.environ, ui.note)


def _describe_admin(context: Context, listener: Any) -> str:
    from jackfield.cli.serve import find_admin_token
    from jackfield.gateway.door import is_loopback
    from jackfield.transport.listen import address_of

    if listener is None:
        return "admin    none"
    may_make = is_loopback(listener.getsockname()[0])
    return f"admin    {address_of(listener)}, token {find_admin_token(context.config, may_make=may_make)[1]}"


def _describe(address: str, where: str) -> str:
    clients = f"OPENAI_BASE_URL={address}/v1 ANTHROPIC_BASE_URL={address} GOOGLE_GEMINI_BASE_URL={address}"
    token = (
        f"token    {where}; clients send it as their API key"
        if where
        else "token    none: whoever is on this machine may call"
    )
    return f"gateway  {address}\nclients  {clients}\n{token}"
