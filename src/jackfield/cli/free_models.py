"""Free models of an aggregator's list: which come into question, what two small requests show, who is best.

The requests are real and count against the account's quota for free models, so that only the
most promising are asked. Prints nothing, writes nothing.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.errors import Error
from jackfield.message import ChatRequest, ImageBlock, Message, TextBlock, Tool, ToolCall
from jackfield.model import Model

if TYPE_CHECKING:
    from jackfield.client import AsyncClient

FREE_MARK = ":free"
PARAMS = re.compile(r"(?<![\w.])(?:\d+x)?(\d+(?:\.\d+)?)b(?![a-z])", re.IGNORECASE)  # `llama-3.3-70b`, `8x22b`
MAX_TOKENS = 256  # a thinking model needs room before it calls a tool
TOOL = Tool(
    name="report_ready",
    description="Report that you are ready.",
    parameters={"type": "object", "properties": {"ready": {"type": "boolean"}}, "required": ["ready"]},
)
# One red pixel.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


class Probe(Struct, frozen=True, kw_only=True):
    """What one request showed."""

    ok: bool
    ms: int
    error: str = ""


class FreeModel(Struct, frozen=True, kw_only=True):
    """A candidate; `tool` and `image` are `None` where nobody asked."""

    ref: str
    model: Model
    params_b: float | None = None  # billions, as far as its name says
    tool: Probe | None = None
    image: Probe | None = None


class Wanted(Struct, frozen=True, kw_only=True):
    """What the user is looking for."""

    vendor: str = ""  # the part of the id before the slash
    min_params_b: float | None = None
    oldest: date | None = None


def pick_free(rows: Iterable[Model], provider: str, wanted: Wanted) -> list[FreeModel]:
    """Return the free models that are wanted, the most promising first: by abilities, window, size."""
    found = [FreeModel(ref=f"{provider}/{row.id}", model=row, params_b=_params_b(row)) for row in rows]
    return sorted(filter(lambda each: _is_wanted(each, wanted), found), key=promise)


def promise(each: FreeModel) -> tuple[bool, bool, int, float, str]:
    """Return the key that sorts by what a list says: pictures, tools, a large window, size."""
    row = each.model
    return (
        "image" not in defaults.inputs(row),
        row.tools is False,
        -defaults.context_window(row),
        -(each.params_b or 0),
        row.id,
    )


def merit(each: FreeModel) -> tuple[bool, bool, int, int, float]:
    """Return the key that sorts by what the requests showed: tools at all, pictures, speed; then window and size."""
    tool = each.tool if each.tool and each.tool.ok else None
    sees = each.image is not None and each.image.ok
    return (tool is None, not sees, tool.ms if tool else 0, -defaults.context_window(each.model), -(each.params_b or 0))


async def probe_all(
    client: AsyncClient, models: Sequence[FreeModel], *, timeout_s: float, at_once: int
) -> list[FreeModel]:
    """Ask each model for a tool call, and about a picture if it takes any; return them, the best first."""
    room = asyncio.Semaphore(at_once)

    async def ask(each: FreeModel) -> FreeModel:
        async with room:
            tool = await _probe(client, _tool_request(each.ref), timeout_s, wants_call=True)
            sees = "image" in defaults.inputs(each.model)
            image = await _probe(client, _image_request(each.ref), timeout_s) if sees else None
            return replace(each, tool=tool, image=image)

    return sorted(await asyncio.gather(*map(ask, models)), key=merit)


async def _probe(client: AsyncClient, request: ChatRequest, timeout_s: float, *, wants_call: bool = False) -> Probe:
    start = time.monotonic()
    error = ""
    try:
        async with asyncio.timeout(timeout_s):
            reply = await client.chat(request)
        if wants_call and not any(isinstance(block, ToolCall) for block in reply.content):
            error = "called no tool"
    except TimeoutError:
        error = f"no answer within {timeout_s:g} s"
    except Error as failure:
        error = failure.message
    return Probe(ok=not error, ms=round((time.monotonic() - start) * 1000), error=error)


def _tool_request(ref: str) -> ChatRequest:
    question = Message.user("Call the tool report_ready with ready set to true. Answer with nothing else.")
    return ChatRequest(model=ref, messages=[question], tools=[TOOL], max_tokens=MAX_TOKENS)


def _image_request(ref: str) -> ChatRequest:
    question = Message("user", [ImageBlock("image/png", PNG), TextBlock("Reply with OK.")])
    return ChatRequest(model=ref, messages=[question], max_tokens=MAX_TOKENS)


def _is_wanted(each: FreeModel, wanted: Wanted) -> bool:
    row = each.model
    if not row.id.endswith(FREE_MARK) or (wanted.vendor and row.id.partition("/")[0] != wanted.vendor):
        return False
    if wanted.min_params_b is not None and (each.params_b or 0) < wanted.min_params_b:
        return False
    return wanted.oldest is None or bool(row.released and row.released >= wanted.oldest.isoformat())


def _params_b(row: Model) -> float | None:
    sizes = [float(found) for found in PARAMS.findall(f"{row.id} {defaults.name(row)}")]
    return max(sizes, default=None)


def oldest_day(today: date, max_age_days: int | None) -> date | None:
    """Return the first day on which a wanted model may have been released."""
    return today - timedelta(days=max_age_days) if max_age_days is not None else None
