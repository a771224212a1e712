"""`models scan`: find free models on OpenRouter that work, and make them fallbacks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.cli import ask, ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.free_models import FreeModel, Probe, Wanted, oldest_day, pick_free, probe_all
from jackfield.cli.models_set import save
from jackfield.config.save import Edit, Set
from jackfield.errors import Error, ModelNotFound, UsageError
from jackfield.message import JsonObject
from jackfield.setup.choose import DEFAULTS, listed, said

SOURCE = "openrouter"
HEADER = ("Model", "Tool", "Image", "Ctx", "Params")


class Scan(Struct, frozen=True, kw_only=True):
    """What came of a scan."""

    models: Sequence[FreeModel]
    found: int  # how many there are, asked or not
    probed: bool


@click.command("scan")
@click.option(
    "--min-params",
    type=click.FloatRange(min=0, min_open=True),
    metavar="B",
    help="At least B billion parameters, by name.",
)
@click.option("--max-age-days", type=click.IntRange(min=1), metavar="N", help="Released within the last N days.")
@click.option("--provider", metavar="NAME", default="", help="Only models of this maker, such as meta-llama.")
@click.option(
    "--max-candidates",
    type=click.IntRange(min=1),
    default=6,
    show_default=True,
    metavar="N",
    help="How many to ask, and to keep at most.",
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    default=12_000,
    show_default=True,
    metavar="MS",
    help="The longest wait for one request.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 32),
    default=3,
    show_default=True,
    metavar="N",
    help="Requests at the same time.",
)
@click.option("--no-probe", is_flag=True, help="Send no requests; show what the list says.")
@click.option("--yes", is_flag=True, help="Take the best ones without asking.")
@click.option("--no-input", is_flag=True, help="Ask nothing; like --yes.")
@click.option("--set-default", is_flag=True, help="Make the best one the default model, too.")
@click.option("--set-image", is_flag=True, help="Make the best one that sees the image model, too.")
@json_option
@pass_context
def scan(context: Context, /, as_json: bool, **options: Any) -> None:
    """Find free models on OpenRouter that work, and make them fallbacks.

    Reads OpenRouter's list, sends the most promising models two small requests (one for a tool
    call, one with a picture) and lets you choose. Without a key the list alone is shown.
    """
    import asyncio

    if options["no_probe"] and (options["set_default"] or options["set_image"]):
        raise UsageError("--set-default and --set-image need the requests that --no-probe leaves out")
    context.tell_warnings()
    done = asyncio.run(_scan(context, options))
    may_write = done.probed and (options["yes"] or options["no_input"] or (ui.can_ask() and not as_json))
    if not as_json:
        ui.table(HEADER, [_cells(each) for each in done.models])
        for each in done.models:
            _tell_failure(each)
    chosen = _choose(done, options) if may_write else []
    seeing = [each.ref for each in done.models if each.ref in chosen and each.image and each.image.ok]
    if chosen:
        _write(context, chosen, seeing, options)
    if as_json:
        ui.as_json(_render(done, chosen, seeing if chosen else []))
    elif done.probed and not chosen:
        ui.note("nothing was changed: --yes takes the best ones")


# -- looking -----------------------------------------------------------------------


async def _scan(context: Context, options: dict[str, Any]) -> Scan:
    from jackfield.client import AsyncClient

    # Whoever looks for models to allow is not held to those allowed by now.
    config = replace(context.config, allow=None)
    async with AsyncClient(config, store=context.store, offline=context.offline) as client:
        [fresh] = await client.refresh_models([SOURCE])
        if fresh.error and not fresh.head.fetched_at:
            raise fresh.error
        if fresh.error:
            ui.warn(f"{fresh.error.message}; the last list is used")
        offered = {row.id for row in fresh.models}
        rows = (row for row in client.catalog.models(SOURCE) if defaults.wire_id(row) in offered)
        wanted = Wanted(
            vendor=options["provider"].strip().lower(),
            min_params_b=options["min_params"],
            oldest=oldest_day(datetime.now(UTC).date(), options["max_age_days"]),
        )
        found = pick_free(rows, SOURCE, wanted)
        if not found:
            raise ModelNotFound(f"{SOURCE} lists no free model of that kind", hint="ask for less: fewer filters")
        if options["no_probe"] or not _has_key(client):
            return Scan(models=found, found=len(found), probed=False)
        best = found[: options["max_candidates"]]
        if len(best) < len(found):
            ui.note(f"{len(found)} free models; the {len(best)} most promising are asked (--max-candidates)")
        asked = await probe_all(client, best, timeout_s=options["timeout"] / 1000, at_once=options["concurrency"])
        return Scan(models=asked, found=len(found), probed=True)


def _has_key(client: Any) -> bool:
    try:
        client.direct.resolve(client.plan(_any_request()).candidates[0])
    except Error as error:
        ui.note(f"the list alone, no request was sent: {error.message}")
        ui.note(error.hint.splitlines()[0])
        return False
    return True


def _any_request() -> Any:
    from jackfield.message import ChatRequest, Message

    return ChatRequest(model=f"{SOURCE}/auto", messages=[Message.user("Hello")])


# -- choosing ----------------------------------------------------------------------


def _choose(done: Scan, options: dict[str, Any]) -> list[str]:
    working = [each.ref for each in done.models if each.tool and each.tool.ok]
    if not working:
        raise ModelNotFound(
            "none of the models asked called a tool; nothing was changed",
            hint="try again later, or ask more of them: --max-candidates",
        )
    if options["yes"] or options["no_input"]:
        return working
    return ask.pick_many("Fallbacks, in this order", [(ref, ref) for ref in working], working)


def _write(context: Context, chosen: Sequence[str], seeing: Sequence[str], options: dict[str, Any]) -> None:
    def edits(root: JsonObject) -> list[Edit]:
        found = _with_fallbacks(root, "model", chosen)
        if options["set_default"]:
            found = [Set((*DEFAULTS, "model"), {"primary": chosen[0], "fallbacks": list(chosen[1:])})]
        if seeing and options["set_image"]:
            found += [Set((*DEFAULTS, "imageModel"), {"primary": seeing[0], "fallbacks": list(seeing[1:])})]
        return [*found, *(edit for ref in chosen for edit in listed(root, ref))]

    save(context, edits)
    ui.note(f"Fallbacks: {', '.join(chosen[1:] if options['set_default'] else chosen)}")
    if options["set_default"]:
        ui.note(f"Default model: {chosen[0]}")
    if options["set_image"]:
        ui.note(f"Image model: {seeing[0]}" if seeing else "no model that sees was found; the image model stays")


def _with_fallbacks(root: JsonObject, key: str, refs: Sequence[str]) -> list[Edit]:
    path = (*DEFAULTS, key)
    present = said(root, path)
    primary = present.get("primary") if isinstance(present, dict) else present
    return [Set(path, {**({"primary": primary} if primary else {}), "fallbacks": list(refs)})]


# -- showing -----------------------------------------------------------------------


def _cells(each: FreeModel) -> tuple[str, ...]:
    size = f"{each.params_b:g}b" if each.params_b else "-"
    return (
        each.ref,
        _shown(each.tool),
        _shown(each.image),
        f"{round(defaults.context_window(each.model) / 1024)}k",
        size,
    )


def _shown(probe: Probe | None) -> str:
    if probe is None:
        return "-"
    return f"{probe.ms} ms" if probe.ok else "no"


def _tell_failure(each: FreeModel) -> None:
    if each.tool and not each.tool.ok:
        ui.note(f"{each.ref}: {each.tool.error}")


def _render(done: Scan, chosen: Sequence[str], seeing: Sequence[str]) -> JsonObject:
    return {
        "found": done.found,
        "probed": done.probed,
        "selected": list(chosen),
        "selectedImages": list(seeing),
        "results": [
            {
                "model": each.ref,
                "name": defaults.name(each.model),
                "contextWindow": defaults.context_window(each.model),
                "paramsB": each.params_b,
                "input": "+".join(defaults.inputs(each.model)),
                "tool": _render_probe(each.tool),
                "image": _render_probe(each.image),
            }
            for each in done.models
        ],
    }


def _render_probe(probe: Probe | None) -> JsonObject | None:
    return None if probe is None else {"ok": probe.ok, "ms": probe.ms, "error": probe.error or None}
