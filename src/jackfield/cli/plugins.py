"""`plugins`: what there is, what of it may run, and what is wrong with it. Nothing here enables by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.plugins_install import install, uninstall
from jackfield.config.save import Append, Edit, Set, edit_config
from jackfield.errors import ConfigError
from jackfield.message import JsonObject
from jackfield.plugins.load import Plugins, is_enabled

if TYPE_CHECKING:
    from jackfield.plugins.found import Found


@click.group(short_help="List, enable, install and check plugins.")
def plugins() -> None:
    """List, enable, install and check plugins.

    A plugin adds providers or a sign-in, and runs only when it is enabled. Each bundled one
    stands for one provider's own sign-in. See docs/plugins.md.
    """


@plugins.command("list")
@click.option("--enabled", is_flag=True, help="Only the enabled ones.")
@click.option("--verbose", is_flag=True, help="Say where each is, too.")
@json_option
@pass_context
def list_(context: Context, enabled: bool, verbose: bool, as_json: bool) -> None:
    """List the plugins there are, enabled or not."""
    active = context.plugins
    rows = [row for row in (_as_row(context, each, active) for each in _find(context)) if row["enabled"] or not enabled]
    if as_json:
        ui.as_json({"plugins": rows, "diagnostics": list(active.problems)})
        return
    header = ("Plugin", "Version", "Origin", "Status", "Providers", *(("Place",) if verbose else ()))
    ui.table(header, [_as_cells(row, verbose=verbose) for row in rows])
    for row in rows:
        if row["reason"]:
            ui.note(f"{row['id']}: {row['reason']}")


@plugins.command()
@click.argument("plugin_id", metavar="ID")
@json_option
@pass_context
def info(context: Context, plugin_id: str, as_json: bool) -> None:
    """Say what a plugin is for, where it is and whether it runs."""
    row = _as_row(context, _known(context, plugin_id), context.plugins)
    if as_json:
        ui.as_json(row)
        return
    named = " ".join(filter(None, (row["id"], row["version"])))
    ui.out(
        f"{named}: {row['status']}, {row['origin']}, for {', '.join(row['providerIds']) or 'no provider that is known'}"
    )
    for text in (row["description"], "" if row["origin"] == "bundled" else row["source"], row["reason"]):
        if text:
            ui.out(f"  {text}")


@plugins.command()
@click.argument("plugin_id", metavar="ID")
@json_option
@pass_context
def enable(context: Context, plugin_id: str, as_json: bool) -> None:
    """Let a plugin run; it may do all that you may."""
    found = _known(context, plugin_id)
    _switch(context, plugin_id, on=True, as_json=as_json)
    context.reload()
    row = _as_row(context, found, context.plugins)
    if row["reason"]:
        ui.warn(row["reason"])
    for line in _next_steps(context, plugin_id):
        ui.note(line)


@plugins.command()
@click.argument("plugin_id", metavar="ID")
@json_option
@pass_context
def disable(context: Context, plugin_id: str, as_json: bool) -> None:
    """Keep a plugin from running."""
    if plugin_id not in context.config.plugins:
        _known(context, plugin_id)
    _switch(context, plugin_id, on=False, as_json=as_json)


@plugins.command()
@json_option
@pass_context
def doctor(context: Context, as_json: bool) -> None:
    """Name broken plugins, and those in the config that do not exist."""
    found = _find(context)
    known = {each.id for each in found}
    unknown = [name for name in context.config.plugins if name not in known]
    broken = {each.id: each.error for each in found if each.error}
    issues = [f"unknown plugin: {name}" for name in unknown]
    issues += [f"broken plugin: {name}: {error}" for name, error in broken.items()]
    issues += [f"broken plugin: {name}: {why}" for name, why in context.plugins.broken.items() if name not in broken]
    if as_json:
        ui.as_json({"ok": not issues, "unknown": unknown, "issues": issues})
    else:
        ui.out("\n".join(issues) or "No plugin issues.")


for command in (install, uninstall):
    plugins.add_command(command)


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


def _next_steps(context: Context, plugin_id: str) -> list[str]:
    """Return the command for each way to sign in that a plugin makes usable, one per provider."""
    from jackfield.setup.login import BROWSER

    steps: dict[str, str] = {}
    for name in context.catalog.provider_ids():
        info_ = context.catalog.provider(name)
        for method in info_.auth if info_ else ():
            if method.plugin == plugin_id:
                page = f"sign in: jackfield models auth login --provider {name}"
                steps.setdefault(
                    name,
                    page if method.kind in BROWSER else f"set it up: jackfield onboard --auth-choice {method.choice}",
                )
    return list(steps.values())


def _find(context: Context) -> tuple[Found, ...]:
    from jackfield.plugins.find import find_plugins

    return find_plugins(context.config, packages=True)


def _known(context: Context, plugin_id: str) -> Found:
    found = {each.id: each for each in _find(context)}
    if plugin_id not in found:
        raise click.ClickException(f"unknown plugin {plugin_id!r}\nthere are: {', '.join(found)}")
    return found[plugin_id]


def _as_row(context: Context, found: Found, active: Plugins) -> JsonObject:
    on, config = is_enabled(context.config, found.id), context.config
    wanted = config.plugins.get(found.id) is not None
    reason = found.error or active.broken.get(found.id, "") or (config.plugin_rules.refusal(found.id) if wanted else "")
    failed = bool(found.error or found.id in active.broken)
    return {
        "id": found.id, "name": found.name, "version": found.version, "description": found.description,
        "origin": found.origin, "source": found.place, "enabled": on,
        "status": "error" if failed else "enabled" if on else "disabled", "reason": reason,
        "providerIds": list(active.provider_ids(found.id) or found.provider_ids),
    }  # fmt: skip


def _as_cells(row: JsonObject, *, verbose: bool) -> tuple[str, ...]:
    cells = (row["id"], row["version"] or "-", row["origin"], row["status"], ", ".join(row["providerIds"]) or "-")
    return (*cells, row["source"]) if verbose else cells
