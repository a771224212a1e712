"""What the gateway has done so far, in numbers, as Prometheus reads them (text format 0.0.4).

Written by hand: a counter is a number in a table, and the page is made only when asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from jackfield.gateway.record import Finished

Labels = tuple[tuple[str, str], ...]
BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
HELP = {
    "jackfield_requests_total": ("counter", "Calls, by the caller's protocol and how they ended."),
    "jackfield_attempts_total": ("counter", "Tries of models, by how they ended."),
    "jackfield_tokens_total": ("counter", "Tokens, by model and kind."),
    "jackfield_cost_usd_total": ("counter", "What calls cost, by model, where the price is known."),
    "jackfield_request_seconds": ("histogram", "How long calls took."),
    "jackfield_first_piece_seconds": ("histogram", "How long streams took to begin."),
    "jackfield_open_requests": ("gauge", "Requests that are being answered now."),
}
TOKENS = ("input", "output", "cache_read", "cache_write")


class Metrics:
    """Counts rows; one per process."""

    def __init__(self) -> None:
        self.open_calls = 0
        self._counts: dict[str, Counter[Labels]] = {
            name: Counter() for name, (kind, _) in HELP.items() if kind == "counter"
        }
        self._times = {name: _Times() for name, (kind, _) in HELP.items() if kind == "histogram"}

    def note(self, call: Finished) -> None:
        """Count a call."""
        self._counts["jackfield_requests_total"][
            ("wire", call.wire), ("kind", call.kind), ("outcome", call.outcome)
        ] += 1
        self._times["jackfield_request_seconds"].note(call.ms / 1000)
        if call.first_ms is not None:
            self._times["jackfield_first_piece_seconds"].note(call.first_ms / 1000)
        for each in call.attempts:
            if each.ms is not None:
                self._counts["jackfield_attempts_total"][("model", each.model), ("outcome", each.reason or "ok")] += 1
        for kind in TOKENS:
            if tokens := getattr(call.usage, kind):
                self._counts["jackfield_tokens_total"][("model", call.model), ("kind", kind)] += tokens
        if call.cost_usd:
            self._counts["jackfield_cost_usd_total"][("model", call.model),] += call.cost_usd  # type: ignore[assignment]  # money is no float

    def render(self) -> bytes:
        """Write the page."""
        return "\n".join([*self._lines(), ""]).encode()

    def _lines(self) -> Iterator[str]:
        for name, (kind, told) in HELP.items():
            yield f"# HELP {name} {told}"
            yield f"# TYPE {name} {kind}"
            if kind == "counter":
                yield from (f"{name}{_labels(labels)} {count}" for labels, count in self._counts[name].items())
            elif kind == "histogram":
                yield from self._times[name].lines(name)
            else:
                yield f"{name} {self.open_calls}"


class _Times:
    def __init__(self) -> None:
        self._buckets = [0] * len(BUCKETS_S)
        self._count = 0
        self._sum = 0.0

    def note(self, seconds: float) -> None:
        self._count += 1
        self._sum += seconds
        for at, limit in enumerate(BUCKETS_S):
            if seconds <= limit:
                self._buckets[at] += 1
                break

    def lines(self, name: str) -> Iterator[str]:
        total = 0
        for limit, count in zip(BUCKETS_S, self._buckets, strict=True):
            total += count
            yield f'{name}_bucket{{le="{limit:g}"}} {total}'
        yield f'{name}_bucket{{le="+Inf"}} {self._count}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {self._count}"


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escape(text)}"' for name, text in labels) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
