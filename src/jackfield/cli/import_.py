"""`import`: bring another tool's models and keys over. The diff first, nothing over what is there, the source untouched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module

import click
from msgspec import Struct
from msgspec.structs import replace

from jackfield.auth.sources import names
from jackfield.catalog.index import load_index
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.import_files import read_sources
from jackfield.config.keypath import parse_path
from jackfield.config.node import Source
from jackfield.config.save import Edit, EditResult, edit_config
from jackfield.config.schema import InvalidConfig
from jackfield.config.source import load_tree
from jackfield.credential import Profile
from jackfield.errors import ConfigError, UsageError
from jackfield.imports.found import Credential, Imported, Known
from jackfield.imports.places import PLACES, Place
from jackfield.imports.plan import Plan, Wishes, drop_path, plan_import
from jackfield.message import JsonObject

SHARED = (
    "{ids}: the refresh token will be shared with {title}. Where the provider replaces it at each use, the one that "
    "refreshes later is signed out; then sign in again in that program, or give Jackfield a sign-in of its own: "
    "jackfield models auth login --provider {provider}"
)
PARTS = ("models", "keys", "logins")
MOST_FAULTS = 100
MOST_HINTS = 10


class Given(Struct, frozen=True, kw_only=True):
    """The flags."""

    yes: bool
    dry_run: bool
    as_json: bool
    only: tuple[str, ...]
    set_default: bool


@click.command("import", short_help="Bring another tool's models and keys over.")
@click.argument("source", type=click.Choice([*PLACES], case_sensitive=False), metavar="SOURCE")
@click.argument("path", required=False, default="")
@click.option("--only", multiple=True, type=click.Choice(PARTS), help="Only this part; may be given several times.")
@click.option("--set-default", is_flag=True, help="Make its default model ours even where one is set.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def import_(context: Context, /, source: str, path: str, **flags: bool | tuple[str, ...]) -> None:
    """Bring the models and keys of SOURCE over: openclaw, kilo, litellm, llm, aichat, opencode, codex, qwen, gemini, copilot.

    Looks where SOURCE keeps its files, or at PATH: a file or a directory. Shows the config's
    diff and the credentials first, then asks. What is there already stays. SOURCE's files are only read.

    Keys go into the credential store; references to variables stay references. Sign-ins are
    brought over on request:

    \b
      jackfield import codex --only logins
    """
    given = Given(**flags)  # type: ignore[arg-type]  # click's own names and types
    place = PLACES[source.lower()]
    wishes = read_wishes(place, given)
    sources, faults = read_sources(context, place, path)
    _refuse_own(context, sources)
    known = make_known(context)
    module, _, name = place.parser.partition(":")
    found: Imported = getattr(import_module(f"jackfield.imports.{module}"), name)(sources, known)
    found = replace(found, left_out=(*faults, *found.left_out, *_unasked(found, wishes)))
    if found.is_empty and found.left_out:
        raise ConfigError(f"nothing of {place.title} can be brought over", hint="\n".join(found.left_out[:MOST_HINTS]))
    raw = load_tree(context.paths.config, context.environ)[0].plain()
    plan = plan_import(found, raw, context.store.list(), known, wishes)
    plan, refused, preview = _check(context, plan)
    found = replace(found, left_out=(*found.left_out, *refused))
    files = [each.name for each in sources]
    if not given.as_json:
        _show(files, found, plan, preview)
    _warn_of_logins(place, plan, known)
    if not (preview.files or plan.credentials) or given.dry_run:
        _report(place, given, _summary(files, found, plan, preview, written=()))
        return
    _confirm(given, source, path)
    written = _write(context, plan, raw)
    _report(place, given, _summary(files, found, plan, preview, written=written))


def read_wishes(place: Place, given: Given) -> Wishes:
    """Return what is wanted; raises `UsageError` for a part that the tool has not."""
    wanted = given.only or place.usual
    for part in given.only:
        if part not in place.parts:
            raise UsageError(f"{place.title} has no {part} to bring over", hint=f"it has: {', '.join(place.parts)}")
    parts = {part: part in wanted for part in PARTS}
    return Wishes(set_default=given.set_default, **parts)


def _refuse_own(context: Context, sources: Sequence[Source]) -> None:
    """Raise `UsageError` when what is to be read is what would be written: variables of OpenClaw's may name it."""
    own = {os.path.realpath(file) for file in (context.paths.config, context.store.path)}
    for source in sources:
        if os.path.realpath(source.name) in own:
            raise UsageError(f"{source.name} is Jackfield's own file already; there is nothing to bring over")


def make_known(context: Context) -> Known:
    """Return what the catalog, under the user's config, knows of providers."""
    catalog = context.catalog
    infos = [info for id_ in catalog.provider_ids() if (info := catalog.provider(id_)) is not None]
    return Known(
        ids={**{alias: info.id for info in infos for alias in info.aliases}, **{info.id: info.id for info in infos}},
        variables={name: info.id for info in reversed(infos) for name in info.env},
        addresses={info.id: info.base_url for info in infos if info.base_url},
        apis={info.id: info.api for info in infos},
        own=frozenset(context.config.providers) - load_index().providers.keys(),
        local=frozenset(info.id for info in infos if info.local or info.key_optional),
        plugins={info.id: method.plugin for info in infos for method in info.auth if method.plugin},
        notices={
            info.id: method.flow.notice for info in infos for method in info.auth if method.flow and method.flow.notice
        },
    )


