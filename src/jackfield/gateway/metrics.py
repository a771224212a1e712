"""What the gateway has done so far, in numbers, as Prometheus reads them (text format 0.0.4).

Written by hand: a number is an entry of one table, so that those of several processes add up, and
the page is made only when asked for. Every label comes from a set that ends: models beyond the
first few hundred, which callers may make up, count together as `other`.
"""

from __future__ import annotations

import platform
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from jackfield import __version__
from jackfield.catalog.price import as_nanos
from jackfield.gateway.record import Finished

BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
MOST_MODELS = 300
LONGEST_NAME = 120
TOGETHER = 64  # calls that are counted at once
OTHER = "other"
TOKENS = ("input", "output", "cache_read", "cache_write")

Key = tuple[str, ...]  # the family's name, its labels' values; of a histogram, the place of the bucket or `sum`
Numbers = Mapping[Key, int | float]


class Family(Struct, frozen=True):
    """One name of the page."""

    kind: str
    told: str
    labels: tuple[str, ...] = ()
    unit: float = 1  # of one in the table
    is_shared: bool = False  # all processes see the same number, so it is not added up


FAMILIES = {
    "jackfield_build_info": Family("gauge", "The version that runs.", ("version", "python"), is_shared=True),
    "jackfield_processes": Family("gauge", "Workers that serve."),
    "jackfield_requests_total": Family(
        "counter",
        "Calls, by the caller's protocol, what was asked, who answered and how they ended.",
        ("wire", "kind", "model", "outcome"),
    ),
    "jackfield_refusals_total": Family("counter", "Requests that were not let in, by why.", ("reason",)),
    "jackfield_attempts_total": Family("counter", "Tries of models, by how they ended.", ("model", "outcome")),
    "jackfield_tokens_total": Family("counter", "Tokens, by model and kind.", ("model", "kind")),
    "jackfield_cost_usd_total": Family(
        "counter", "What calls cost, by model, where the price is known.", ("model",), 1e-9
    ),
    "jackfield_cache_total": Family("counter", "Calls that the cache was asked about, by what it had.", ("result",)),
    "jackfield_request_seconds": Family("histogram", "How long calls took.", ("wire",)),
    "jackfield_first_piece_seconds": Family("histogram", "How long streams took to begin.", ("wire",)),
    "jackfield_open_requests": Family("gauge", "Requests that are being answered now."),
    "jackfield_open_streams": Family("gauge", "Answers that are being streamed now."),
    "jackfield_rests": Family(
        "gauge", "Models, credentials and providers that failed and are not asked for now.", is_shared=True
    ),
    "jackfield_ledger_waiting": Family("gauge", "Rows that are not in the ledger yet."),
    "jackfield_ledger_dropped_total": Family(
        "counter", "Rows that were given up because the ledger's database was away for long."
    ),
    "jackfield_config_reloads_total": Family(
        "counter", "Readings of a changed config, by how they ended.", ("outcome",)
    ),
    "jackfield_config_refused": Family(
        "gauge", "1 while the config on disk cannot be used and an older one holds.", is_shared=True
    ),
}


class _Tally:
    """What calls that are alike have come to."""

    __slots__ = ("calls", "places", "seconds", "tokens", "usd")

    def __init__(self) -> None:
        self.calls = 0
        self.usd = Decimal(0)
        self.tokens = [0] * len(TOKENS)
        self.seconds = 0.0
        self.places = [0] * (len(BUCKETS_S) + 1)

    def add(self, call: Finished) -> None:
        self.calls += 1
        seconds, usage, tokens = call.ms / 1000, call.usage, self.tokens
        self.seconds += seconds
        self.places[bisect_left(BUCKETS_S, seconds)] += 1
        tokens[0] += usage.input or 0
        tokens[1] += usage.output or 0
        if usage.cache_read or usage.cache_write:
            tokens[2] += usage.cache_read or 0
            tokens[3] += usage.cache_write or 0
        if call.cost_usd:
            self.usd += call.cost_usd

    def numbers(self, wire: str, kind: str, model: str, outcome: str) -> Iterator[tuple[Key, int | float]]:
        yield ("jackfield_requests_total", wire, kind, model, outcome), self.calls
        yield ("jackfield_request_seconds", wire, "sum"), self.seconds
        for place, calls in enumerate(self.places):
            yield ("jackfield_request_seconds", wire, str(place)), calls
        for name, tokens in zip(TOKENS, self.tokens, strict=True):
            yield ("jackfield_tokens_total", model, name), tokens
        yield ("jackfield_cost_usd_total", model), as_nanos(self.usd)


