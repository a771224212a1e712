"""Choosing among a provider's models: one to start with, or those an allowlist names."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from jackfield.catalog.defaults import FREE, context_window, cost, name
from jackfield.catalog.merge import is_local
from jackfield.cli import ask, ui
from jackfield.cli.check import find_models
from jackfield.cli.context import Context
from jackfield.cli.setup import Setup
from jackfield.errors import Error
from jackfield.model import HIDDEN, Model, ProviderInfo
from jackfield.providers.discover import find_local

# A server that a person has just named is waited for longer than those a listing looks for.
PATIENCE_S = 3.0
QUESTION = "Default model (name, context, USD per million tokens in/out, privacy)"
KEEP = "keep"
MANUAL = "manual"


def pick_model(context: Context, setup: Setup) -> str | None:
    """Ask for a model of the set-up's provider; return its id, `None` to keep the present default."""
    rows = list_models(context, setup)
    current = context.config.primary
    keep = (f"Keep current ({current})" if current else "None for now", KEEP)
    options = [keep, *label_models(rows, setup.info), ("Enter model manually", MANUAL)]
    # Whoever only presses Enter keeps what is set.
    picked = ask.pick(
        QUESTION if rows else "Default model",
        options,
        default=KEEP if current else setup.model or next((row.id for row in rows), KEEP),
    )
    if picked == MANUAL:
        text = ask.text("Model id").removeprefix(f"{setup.info.id}/")
        return text or None
    return None if picked == KEEP else picked


def list_models(context: Context, setup: Setup) -> tuple[Model, ...]:
    """Return the provider's rows, where none ship those it lists, and the one the set-up starts with."""
    rows = {row.id: row for row in context.catalog.models(setup.info.id) if row.status != HIDDEN}
    if is_local(setup.info.base_url):
        keys = {setup.info.id: setup.profile.secret} if setup.profile and setup.profile.secret else {}
        servers = find_local([replace(setup.info, local=True)], keys=keys, limit_s=PATIENCE_S)
        for server in servers:
            rows |= {row.id: row for row in server.models}
        if not servers:
            ui.note(f"nothing answers at {setup.info.base_url}; start the server, or enter the model's id")
    elif not rows and setup.info.discovery and not context.offline:
        rows = _ask_provider(context, setup)
    if setup.model and setup.model not in rows:
        rows = {setup.model: Model(id=setup.model), **rows}
    return tuple(rows.values())


def _ask_provider(context: Context, setup: Setup) -> dict[str, Model]:
    try:
        return {row.id: row for row in find_models(context, setup)}
    except Error as error:
        ui.note(f"no list of models: {error}")
        return {}


def label_models(rows: Sequence[Model], info: ProviderInfo) -> list[tuple[str, str]]:
    """Return what a menu shows of each model: id, name, window, price per million tokens, privacy; with the id."""
    cells = [
        (row.id, _shown_name(row), f"{round(context_window(row) / 1000)}k", _price(row, info), _privacy(row, info))
        for row in rows
    ]
    widths = [max((len(line[column]) for line in cells), default=0) for column in range(5)]
    return [
        ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip(), line[0])
        for line in cells
    ]


def _shown_name(row: Model) -> str:
    return "" if name(row) == row.id else name(row)


def _price(row: Model, info: ProviderInfo) -> str:
    said = cost(row)
    if said is None or said.input is None or said.output is None:
        return "price unknown"
    if said == FREE:
        return "free" if info.local else "-"
    return f"${said.input}/${said.output}"


def _privacy(row: Model, info: ProviderInfo) -> str:
    return (info.privacy or "") if row.privacy is UNSET else row.privacy
