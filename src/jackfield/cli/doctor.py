"""`doctor`: what is wrong with this set-up, what to do about it, and on request the doing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.errors import UsageError
from jackfield.message import JsonObject

if TYPE_CHECKING:
    from jackfield.cli.findings import Finding
    from jackfield.cli.net import Way
    from jackfield.config.schema import Issue


@click.command()
@click.option(
    "--fix", "--repair", is_flag=True, help="Move plain keys into the store, close files, drop broken caches."
)
@click.option("--net", is_flag=True, help="Look whether the providers can be reached, and how quickly; sends no key.")
@click.option("--yes", "--non-interactive", is_flag=True, help="Do not ask before something is changed.")
@json_option
@pass_context
def doctor(context: Context, fix: bool, net: bool, yes: bool, as_json: bool) -> int:
    """Find what is wrong with the set-up, and mend it.

    Looks at files, models and credentials in use, and says what to do; follows no reference, and asks no provider
    without --net. Changes nothing without --fix. Fails when something is wrong and stays so.
    """
    from jackfield.cli.findings import find_all

    if issues := _issues(context):
        return _tell_issues(issues, as_json=as_json)
    findings = find_all(context)
    fixable = [each for each in findings if each.fix]
    fixed: Sequence[Finding] = ()
    if fix and fixable:
        _agree(context, fixable, yes=yes, as_json=as_json)
        _repair(context, fixable)
        fixed = fixable
        context.reload()
        findings = find_all(context)
    ways: Sequence[Way] = ()
    if net:
        from jackfield.cli.net import as_findings, look_at_ways

        ways = look_at_ways(context)
        findings += as_findings(ways)
    if as_json:
        _print_json(findings, fixed, ways if net else None)
    else:
        _print(findings, fixed, ways)
    return 1 if _problems(findings) else 0


def _issues(context: Context) -> tuple[Issue, ...]:
    from jackfield.config.load import check_config
    from jackfield.config.schema import InvalidConfig

    try:
        return check_config(context.paths, context.environ, cwd=context.cwd).issues
    except InvalidConfig as error:
        return error.issues


def _tell_issues(issues: Sequence[Issue], *, as_json: bool) -> int:
    """Say what keeps the config from being used; nothing else can be looked at before."""
    hint = "correct it by hand; nothing else can be checked before"
    if as_json:
        rows = [{"kind": "config", "level": "problem", "message": str(issue), "hint": hint} for issue in issues]
        ui.as_json({"ok": False, "findings": rows, "fixed": []})
    else:
        for issue in issues:
            ui.out(f"problem  {issue}")
        ui.note(hint)
    return 1


def _problems(findings: Sequence[Finding]) -> int:
    return sum(each.level == "problem" for each in findings)


def _render(finding: Finding) -> JsonObject:
    return {"kind": finding.kind, "level": finding.level, "message": finding.message, "hint": finding.hint}


def _print_json(findings: Sequence[Finding], fixed: Sequence[Finding], ways: Sequence[Way] | None) -> None:
    told = {}
    if ways is not None:
        from jackfield.cli.net import render_way

        told = {"net": [render_way(each) for each in ways]}
    rows = [_render(each) for each in findings]
    ui.as_json({"ok": not _problems(findings), "findings": rows, "fixed": [_render(each) for each in fixed], **told})


def _print(findings: Sequence[Finding], fixed: Sequence[Finding], ways: Sequence[Way] = ()) -> None:
    for finding in fixed:
        ui.out(f"fixed    {finding.message}")
    for finding in sorted(findings, key=lambda each: each.level == "note"):
        ui.out(f"{finding.level.ljust(8)} {finding.message}")
        if finding.hint:
            ui.out(f"         {finding.hint}")
    if ways:
        _print_ways(ways)
    problems = _problems(findings)
    ui.note("nothing is wrong" if not problems else f"{problems} problem{'s' if problems > 1 else ''}")
    if any(finding.fix for finding in findings):
        ui.note("run: jackfield doctor --fix")


def _print_ways(ways: Sequence[Way]) -> None:
    from jackfield.cli.net import NO_KEY, as_line

    for way in ways:
        if way.is_fine:
            ui.out(f"ok       {as_line(way)}")
    ui.note(NO_KEY)


# -- repairs -----------------------------------------------------------------------


def _agree(context: Context, fixable: Sequence[Finding], *, yes: bool, as_json: bool) -> None:
    """Show what would be changed, and go on when that is wanted."""
    from jackfield.cli.plain_keys import PlainKey, preview

    for finding in fixable if not as_json else ():
        ui.note(f"- {_intent(context, finding)}")
    keys = [each.fix for each in fixable if isinstance(each.fix, PlainKey)]
    if not as_json and (diff := preview(context, keys)):
        ui.note(diff.rstrip())
    if yes:
        return
    if as_json or not ui.can_ask():
        raise UsageError("nobody is there to confirm", hint="run: jackfield doctor --fix --yes")
    click.confirm("Do this?", abort=True, err=True)


def _intent(context: Context, finding: Finding) -> str:
    from jackfield.cli.findings import Close, Discard
    from jackfield.cli.plain_keys import PlainKey

    match finding.fix:
        case PlainKey() as key:
            return f"move {key.place} to {key.target} in {context.store.place}"
        case Close(path):
            return f"close {path} to others"
        case Discard(path):
            return f"remove the cache {path}"
    return finding.message


def _repair(context: Context, fixable: Sequence[Finding]) -> None:
    from jackfield.cli.findings import OTHERS, Close, Discard
    from jackfield.cli.plain_keys import PlainKey, move

    move(context, [each.fix for each in fixable if isinstance(each.fix, PlainKey)])
    for finding in fixable:
        match finding.fix:
            case Close(path):
                path.chmod(path.stat().st_mode & ~OTHERS)
            case Discard(path):
                path.unlink(missing_ok=True)