def _unasked(found: Imported, wishes: Wishes) -> list[str]:
    """Return a line for each sign-in that is there but was not asked for."""
    if wishes.logins:
        return []
    return [
        f"{each.origin}: login {each.profile.id}: brought over on request alone: --only logins"
        for each in found.credentials
        if each.is_login
    ]


# -- what would be written ----------------------------------------------------------


def _check(context: Context, plan: Plan) -> tuple[Plan, tuple[str, ...], EditResult]:
    """Return the plan without what a config cannot hold, the lines that name it, and the config's diff."""
    refused: tuple[str, ...] = ()
    for _ in range(MOST_FAULTS):
        try:
            return plan, refused, edit_config(context.paths, plan.edits, environ=context.environ, dry_run=True)
        except InvalidConfig as error:
            edits = plan.edits
            for issue in error.issues:
                edits = drop_path(edits, parse_path(issue.path) if issue.path else ())
            if edits == plan.edits:
                raise
            plan = replace(plan, edits=edits)
            refused += tuple(f"{issue.path}: {issue.message}" for issue in error.issues)
    raise ConfigError(f"over {MOST_FAULTS} rounds of faults in what would be written")


def _write(context: Context, plan: Plan, seen: JsonObject) -> tuple[str, ...]:
    """Write the config, then the credentials; return the files that changed. `seen` is the config that was planned for."""

    def unless_changed(raw: JsonObject) -> Sequence[Edit]:
        if raw != seen:
            raise ConfigError(
                f"{context.paths.config} has changed since the diff was made", hint="run the command again"
            )
        return plan.edits

    result = edit_config(context.paths, unless_changed, environ=context.environ)
    for each in plan.credentials:
        _keep(context, each.profile)
    context.reload()
    return (*map(str, result.files), *([str(context.store.path)] if plan.credentials else []))


def _keep(context: Context, profile: Profile) -> None:
    # Another process may have stored one under this name since the plan was made: it stays.
    context.store.modify(profile.id, lambda old: old or profile)
    info = context.catalog.provider(profile.provider)
    for provider in sorted(names(info, context.config)) if info else ():
        order = context.store.order(provider)
        if order is not None and profile.id not in order:
            context.store.set_order(provider, (*order, profile.id))


def _confirm(given: Given, source: str, path: str) -> None:
    if given.yes:
        return
    if not ui.can_ask():
        again = " ".join(filter(None, ("jackfield import", source, path, "--yes")))
        raise UsageError("nobody is there to confirm", hint=f"run: {again}")
    click.confirm("Write this?", abort=True, err=True)


# -- what is said --------------------------------------------------------------------


def _show(files: Sequence[str], found: Imported, plan: Plan, preview: EditResult) -> None:
    ui.note(f"read {', '.join(files) or 'nothing'}")
    if preview.diff:
        ui.out(preview.diff, end="")
    if plan.credentials:
        ui.table(("Credential", "Type", "Key", "From"), [_cells(each) for each in plan.credentials])
    for line in plan.kept:
        ui.note(f"kept: {line}")
    for line in found.left_out:
        ui.note(f"left out: {line}")
    for line in (*found.notes, *preview.warnings):
        ui.note(line)


def _cells(credential: Credential) -> tuple[str, ...]:
    profile = credential.profile
    return profile.id, profile.type, (profile.secret or profile.refresh or profile.secret).masked(), credential.origin


def _warn_of_logins(place: Place, plan: Plan, known: Known) -> None:
    shared = [each.profile for each in plan.credentials if each.profile.refresh]
    for provider in dict.fromkeys(profile.provider for profile in shared):
        ids = ", ".join(profile.id for profile in shared if profile.provider == provider)
        ui.warn(SHARED.format(ids=ids, title=place.title, provider=provider))
    for provider in dict.fromkeys(each.profile.provider for each in plan.credentials if each.is_login):
        if notice := known.notices.get(provider):
            ui.warn(notice)


def _summary(
    files: Sequence[str], found: Imported, plan: Plan, preview: EditResult, written: Sequence[str]
) -> JsonObject:
    return {
        "ok": True,
        "source": found.tool,
        "files": [*files],
        "diff": preview.diff,
        "credentials": [
            {"id": each.profile.id, "provider": each.profile.provider, "type": each.profile.type, "key": _cells(each)[2], "expires": each.profile.expires_ms, "origin": each.origin}
            for each in plan.credentials
        ],
        "kept": [*plan.kept],
        "leftOut": [*found.left_out],
        "notes": [*found.notes],
        "written": [*written],
    }  # fmt: skip


def _report(place: Place, given: Given, summary: JsonObject) -> None:
    if given.as_json:
        ui.as_json({**summary, "dryRun": given.dry_run})
    elif summary["written"]:
        for credential in summary["credentials"]:
            ui.out(f"Auth profile: {credential['id']} ({credential['provider']}/{credential['type']})")
        ui.out(f"Updated {', '.join(summary['written'])}")
    elif given.dry_run and (summary["diff"] or summary["credentials"]):
        ui.note("nothing was written")
    else:
        ui.out(f"nothing new from {place.title}")