class Metrics:
    """Counts calls; one per process."""

    def __init__(self) -> None:
        self._is_refused = False
        self._numbers: dict[Key, int | float] = {}
        self._tallies: dict[tuple[str, str, str, str], _Tally] = {}
        self._models: set[str] = set()
        self._calls: list[Finished] = []  # not counted yet

    def note(self, call: Finished) -> None:
        """Count a call, together with others: code that runs often in a row takes a third of the time."""
        self._calls.append(call)
        if len(self._calls) >= TOGETHER:
            self._count_calls()

    def _count_calls(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            self._count(call)

    def _count(self, call: Finished) -> None:
        model = self._bounded(call.model)
        alike = call.wire, call.kind, model, call.outcome
        tally = self._tallies.get(alike)
        if tally is None:
            tally = self._tallies[alike] = _Tally()
        tally.add(call)
        if call.first_ms is not None:
            self._time_first(call.wire, call.first_ms / 1000)
        for each in call.attempts:
            if each.ms is not None:
                self._add(("jackfield_attempts_total", self._bounded(each.model), each.reason or "ok"))
        if call.cache:
            self._add(("jackfield_cache_total", call.cache))

    def note_refusal(self, reason: str) -> None:
        """Count a request that was not let in."""
        self._add(("jackfield_refusals_total", reason))

    def note_reload(self, *, failed: bool) -> None:
        """Count a reading of the config."""
        self._is_refused = failed
        self._add(("jackfield_config_reloads_total", "failed" if failed else "ok"))

    def numbers(self, gauges: Mapping[str, int]) -> dict[Key, int | float]:
        """Return all numbers of this process; `gauges` are those that others count."""
        self._count_calls()
        counted = {(name,): number for name, number in gauges.items()}
        told: dict[Key, int | float] = {
            ("jackfield_build_info", __version__, platform.python_version()): 1,
            ("jackfield_processes",): 1,
            ("jackfield_config_refused",): int(self._is_refused),
        }
        found = self._numbers.copy()
        for alike, tally in self._tallies.items():
            for key, number in tally.numbers(*alike):
                if number:
                    found[key] = found.get(key, 0) + number
        return found | told | counted

    def _add(self, key: Key, number: float = 1) -> None:
        self._numbers[key] = self._numbers.get(key, 0) + number

    def _time_first(self, wire: str, seconds: float) -> None:
        name = "jackfield_first_piece_seconds"
        self._add((name, wire, str(bisect_left(BUCKETS_S, seconds))))
        self._add((name, wire, "sum"), seconds)

    def _bounded(self, model: str) -> str:
        if model in self._models:
            return model
        if len(self._models) >= MOST_MODELS or len(model) > LONGEST_NAME:
            return OTHER
        self._models.add(model)
        return model


def add_up(processes: Iterable[Numbers]) -> dict[Key, int | float]:
    """Return the numbers of several processes as one's."""
    summed: dict[Key, int | float] = {}
    for numbers in processes:
        for key, number in numbers.items():
            known = summed.get(key, 0)
            family = FAMILIES.get(key[0])
            summed[key] = max(known, number) if family is not None and family.is_shared else known + number
    return summed


def render(numbers: Numbers) -> bytes:
    """Write the page."""
    of_family: dict[str, dict[Key, int | float]] = {name: {} for name in FAMILIES}
    for (name, *labels), number in numbers.items():
        if name in of_family:
            of_family[name][tuple(labels)] = number
    return "\n".join([*_lines(of_family), ""]).encode()


def _lines(of_family: Mapping[str, Mapping[Key, int | float]]) -> Iterator[str]:
    for name, family in FAMILIES.items():
        yield f"# HELP {name} {family.told}"
        yield f"# TYPE {name} {family.kind}"
        found = of_family[name]
        if family.kind == "histogram":
            for wire in sorted({wire for wire, _ in found}):
                yield from _histogram(name, wire, found)
        else:
            for labels, number in found.items():
                yield f"{name}{_labels(family.labels, labels)} {_number(number, family.unit)}"


def _histogram(name: str, wire: str, found: Mapping[Key, int | float]) -> Iterator[str]:
    label, total = f'wire="{_escape(wire)}"', 0.0
    for place, limit in enumerate((*(f"{limit:g}" for limit in BUCKETS_S), "+Inf")):
        total += found.get((wire, str(place)), 0)
        yield f'{name}_bucket{{{label},le="{limit}"}} {total:g}'
    yield f"{name}_sum{{{label}}} {found.get((wire, 'sum'), 0):.6f}"
    yield f"{name}_count{{{label}}} {total:g}"


def _number(number: float, unit: float) -> str:
    return f"{number * unit:.9f}" if unit != 1 else str(number)


def _labels(names: tuple[str, ...], values: Key) -> str:
    said = ",".join(f'{name}="{_escape(text)}"' for name, text in zip(names, values, strict=True))
    return f"{{{said}}}" if said else ""


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
