"""`plugins`: the bundled plugins by name, enabled or not. They stand for sign-ins; the catalog names them."""

from __future__ import annotations

from functools import cache

import click

from jackfield.catalog.index import load_index, parse_info
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.config.save import Append, Edit, Set, edit_config
from jackfield.errors import ConfigError
from jackfield.message import JsonObject


@click.group(short_help="List, enable and disable plugins.")
def plugins() -> None:
    """List, enable and disable plugins.

    Each bundled plugin stands for one provider's own sign-in. The sign-ins that need a
    browser are not in this version; enabling their plugin is noted in the config all the same.
    """


@plugins.command("list")
@click.option("--enabled", is_flag=True, help="Only the enabled ones.")
@click.option("--verbose", is_flag=True, help="Accepted; the list says all there is.")
@json_option
@pass_context
def list_(context: Context, enabled: bool, verbose: bool, as_json: bool) -> None:  # noqa: ARG001
    """List the bundled plugins."""
    rows = [row for row in (_as_row(context, name) for name in bundled()) if row["enabled"] or not enabled]
    if as_json:
        ui.as_json({"plugins": rows, "diagnostics": []})
    else:
        ui.table(
            ("Plugin", "Status", "Providers"),
            [(row["id"], row["status"], ", ".join(row["providerIds"])) for row in rows],
        )


@plugins.command()
@click.argument("plugin_id", metavar="ID")
@json_option
@pass_context
def info(context: Context, plugin_id: str, as_json: bool) -> None:
    """Say what a plugin is for."""
    row = _as_row(context, _known(plugin_id))
    if as_json:
        ui.as_json(row)
    else:
        ui.out(f"{row['id']}: {row['status']}, bundled, for {', '.join(row['providerIds'])}")


@plugins.command()
@click.argument("plugin_id", metavar="ID")
@json_option
@pass_context
def enable(context: Context, plugin_id: str, as_json: bool) -> None:
    """Enable a plugin."""
    _switch(context, _known(plugin_id), on=True, as_json=as_json)
    for name in bundled()[plugin_id]:
        ui.note(
            f"the browser sign-in to {name} is not in this version; see: jackfield models auth login --provider {name}"
        )


@plugins.command()
@click.argument("plugin_id", metavar="ID")
@json_option
@pass_context
def disable(context: Context, plugin_id: str, as_json: bool) -> None:
    """Disable a plugin."""
    _switch(context, _known(plugin_id), on=False, as_json=as_json)


@plugins.command()
@json_option
@pass_context
def doctor(context: Context, as_json: bool) -> None:
    """Name the plugins in the config that do not exist."""
    unknown = [name for name in context.config.plugins if name not in bundled()]
    if as_json:
        ui.as_json({"ok": not unknown, "unknown": unknown})
    else:
        ui.out("\n".join(f"unknown plugin: {name}" for name in unknown) or "No plugin issues.")


@cache
def bundled() -> dict[str, tuple[str, ...]]:
    """Return each bundled plugin with the providers it is for."""
    found: dict[str, tuple[str, ...]] = {}
    for info_ in map(parse_info, load_index().providers.values()):
        for name in {method.plugin for method in info_.auth if method.plugin}:
            found[name] = (*found.get(name, ()), info_.id)
    return dict(sorted(found.items()))


def make_edits(plugin_id: str, raw: JsonObject, *, on: bool) -> list[Edit]:
    """Return the changes that switch a plugin; raises `ConfigError` where the config forbids it."""
    section = raw.get("plugins")
    section = section if isinstance(section, dict) else {}
    if on and section.get("enabled") is False:
        raise ConfigError("plugins are switched off", hint="run: jackfield config set plugins.enabled true")
    if on and plugin_id in section.get("deny", ()):
        raise ConfigError(f"plugins.deny names {plugin_id}", hint="take it off that list first")
    edits: list[Edit] = [Set(("plugins", "entries", plugin_id, "enabled"), on)]
    if on and isinstance(section.get("allow"), list) and plugin_id not in section["allow"]:
        edits.append(Append(("plugins", "allow"), plugin_id))
    return edits


def _switch(context: Context, plugin_id: str, *, on: bool, as_json: bool) -> None:
    result = edit_config(context.paths, lambda raw: make_edits(plugin_id, raw, on=on), environ=context.environ)
    if as_json:
        ui.as_json({"ok": True, "id": plugin_id, "enabled": on, "configPath": str(result.path)})
    else:
        ui.out(f'{"Enabled" if on else "Disabled"} plugin "{plugin_id}".')
        if result.files:
            ui.note(f"Updated {result.path}")


def _known(plugin_id: str) -> str:
    if plugin_id not in bundled():
        raise click.ClickException(f"unknown plugin {plugin_id!r}\nbundled: {', '.join(bundled())}")
    return plugin_id


def _as_row(context: Context, plugin_id: str) -> JsonObject:
    on = context.config.plugins.get(plugin_id, False)
    return {
        "id": plugin_id, "origin": "bundled", "enabled": on, "status": "enabled" if on else "disabled",
        "providerIds": list(bundled()[plugin_id]),
    }  # fmt: skip
