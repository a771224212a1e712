"""`models why` and `chat --dry-run`: who would be asked, in which order, and why; nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import click

from jackfield.catalog.price import shown
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.health_rows import say_span
from jackfield.message import ChatRequest, JsonObject
from jackfield.setup.example import Example, make_example

BREAKS = {
    "error": "you get what came, and an error",
    "restart": "you see nothing of it; the next model starts over",
    "continue": "a model that can goes on from there, else you get an error",
}
HEADER = ("#", "Model", "Costs", "$/M in", "$/M out", "Window", "Privacy", "Credential", "Why")


@click.command("why", short_help="Say which models would be asked, and why.")
@click.argument("ref", metavar="[REF]", default="")
@click.option("--tokens", metavar="N", type=click.IntRange(min=1), help="A question of about so many tokens.")
@click.option("--image", is_flag=True, help="A question with a picture.")
@click.option("--tools", is_flag=True, help="A question with tools.")
@click.option("--schema", is_flag=True, help="An answer that must fit a JSON Schema.")
@click.option("--fallback", "fallbacks", metavar="REF", multiple=True, help="A model to try when the others fail.")
@json_option
@pass_context
def why(context: Context, /, ref: str, fallbacks: tuple[str, ...], as_json: bool, **asked: Any) -> None:
    """Say which models a question to REF would go to, in which order, and why not to others.

    REF is provider/model, an alias or a route; without it the default. Nothing is sent, and no
    reference to a secret is followed. The plan is the one a real question gets.

    \b
      jackfield models why
      jackfield models why fast --image --tokens 50000
    """
    context.tell_warnings()
    tell_plan(context, make_example(ref, Example(**asked)), as_json=as_json, fallbacks=fallbacks)


def tell_plan(
    context: Context,
    request: ChatRequest,
    *,
    as_json: bool,
    **how: Any,
) -> None:
    """Print the plan of a request; `how` it is asked, as for `AsyncClient.plan`."""
    import asyncio

    told = asyncio.run(_explain(context, request, how))
    if as_json:
        ui.as_json({"ok": True, **told})
        return
    ui.out("\n".join(_head(told)))
    if told["candidates"]:
        ui.out()
        ui.table(HEADER, [*_rows(told["candidates"])])
    if told["skipped"]:
        ui.out()
        ui.table(("Not asked", "Credential", "Why"), [_skipped_cells(each) for each in told["skipped"]])
    for warning in told["warnings"]:
        ui.warn(warning)


async def _explain(context: Context, request: ChatRequest, how: dict[str, Any]) -> JsonObject:
    async with context.open_client() as client:
        return client.explain(request, **how)


# -- for a person --------------------------------------------------------------------


def _head(told: JsonObject) -> Iterator[str]:
    yield f"{told['requested']}: {' → '.join(told['resolved'])}"
    needs = told["needs"]
    size = f"about {needs['inputTokens']:,} tokens"
    yield f"Question: {', '.join([size, *needs['files'], *(name for name in ('tools', 'schema') if needs[name])])}"
    yield f"If the reply breaks off in the middle: {BREAKS[told['onStreamBreak']]}"


def _rows(candidates: Sequence[JsonObject]) -> Iterator[tuple[str, ...]]:
    places = Counter((each["model"], each["credential"]) for each in candidates)
    for number, each in enumerate(candidates, 1):
        # Several keys in one place: their marks tell them apart.
        is_only = places[each["model"], each["credential"]] == 1
        yield _cells(number, each, each["credential"] if is_only else each["credentialId"])


def _cells(number: int, each: JsonObject, credential: str | None) -> tuple[str, ...]:
    notes = [each["reason"], *each["doubts"], *(["failed lately, may be tried again"] if each["halfOpen"] else [])]
    price = each["price"]
    return (
        str(number),
        each["model"],
        _cost(each["costUsd"]),
        price["input"] or "?",
        price["output"] or "?",
        _number(each["contextWindow"]),
        each["privacy"],
        credential or "-",
        "; ".join(notes),
    )


def _cost(usd: JsonObject) -> str:
    """Return what the question costs with the shortest answer and with the longest."""
    if None in usd.values():
        return "?"
    # Two digits: it is an estimate.
    least, most = (Decimal(f"{Decimal(usd[name]):.2g}") for name in ("least", "most"))
    return f"{shown(least)} to {shown(most)}" if most else shown(most)


def _skipped_cells(each: JsonObject) -> tuple[str, ...]:
    rests = each["secondsLeft"]
    left = f"; for another {say_span(rests)}" if rests is not None else ""
    return each["model"], each["credential"] or "-", f"{each['reason']}{left}"


def _number(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
