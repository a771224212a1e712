"""Spans and metrics by OpenTelemetry's conventions for generative AI (extra `otel`); none unless the environment asks.

A call is a span, and each of its tries another below it. A caller's `traceparent` is continued, and
providers get ours. What was asked and answered is in none of them, whatever opt-in is set.
(https://opentelemetry.io/docs/specs/semconv/gen-ai/, read 2026-11-21)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from jackfield.gateway.parts import Visit
from jackfield.gateway.record import Finished
from jackfield.message import Attempt, Usage
from jackfield.transport.reply import HttpReply, Sender
from jackfield.transport.request import HttpRequest

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, Meter
    from opentelemetry.trace import Span, Tracer

# What is asked → the conventions' word. A count of tokens asks no model.
OPERATIONS = {"chat": "chat", "embed": "embeddings"}
HEADERS = ("traceparent", "tracestate")
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
MS = 1_000_000  # nanoseconds
Attributes = dict[str, str | int | float]


class Sent(Struct, frozen=True):
    """One request that left."""

    at_ns: int
    host: str
    port: int


class Trace(Struct):
    """One call's span while it lasts, and what left for it."""

    span: Any
    headers: Mapping[str, str]
    sent: list[Sent]


CURRENT: ContextVar[Trace | None] = ContextVar("jackfield_trace", default=None)


class Traced:
    """A sender that tells providers which trace a request belongs to."""

    def __init__(self, sender: Sender, now_ms: Any) -> None:
        self.is_live = sender.is_live
        self._sender = sender
        self._now_ms = now_ms

    async def open(self, request: HttpRequest) -> HttpReply:
        """Send a request of a call with the call's trace; any other as it is."""
        trace = CURRENT.get()
        if trace is not None:
            where = urlsplit(request.url)
            port = where.port or (80 if where.scheme == "http" else 443)
            trace.sent.append(Sent(self._now_ms() * MS, where.hostname or "", port))
            request = replace(request, headers={**request.headers, **trace.headers})
        return await self._sender.open(request)

    async def close(self) -> None:
        """Close the sender below."""
        await self._sender.close()


class Telemetry:
    """Makes spans and metrics; one per process."""

    def __init__(self, tracer: Tracer, meter: Meter) -> None:
        # Imported here: who asks for no traces has no package for them.
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._api = trace
        self._propagator = TraceContextTextMapPropagator()
        self._tracer = tracer
        self._duration: Histogram = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "How long a try took.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._tokens: Histogram = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens of a try, sent and answered.",
            explicit_bucket_boundaries_advisory=TOKENS,
        )

    def begin(self, visit: Visit) -> Trace | None:
        """Begin a call's span; it is the current one of the task from now on. `None` where no model is asked."""
        operation = OPERATIONS.get(visit.route.kind)
        if operation is None:
            return None
        given = {name: visit.exchange.header(name.encode()) for name in HEADERS}
        span = self._tracer.start_span(
            operation,
            self._propagator.extract({name: text for name, text in given.items() if text}),
            self._api.SpanKind.SERVER,
            {"gen_ai.operation.name": operation, "jackfield.request.id": visit.exchange.id},
            start_time=visit.came_ms * MS,
        )
        headers: dict[str, str] = {}
        self._propagator.inject(headers, self._api.set_span_in_context(span))
        begun = Trace(span, headers, [])
        CURRENT.set(begun)
        return begun

    def end(self, begun: Trace, call: Finished) -> None:
        """End a call's span, and write those of its tries."""
        CURRENT.set(None)
        span: Span = begun.span
        operation = OPERATIONS[call.kind]
        tried = [each for each in call.attempts if each.ms is not None]
        for each, sent, start_ns in _timed(tried, begun.sent, call.at_ms * MS):
            self._note_try(span, operation, each, sent, start_ns)
        span.update_name(f"{operation} {call.requested}".strip())
        span.set_attributes(
            _known({
                "gen_ai.request.model": call.requested,
                "gen_ai.response.model": call.model,
                "http.response.status_code": call.status or None,
                "jackfield.protocol": call.wire,
                "jackfield.cache": call.cache,
                "jackfield.cost_usd": None if call.cost_usd is None else float(call.cost_usd),
                "gen_ai.response.time_to_first_chunk": None if call.first_ms is None else call.first_ms / 1000,
            })
            | _counted(call.usage)
        )  # fmt: skip
        if call.outcome != "ok":
            self._note_error(span, call.outcome)
        span.end((call.at_ms + call.ms) * MS)

    def _note_try(self, parent: Span, operation: str, tried: Attempt, sent: Sent | None, start_ns: int) -> None:
        provider, _, model = tried.model.partition("/")
        about = _known({
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.response.model": None if tried.reason else model,
            "server.address": sent.host if sent else None,
            "server.port": sent.port if sent else None,
        })  # fmt: skip
        usage = tried.usage or Usage()
        cost = {} if tried.cost_usd is None else {"jackfield.cost_usd": float(tried.cost_usd)}
        span = self._tracer.start_span(
            f"{operation} {model}",
            self._api.set_span_in_context(parent),
            self._api.SpanKind.CLIENT,
            {**about, **_counted(usage), **cost},
            start_time=start_ns,
        )
        if tried.reason:
            about["error.type"] = tried.reason
            self._note_error(span, tried.reason)
        span.end(start_ns + (tried.ms or 0) * MS)
        self._duration.record((tried.ms or 0) / 1000, about)
        for kind, count in (("input", _input(usage)), ("output", usage.output)):
            if count is not None:
                self._tokens.record(count, {**about, "gen_ai.token.type": kind})

    def _note_error(self, span: Span, reason: str) -> None:
        span.set_attribute("error.type", reason)
        span.set_status(self._api.Status(self._api.StatusCode.ERROR))


def _timed(tried: Sequence[Attempt], sent: Sequence[Sent], start_ns: int) -> list[tuple[Attempt, Sent | None, int]]:
    """Return tries with when they began: as their requests left, or else one after the other."""
    if len(sent) == len(tried):
        return [(each, left, left.at_ns) for each, left in zip(tried, sent, strict=True)]
    found: list[tuple[Attempt, Sent | None, int]] = []
    for each in tried:
        found.append((each, None, start_ns))
        start_ns += (each.ms or 0) * MS
    return found


def _input(usage: Usage) -> int | None:
    """Return all that was sent: the conventions count what a cache held, too."""
    counts = [count for count in (usage.input, usage.cache_read, usage.cache_write) if count is not None]
    return sum(counts) if counts else None


def _counted(usage: Usage) -> Attributes:
    return _known({
        "gen_ai.usage.input_tokens": _input(usage),
        "gen_ai.usage.output_tokens": usage.output,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    })  # fmt: skip


def _known(said: Mapping[str, str | float | None]) -> Attributes:
    return {name: value for name, value in said.items() if value is not None and value != ""}
