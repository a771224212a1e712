"""`jackfield config`: read and change the config file, one key at a time.

Reading works on a config that is not valid, so that one can see what to repair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from jackfield.cli import ui
from jackfield.cli.config_history import history, undo
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.config.keypath import KeyPath, parse_path
from jackfield.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from jackfield.config.save import Edit

NOTHING = object()
dry_run_option = click.option("--dry-run", is_flag=True, help="Show the change, write nothing.")


@click.group("config", invoke_without_command=True)
@click.pass_context
def config(ctx: click.Context) -> None:
    """Read and change the config file. Alone: check it."""
    if ctx.invoked_subcommand is None:
        ctx.exit(ctx.invoke(validate, as_json=False))


config.add_command(history)
config.add_command(undo)


@config.command()
@click.argument("path", required=False, default="")
@json_option
@pass_context
def get(context: Context, path: str, as_json: bool) -> None:
    """Print the value at PATH, or everything; secrets are masked.

    PATH is written like models.providers["my.id"].models[0].name
    """
    from jackfield.config.mask import mask_plain
    from jackfield.config.source import load_tree

    value = mask_plain(load_tree(context.paths.config, context.environ)[0])
    for step in parse_path(path) if path else ():
        value = _below(value, step)
    if value is NOTHING:
        raise ConfigError(
            f"config path not found: {path}", hint=f"see what there is: jackfield config get {_parent(path)}".rstrip()
        )
    if isinstance(value, str) and not as_json:
        ui.out(value)
    else:
        ui.as_json(value)


@config.command("set")
@click.argument("path")
@click.argument("value")
@click.option("--json", "--strict-json", "strict", is_flag=True, help="VALUE must be JSON; print the result as JSON.")
@click.option("--merge", is_flag=True, help="Keep the keys of an object that VALUE does not name.")
@click.option("--replace", is_flag=True, help="Allow VALUE to drop providers, models or profiles.")
@dry_run_option
@pass_context
def set_(context: Context, /, path: str, value: str, **flags: bool) -> None:
    """Put VALUE at PATH: JSON5 where it is that, else a text. Comments and order are kept.

    A VALUE that starts with a dash is given after `--`.
    """
    from jackfield.config.save import Set

    steps = parse_path(path)
    new = _parse_value(value, strict=flags["strict"])
    edits: list[Edit] = [Set(steps, new)]
    if flags["merge"] and isinstance(new, dict):
        edits = [Set((*steps, *below), leaf) for below, leaf in _leaves(new)]
    elif not flags["replace"]:
        _refuse_loss(context, steps, new)
    _change(context, edits, as_json=flags["strict"], dry_run=flags["dry_run"])


@config.command()
@click.argument("path")
@json_option
@dry_run_option
@pass_context
def unset(context: Context, path: str, as_json: bool, dry_run: bool) -> None:
    """Take away what is at PATH."""
    from jackfield.config.save import Unset

    steps = parse_path(path)
    if _lookup(context, steps) is NOTHING:
        raise ConfigError(f"config path not found: {path}")
    _change(context, [Unset(steps)], as_json=as_json, dry_run=dry_run)


@config.command()
@json_option
@pass_context
def validate(context: Context, as_json: bool) -> int:
    """Check the config; list everything that is wrong with it."""
    from jackfield.setup.config_check import find_faults

    issues, warnings = find_faults(context.paths, context.environ, cwd=context.cwd)
    if as_json:
        path = str(context.paths.config)
        ui.as_json(
            {
                "ok": not issues,
                "path": path,
                "issues": [asdict(issue) for issue in issues],
                "warnings": list(warnings),
            }
        )
        return 1 if issues else 0
    for warning in warnings:
        ui.warn(warning)
    for issue in issues:
        ui.note(f"- {issue}")
    if not issues:
        ui.out(
            f"{context.paths.config} is valid"
            if context.paths.config.exists()
            else f"{context.paths.config} does not exist: every default holds"
        )
    return 1 if issues else 0


@config.command("file")
@json_option
@pass_context
def file_(context: Context, as_json: bool) -> None:
    """Print where the config file is."""
    if as_json:
        ui.as_json({"path": str(context.paths.config), "exists": context.paths.config.is_file()})
    else:
        ui.out(str(context.paths.config))


@config.command()
@click.option("--json", "as_json", is_flag=True, hidden=True, help="It always is.")
def schema(as_json: bool) -> None:  # noqa: ARG001  accepted everywhere
    """Print the config's JSON Schema."""
    from jackfield.config.describe import render_json_schema

    ui.as_json(render_json_schema())


# -- values ------------------------------------------------------------------------


def _parse_value(text: str, *, strict: bool) -> Any:
    from jackfield.config.json5 import Json5Error, parse

    if strict:
        import json

        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(
                f"this value is not JSON: {error}", hint="put texts in quotes, or leave --json away"
            ) from error
    try:
        return parse(text).plain()
    except Json5Error:
        return text


def _lookup(context: Context, steps: KeyPath) -> Any:
    from jackfield.config.source import load_tree

    value = load_tree(context.paths.config, context.environ)[0].plain()
    for step in steps:
        value = _below(value, step)
    return value


def _below(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, NOTHING) if isinstance(value, dict) else NOTHING
    return value[step] if isinstance(value, list) and step < len(value) else NOTHING


def _leaves(value: Any) -> list[tuple[KeyPath, Any]]:
    """Return every value below an object that is itself none, with its path."""
    if not isinstance(value, dict) or not value:
        return [((), value)]
    return [((key, *below), leaf) for key, child in value.items() for below, leaf in _leaves(child)]


def _parent(path: str) -> str:
    from jackfield.config.keypath import render_path

    return render_path(parse_path(path)[:-1])


# -- changes -----------------------------------------------------------------------

# Maps and lists that take work to write; a plain `set` must not empty them by accident.
PROTECTED = (
    ("agents", "defaults", "models"), ("models", "providers"), ("models", "providers", None),
    ("models", "providers", None, "models"), ("plugins", "entries"), ("auth", "profiles"),
)  # fmt: skip


def _refuse_loss(context: Context, steps: KeyPath, new: Any) -> None:
    if not any(
        len(rule) == len(steps) and all(want in {None, step} for want, step in zip(rule, steps, strict=True))
        for rule in PROTECTED
    ):
        return
    old = _lookup(context, steps)
    lost = _names(old) - _names(new)
    if lost:
        raise ConfigError(
            f"this would drop {', '.join(sorted(lost))}", hint="add --merge to keep them, or --replace to drop them"
        )


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value)
    return {str(row.get("id")) for row in value if isinstance(row, dict)} if isinstance(value, list) else set()


def _change(context: Context, edits: list[Edit], *, as_json: bool, dry_run: bool) -> None:
    from jackfield.config.save import edit_config

    result = edit_config(context.paths, edits, environ=context.environ, dry_run=dry_run)
    for warning in result.warnings:
        ui.warn(warning)
    if as_json:
        ui.as_json({"ok": True, "path": str(result.path), "changed": bool(result.files), "diff": result.diff})
    elif dry_run:
        ui.out(result.diff, end="")
    elif result.files:
        ui.note("Updated " + ", ".join(map(str, result.files)))
    else:
        ui.note("nothing to change")
