"""`gateway keys`: make, list and revoke the keys of those who may call the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from jackfield.catalog.price import shown
from jackfield.cli import ui
from jackfield.cli.amount import Usd
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.span import parse_span
from jackfield.config.gateway import Limits

if TYPE_CHECKING:
    from jackfield.gateway.keys import Key
    from jackfield.ledger.database import Database

HEADER = ("Name", "Id", "State", "Made", "Expires", "Limits")
RATE = click.IntRange(min=1)


@click.group()
def keys() -> None:
    """Make, list and revoke the keys of those who may call the gateway."""


@keys.command()
@click.argument("name")
@click.option(
    "--models",
    metavar="PATTERN",
    multiple=True,
    help="A model it may ask: provider/model, provider/*; repeat for more.",
)
@click.option(
    "--budget-day", metavar="USD", type=Usd(), help="Most its calls of a day may cost; days begin at midnight UTC."
)
@click.option("--budget-month", metavar="USD", type=Usd(), help="The same of a month.")
@click.option("--allow-unpriced", is_flag=True, help="Models without a price may be asked although there is a budget.")
@click.option("--rpm", metavar="N", type=RATE, help="Requests a minute.")
@click.option("--tpm", metavar="N", type=RATE, help="Tokens a minute, sent and answered.")
@click.option("--concurrency", metavar="N", type=RATE, help="Calls at a time.")
@click.option("--expires", metavar="SPAN", help="How long it holds: 12h, 30d, 4w, 1y; else until it is revoked.")
@json_option
@pass_context
def create(context: Context, /, name: str, expires: str | None, as_json: bool, **said: Any) -> None:
    """Make a key and show it, once: only a digest of it is kept.

    Whoever has it sends it as an API key is sent: Authorization: Bearer, x-api-key, x-goog-api-key.
    """
    from jackfield.gateway.keys import create_key, render_key

    limits = Limits(
        models=said["models"],
        budget_day=said["budget_day"],
        budget_month=said["budget_month"],
        allow_unpriced=said["allow_unpriced"],
        requests_per_minute=said["rpm"],
        tokens_per_minute=said["tpm"],
        concurrency=said["concurrency"],
    )
    now_ms = context.now_ms()
    expires_ms = None if expires is None else now_ms + parse_span(expires)
    with _open(context) as database:
        key, secret = create_key(database, name, limits, now_ms=now_ms, expires_ms=expires_ms)
    if as_json:
        ui.as_json({"ok": True, **render_key(key, now_ms), "key": secret.reveal()})
        return
    ui.out(secret.reveal())
    ui.note(f"this is the key {key.name}; it is not shown again. {_words(key) or 'It is not limited.'}")


@keys.command("list")
@json_option
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """Show every key with its limits; never its secret."""
    from jackfield.gateway.keys import list_keys, render_key

    now_ms = context.now_ms()
    with _open(context, to_read=True) as database:
        found = list_keys(database)
    if as_json:
        ui.as_json({"ok": True, "keys": [render_key(key, now_ms) for key in found]})
    elif found:
        ui.table(HEADER, [_cells(key, now_ms) for key in found])
    else:
        ui.note("no key was made; make one: jackfield gateway keys create NAME")


@keys.command()
@click.argument("name", metavar="NAME|ID")
@json_option
@pass_context
def revoke(context: Context, name: str, as_json: bool) -> None:
    """End a key: running gateways refuse it within a second. Calls under way go on."""
    from jackfield.gateway.keys import render_key, revoke_key

    now_ms = context.now_ms()
    with _open(context) as database:
        key = revoke_key(database, name, now_ms=now_ms)
    if as_json:
        ui.as_json({"ok": True, **render_key(key, now_ms)})
    else:
        ui.note(f"the key {key.name} ({key.id}) is revoked")


@contextmanager
def _open(context: Context, *, to_read: bool = False) -> Iterator[Database]:
    from jackfield.ledger.database import open_database, read_database
    from jackfield.ledger.place import find_url

    url = find_url(context.config)
    database = read_database(url) if to_read else open_database(url)
    try:
        yield database
    finally:
        database.close()


def _cells(key: Key, now_ms: int) -> tuple[str, ...]:
    expires = "never" if key.expires_ms is None else _day(key.expires_ms)
    return (key.name, key.id, key.state(now_ms), _day(key.made_ms), expires, _words(key) or "none")


def _words(key: Key) -> str:
    limits = key.limits
    said = (
        ", ".join(limits.models),
        f"{shown(limits.budget_day)} a day" if limits.budget_day is not None else "",
        f"{shown(limits.budget_month)} a month" if limits.budget_month is not None else "",
        f"{limits.requests_per_minute} requests a minute" if limits.requests_per_minute else "",
        f"{limits.tokens_per_minute} tokens a minute" if limits.tokens_per_minute else "",
        f"{limits.concurrency} at a time" if limits.concurrency else "",
    )
    return "; ".join(filter(None, said))


def _day(ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()
