"""Where a name leads when nothing has to be weighed: one credential, the caller's own wire, a server that takes it as it is.

Found once and kept for a second, so that a plan, a credential and the rendering of headers are
paid for by the first of many requests. Everything that is not plain has no target here and
goes the long way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from msgspec import UNSET, Raw, Struct
from msgspec.structs import asdict, replace

from jackfield.catalog import defaults
from jackfield.client import AsyncClient
from jackfield.credential import RequestAuth
from jackfield.errors import Error
from jackfield.gateway.exchange import TYPED, render_lines
from jackfield.gateway.record import as_name
from jackfield.gateway.wires import GEMINI, RESPONSES
from jackfield.message import ChatRequest, Message
from jackfield.model import Compat
from jackfield.providers.provider import render
from jackfield.routing.candidate import Candidate, Plan
from jackfield.spend.estimate import Rates, find_rates
from jackfield.transport.head import Repeated
from jackfield.transport.request import HttpRequest

OPTIONS = "stream_options"
KEEP_S = 1.0
LONGEST = 64 * 1024  # bytes of a body that need not be weighed against a model's window
MOST = 1000  # names that are remembered
# Pictures, sound and files choose the model that gets them.
MEDIA = re.compile(rb'"(?:image|input_|file|document"|video_url|inline)')
# What a server deviates in → the fields of a body that it matters to. What is not listed matters to every body.
CONCERNS: dict[str, frozenset[str]] = {
    "supports_usage_in_streaming": frozenset(),
    "unsupported_fields": frozenset(),
    "dimensions_field": frozenset(),
    "assistant_prefill": frozenset(),
    "max_tokens_field": frozenset({"max_tokens", "max_completion_tokens"}),
    "seed_field": frozenset({"seed"}),
    "supports_store": frozenset({"store"}),
    "supports_tools": frozenset({"tools"}),
    "supports_parallel_tool_calls": frozenset({"parallel_tool_calls"}),
    "supports_strict_mode": frozenset({"tools", "response_format"}),
    "tool_schema_profile": frozenset({"tools"}),
    "unsupported_tool_schema_keywords": frozenset({"tools"}),
    "supports_temperature": frozenset({"temperature", "top_p"}),
    "supports_top_p_with_temperature": frozenset({"temperature", "top_p"}),
    "supports_stop": frozenset({"stop"}),
    "supports_response_format": frozenset({"response_format"}),
    "supports_prompt_cache_key": frozenset({"prompt_cache_key"}),
    "supports_reasoning_effort": frozenset({"reasoning_effort", "reasoning"}),
    "reasoning_effort_map": frozenset({"reasoning_effort", "reasoning"}),
    "supported_reasoning_efforts": frozenset({"reasoning_effort", "reasoning", "thinking", "generationConfig"}),
    "thinking_format": frozenset({"reasoning_effort", "reasoning", "thinking"}),
    "max_tokens": frozenset({"max_tokens"}),
}  # fmt: skip


def has_media(raw: bytes) -> bool:
    """Tell whether a body may hold more than words."""
    return MEDIA.search(raw) is not None


class Target(Struct, frozen=True):
    """Where a body goes, and what is done to it."""

    candidate: Candidate
    plan: Plan
    ref: str  # who answers
    shown: str  # the same, fit for a line
    requested: str  # by which name it was asked for, fit for a line
    named: Raw  # who answers, for a reply
    lines: str  # of a reply's head
    template: HttpRequest  # everything but the body
    auth: RequestAuth
    rates: Rates | None
    concerns: frozenset[str]  # fields that need the long way
    given: Mapping[str, Raw]  # fields that are sent unless the caller says otherwise

    def takes(self, body: Mapping[str, Raw]) -> bool:
        """Tell whether nothing in a body needs more than another name of the model."""
        return self.concerns.isdisjoint(body)

    def rewrite(self, body: Mapping[str, Raw]) -> HttpRequest:
        """Return the request: the caller's fields as they came, but those that cannot be."""
        sent = {**self.given, **body}
        if "model" in self.given:
            sent["model"] = self.given["model"]
        if OPTIONS in self.given and OPTIONS in body:
            sent[OPTIONS] = _merged(body[OPTIONS], self.given[OPTIONS])
        sent.pop("fallbacks", None)  # our own
        return replace(self.template, body=msgspec.json.encode(sent))


