"""`models audit`: which of the models you use are on their way out, when, and what replaces them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import click
from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog import defaults, near
from jackfield.catalog.lifecycle import Fate, judge
from jackfield.catalog.load import Catalog
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.config.schema import Config
from jackfield.errors import Error, UsageError
from jackfield.message import JsonObject
from jackfield.model import ModelRef
from jackfield.routing.chain import resolve_ref

HEADER = ("Model", "Used as", "State", "Until", "Instead")
SPAN = re.compile(r"(\d{1,5})([dwmy]?)")
DAYS = {"": 1, "d": 1, "w": 7, "m": 30, "y": 365}
ENDED = frozenset({"retired", "gone"})


class Finding(Struct, frozen=True, kw_only=True):
    """One model the config speaks of."""

    ref: str
    uses: tuple[str, ...]
    fate: Fate


@click.command("audit")
@click.option(
    "--within", metavar="SPAN", default="90d", show_default=True, help="How far ahead to look: 30d, 12w, 6m, 1y."
)
@json_option
@pass_context
def audit(context: Context, within: str, as_json: bool) -> int:
    """Say which of the models you use are retired, about to be, or no longer offered.

    Looks at the default, fallbacks, image models, aliases, routes, the allowlist and the models
    of models.providers; asks nobody. What a provider last listed is known after "models refresh".
    Fails when one of them has ended.
    """
    span, today = _parse_span(within), datetime.now(UTC).date()
    context.tell_warnings()
    findings = [find(ref, uses, context.catalog, today) for ref, uses in _uses(context.config, context.catalog).items()]
    telling = [each for each in findings if _tells(each.fate, today + span)]
    if as_json:
        ui.as_json({"checked": len(findings), "models": [_render(each) for each in telling]})
    elif telling:
        ui.table(HEADER, [_cells(each) for each in telling])
    else:
        ui.note(
            f"{ui.count(len(findings), 'model')} checked, none ends within {within}"
            if findings
            else "no model is configured"
        )
    return 1 if any(each.fate.state in ENDED for each in telling) else 0


def find(ref: str, uses: tuple[str, ...], catalog: Catalog, today: date) -> Finding:
    """Return what becomes of a model: by its row, and by what its provider last listed."""
    parsed = ModelRef.parse(ref)
    row = catalog.find(parsed.provider, parsed.model) if parsed else None
    fate = judge(row, parsed.provider, today) if parsed and row else Fate()
    if parsed and fate.state != "retired" and _is_gone(parsed, catalog):
        fate = replace(fate, state="gone")
    return Finding(ref=ref, uses=uses, fate=fate)


def _is_gone(ref: ModelRef, catalog: Catalog) -> bool:
    """Tell whether the provider's last list lacks a model; without a list nothing is known."""
    listed = catalog.discovered(ref.provider)
    if not listed:
        return False
    row = catalog.find(ref.provider, ref.model)
    names = {ref.model, *((row.id, defaults.wire_id(row), *(row.aliases or ())) if row else ())}
    return {near.loose(name) for name in names}.isdisjoint(near.loose(model.id) for model in listed)


def _uses(config: Config, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for text, use in _named(config):
        try:
            ref = str(resolve_ref(text, config, catalog)[0])
        except Error:
            ref = text
        found.setdefault(ref, []).append(use)
    return {ref: tuple(dict.fromkeys(uses)) for ref, uses in found.items()}


def _named(config: Config) -> Iterator[tuple[str, str]]:
    said = [(config.primary, "default"), (config.image_primary, "image")]
    said += [(text, "fallback") for text in config.fallbacks]
    said += [(text, "image fallback") for text in config.image_fallbacks]
    said += [(text, f"alias {alias}") for alias, text in config.aliases.items()]
    for name, route in config.routes.items():
        said += [(text, f"route {name}") for text in (route.primary, *route.fallbacks)]
    said += [(text, "allowed") for text in (config.allow.patterns if config.allow else ()) if not text.endswith("*")]
    said += [(f"{name}/{row.id}", "configured") for name, entry in config.providers.items() for row in entry.models]
    return ((text, use) for text, use in said if text)


def _tells(fate: Fate, until: date) -> bool:
    return fate.state in {"retired", "gone", "deprecated"} or (
        fate.state == "retiring" and date.fromisoformat(fate.retires) <= until
    )


def _cells(finding: Finding) -> tuple[str, ...]:
    fate = finding.fate
    state = "not listed" if fate.state == "gone" else fate.state
    return (finding.ref, ", ".join(finding.uses), state, fate.retires or "-", fate.replacement or "-")


def _render(finding: Finding) -> JsonObject:
    fate = finding.fate
    return {
        "model": finding.ref,
        "uses": list(finding.uses),
        "state": fate.state,
        "retires": fate.retires or None,
        "replacement": fate.replacement or None,
    }


def _parse_span(text: str) -> timedelta:
    found = SPAN.fullmatch(text.strip().lower())
    if not found:
        raise UsageError(f"{text!r} is no span of time", hint="write days, weeks, months or years: 30d, 12w, 6m, 1y")
    return timedelta(days=int(found[1]) * DAYS[found[2]])
