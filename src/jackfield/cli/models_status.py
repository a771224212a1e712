"""`models status`: what is chosen, whether its credentials are there and good, and where requests go."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from jackfield.auth.health import judge
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context, refuse_both
from jackfield.cli.signin import find_provider
from jackfield.cli.status_json import render_status
from jackfield.cli.status_quota import list_quotas
from jackfield.errors import MissingKey, UsageError
from jackfield.setup.rests import name_credential
from jackfield.setup.state import (
    ProviderState,
    list_resting,
    list_states,
    name_model,
    verdict,
)

if TYPE_CHECKING:
    from jackfield.health.record import Quota
    from jackfield.setup.probe import Limits, Probed

STEPS_MS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"))


@click.command()
@click.option("--plain", is_flag=True, help="Print the default model and nothing else.")
@click.option(
    "--check", is_flag=True, help="Exit 1 when a credential in use is missing or expired, 2 when one soon is."
)
@click.option("--probe", is_flag=True, help="Ask each credential one tiny real question.")
@click.option("--probe-provider", metavar="ID", multiple=True, help="Ask only this provider's.")
@click.option("--probe-profile", metavar="ID", multiple=True, help="Ask only this profile.")
@click.option(
    "--probe-timeout",
    metavar="MS",
    type=click.IntRange(min=1),
    default=8000,
    help="Longest wait for each answer; 8000.",
)
@click.option(
    "--probe-concurrency", metavar="N", type=click.IntRange(min=1), default=2, help="Questions at the same time; 2."
)
@click.option(
    "--probe-max-tokens", metavar="N", type=click.IntRange(min=1), default=8, help="Longest answer, in tokens; 8."
)
@json_option
@click.pass_context
@pass_context
def status(context: Context, ctx: click.Context, /, **options: Any) -> None:
    """Show what is chosen and whether its credentials are there.

    \b
      jackfield models status --check    exit 1: missing or expired, 2: less than a day left
      jackfield models status --probe    one question of some tokens to each credential
    """
    refuse_both(plain=options["plain"], as_json=options["as_json"])
    if options["probe"] and options["plain"]:
        raise UsageError("--probe has nothing to show with --plain", hint="leave out one of the two, or use --json")
    resolved = name_model(context, context.config.primary)
    states = list_states(context)
    if options["plain"]:
        ui.out(resolved or "")
    elif options["as_json"]:
        value = render_status(context, resolved, states)
        if options["probe"]:
            value["auth"]["probes"] = _probe_for_json(context, states, options)
        ui.as_json(value)
    else:
        _print(context, resolved, states)
        if options["probe"]:
            _print_probes(context, states, options)
    if options["check"]:
        ctx.exit(verdict(context, states))


# -- probes ------------------------------------------------------------------------


def _limits(context: Context, options: dict[str, Any]) -> Limits:
    from jackfield.setup.probe import Limits

    profiles = [name for text in options["probe_profile"] for name in text.split(",")]
    for profile_id in profiles:
        if context.store.read(profile_id) is None:
            raise MissingKey(f'no credentials found for profile "{profile_id}"', hint="see: jackfield models auth list")
    return Limits(
        providers=frozenset(find_provider(context, text).id for text in options["probe_provider"]),
        profiles=frozenset(profiles),
        timeout_ms=options["probe_timeout"],
        at_once=options["probe_concurrency"],
        max_tokens=options["probe_max_tokens"],
    )


def _probe_for_json(context: Context, states: Sequence[ProviderState], options: dict[str, Any]) -> dict[str, Any]:
    from jackfield.cli.probe import probe, render_probes

    start, limits = time.monotonic(), _limits(context, options)
    return render_probes(probe(context, states, limits), limits, round((time.monotonic() - start) * 1000))


def _print_probes(context: Context, states: Sequence[ProviderState], options: dict[str, Any]) -> None:
    from jackfield.cli.probe import probe

    probed = probe(context, states, _limits(context, options))
    ui.out("\nAuth probes")
    if not probed:
        ui.out("- none")
        return
    ui.table(("Model", "Credential", "Status", "Latency"), [_probe_cells(each) for each in probed])
    for each in probed:
        label = each.source.label.removeprefix("profile:")
        if each.error:
            ui.out(f"{label}: {each.error}")
        if each.quota:
            from jackfield.providers.quota import describe

            ui.out(f"{label}: {'; '.join(map(describe, each.quota))}")


def _probe_cells(each: Probed) -> tuple[str, str, str, str]:
    label = f"{each.source.label.removeprefix('profile:')} ({each.source.type})"
    return (each.model or each.provider, label, each.status, "-" if each.ms is None else f"{each.ms} ms")


# -- for people --------------------------------------------------------------------


def _print(context: Context, resolved: str | None, states: Sequence[ProviderState]) -> None:
    config = context.config
    allowed = ", ".join(config.allow.patterns) if config.allow else "any"
    lines = {
        "Config": str(context.paths.config),
        "Default": resolved or 'none; run "jackfield models set provider/model" or "jackfield onboard"',
        f"Fallbacks ({len(config.fallbacks)})": ", ".join(config.fallbacks) or "-",
        "Image model": config.image_primary or "-",
        f"Image fallbacks ({len(config.image_fallbacks)})": ", ".join(config.image_fallbacks) or "-",
        f"Aliases ({len(config.aliases)})": ", ".join(f"{name} -> {ref}" for name, ref in config.aliases.items())
        or "-",
        "Allowed models": allowed,
        "Credentials": str(context.store.path),
    }
    width = max(map(len, lines))
    ui.out("\n".join(f"{title.ljust(width)}  {text}" for title, text in lines.items()))
    if states:
        ui.out("\nAuth overview")
        ui.table(("Provider", "Credential", "Requests go to"), [_cells(state) for state in states])
    _print_health(context, states)
    _print_quotas(context)
    missing = [each for each in states if each.in_use and each.chosen is None]
    for state in missing:
        ui.warn(
            f'no credential for {state.info.id}: run "jackfield models auth paste-api-key --provider {state.info.id}"'
        )
    for warning in config.warnings:
        ui.warn(warning)


def _print_health(context: Context, states: Sequence[ProviderState]) -> None:
    now_ms = context.now_ms()
    dated = [profile for state in states for profile in state.profiles if profile.type != "api_key"]
    if dated:
        ui.out("\nOAuth/token status")
        ui.table(
            ("Profile", "Type", "Status", "Ends"),
            [(each.id, each.type, judge(each, now_ms), _ends(each.expires_ms, now_ms)) for each in dated],
        )
    if resting := list_resting(context, states):
        ui.out("\nUnusable for now")
        ui.table(
            ("Profile", "Why", "Back"),
            [
                (profile.id, f"{use.kind}{use.reason and f' ({use.reason})'}", _ends(use.rests_until(now_ms), now_ms))
                for profile, use in resting
            ],
        )


def _print_quotas(context: Context) -> None:
    now_ms, spill_at = context.now_ms(), context.config.spill_at
    if quotas := list_quotas(context):
        ui.out("\nQuotas")
        ui.table(
            ("Provider", "Credential", "Window", "Used", "Full again", "Told"),
            [
                (
                    each.provider, name_credential(each.credential), each.name, _used(each, now_ms, spill_at),
                    _ends(each.resets_ms, now_ms), _ends(min(each.read_ms, now_ms), now_ms),
                )
                for each in quotas
            ],
        )  # fmt: skip


def _used(quota: Quota, now_ms: int, spill_at: float | None) -> str:
    if quota.used is None:
        return "-"
    return f"{100 * quota.used:.0f}%{' (others go first)' if quota.reaches(spill_at, now_ms) else ''}"


def _ends(at_ms: int | None, now_ms: int) -> str:
    if at_ms is None:
        return "-"
    left_ms = abs(at_ms - now_ms)
    number, unit = next(((left_ms // step, unit) for step, unit in STEPS_MS if left_ms >= step), (left_ms // 1000, "s"))
    return f"in {number} {unit}" if at_ms > now_ms else f"{number} {unit} ago"


def _cells(state: ProviderState) -> tuple[str, str, str]:
    chosen = state.chosen
    if chosen is None:
        credential = "missing"
    elif chosen.secret:
        credential = f"{chosen.label} ({chosen.secret.masked()})"
    else:
        credential = chosen.label
    return (state.info.id, credential, state.url or f"{state.info.base_url} ({state.info.api})")