def _merged(said: Raw, ours: Raw) -> Raw:
    both = {**msgspec.json.decode(said), **msgspec.json.decode(ours)}
    return Raw(msgspec.json.encode(both))


class Lane(Struct):
    """Where a name leads for a while; `target=None`: that has to be weighed."""

    requested: str
    until_s: float
    target: Target | None


class Targets:
    """Lanes by name, for a second each."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._kept: dict[tuple[str, str, bool], Lane] = {}

    async def find(self, wire: str, name: str, now_s: float, *, stream: bool) -> Lane:
        """Return where a name leads."""
        key = wire, name, stream
        lane = self._kept.get(key)
        if lane is None or now_s >= lane.until_s:
            try:
                target = await _find(self._client, wire, name, stream=stream)
            except Error:
                target = None  # the long way says what is wrong
            if len(self._kept) >= MOST:
                self._kept.clear()
            lane = self._kept[key] = Lane(name, now_s + KEEP_S, target)
        return lane

    def forget(self) -> None:
        """End every lane: somebody has failed."""
        for lane in self._kept.values():
            lane.until_s = 0.0
        self._kept.clear()


async def _find(client: AsyncClient, wire: str, name: str, *, stream: bool) -> Target | None:
    probe = ChatRequest(model=name, messages=[Message.user("?")], stream=stream)
    made = client.plan(probe)
    first = made.candidates[0]
    if not _is_plain(client, made, wire):
        return None
    candidate = client.direct.taught(first)
    compat = defaults.compat(candidate.model, candidate.info)
    auth = await client.direct.freshen(candidate.info, await client.direct.open_auth(candidate))
    bare = render(probe, candidate.info, candidate.model, auth)
    template = client.plugins.with_headers(bare, str(candidate.ref))
    given = msgspec.json.decode(bare.body, type=dict[str, Raw])
    for own in ("messages", "input", "contents", "stream"):
        given.pop(own, None)
    if template is not bare or client.plugins.hear_attempts or (wire == GEMINI and given):
        return None  # a plugin looks at every body, or hears of every try; fields inside others are not filled in here
    ref = str(candidate.ref)
    return Target(
        candidate=candidate,
        plan=made,
        ref=ref,
        shown=as_name(ref),
        requested=as_name(made.requested),
        named=Raw(msgspec.json.encode(ref)),
        lines=render_lines([("x-jackfield-model", ref), ("x-jackfield-attempts", "1"), TYPED]),
        template=replace(template, headers=Repeated(template.headers)),
        auth=auth,
        rates=find_rates(candidate.info, candidate.model),
        # What the server refuses is left out, which the long way tells the caller.
        concerns=_concerns(compat) | frozenset(compat.unsupported_fields or ()),
        given=given,
    )


def _is_plain(client: AsyncClient, made: Plan, wire: str) -> bool:
    first, *others = made.candidates
    info, model = first.info, first.model
    return not (
        defaults.api(model, info) != wire
        or made.on_break != "error"
        or first.half_open
        or first.last_resort
        or first.missing
        # Several credentials take turns.
        or any(each.ref == first.ref for each in others)
        or (client.config.thinking_default and model.reasoning)
        or (model.effort is not UNSET and model.effort)
        # Local servers leave fields of these events out, which clients count on.
        or (wire == RESPONSES and info.local)
        or client.toll.budget.is_set
        or info.id in {name for name, entry in client.config.providers.items() if entry.pace}
    )


def _concerns(compat: Compat) -> frozenset[str]:
    every = frozenset({"messages", "input", "contents"})
    said = (CONCERNS.get(name, every) for name, value in asdict(compat).items() if value is not None)
    return frozenset[str]().union(*said)
