"""`plugins install` and `uninstall`: files into `<home>/plugins` and out again; pip stays the user's to run."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.config.save import Unset, edit_config


@click.command()
@click.argument("source")
@click.option("-l", "--link", is_flag=True, help="Leave it where it is and point to it.")
@json_option
@pass_context
def install(context: Context, source: str, link: bool, as_json: bool) -> None:
    """Install a plugin from a .toml file, a folder or an archive.

    It stays off until you enable it. Of a Python package the command for pip is printed;
    Jackfield does not run it.
    """
    from jackfield.plugins.find import home_folder
    from jackfield.plugins.install import install as put
    from jackfield.plugins.install import is_archive

    path = Path(source).expanduser()
    if not path.exists():
        if "://" not in source and (is_archive(path) or path.suffix == ".toml" or "/" in source or "\\" in source):
            raise click.ClickException(f"{source} does not exist")
        _tell_pip(source, as_json=as_json)
        return
    found = put(path, home_folder(context.config), link=link)
    if as_json:
        ui.as_json({"ok": True, "id": found.id, "path": found.place, "enabled": False})
    else:
        ui.out(f'Installed plugin "{found.id}".')
        ui.note(f"it is in {found.place}; enable it: jackfield plugins enable {found.id}")


@click.command()
@click.argument("plugin_id", metavar="ID")
@json_option
@pass_context
def uninstall(context: Context, plugin_id: str, as_json: bool) -> None:
    """Remove an installed plugin, and what the config says of it."""
    from jackfield.plugins.find import find_plugins, home_folder
    from jackfield.plugins.install import uninstall as remove

    found = next((each for each in find_plugins(context.config, packages=True) if each.id == plugin_id), None)
    if found is None:
        raise click.ClickException(f"unknown plugin {plugin_id!r}\nsee: jackfield plugins list")
    if found.origin == "bundled":
        raise click.ClickException(f"{plugin_id} is bundled\nrun: jackfield plugins disable {plugin_id}")
    if found.origin == "package":
        raise click.ClickException(f"{plugin_id} is of a package\nrun: {_pip('uninstall', found.place)}")
    path = remove(found, home_folder(context.config))
    if plugin_id in context.config.plugins:
        edit_config(context.paths, [Unset(("plugins", "entries", plugin_id))], environ=context.environ)
    if as_json:
        ui.as_json({"ok": True, "id": plugin_id, "path": str(path)})
    else:
        ui.out(f'Removed plugin "{plugin_id}".')


def _tell_pip(spec: str, *, as_json: bool) -> None:
    command = _pip("install", spec)
    if as_json:
        ui.as_json({"ok": True, "id": None, "command": command})
    else:
        ui.out(command)
        ui.note("a package is installed with this command; then: jackfield plugins list")


def _pip(verb: str, spec: str) -> str:
    return shlex.join([sys.executable, "-m", "pip", verb, spec])
