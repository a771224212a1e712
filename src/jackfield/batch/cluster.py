"""The same rows on a Ray cluster: each actor asks with a client of its own, this process alone writes the output.

Rows go out in waves, so that neither this process nor the cluster ever holds the whole input.
A node reads config and keys of its own: no secret passes through Ray. Needs the extra `ray`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from math import ceil
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.app import App
from jackfield.batch.job import Asking, Job
from jackfield.batch.output import Output
from jackfield.batch.record import Record
from jackfield.batch.row import parse_row
from jackfield.batch.run import SYNC_S
from jackfield.batch.source import Line
from jackfield.client import AsyncClient
from jackfield.errors import AuthError, ConfigError, ConnectError, Error, OverBudget

PER_ACTOR = 32  # rows that one actor asks at a time before another is worth its start
ROUNDS = 4  # of its rows at a time, an actor gets at once: what a crash asks again
WAVE_ROWS, WAVE_BYTES = 10_000, 128 * 1024 * 1024  # an actor's start, some seconds, is paid once a wave


class Setup(Struct, frozen=True, kw_only=True):
    """What an actor is told: how to ask, and where its own node's config is."""

    asking: Asking
    home: str | None = None  # else as its node's environment says
    config_path: str | None = None
    offline: bool = False
    max_cost_usd: Decimal | None = None  # of one actor in one wave


class Sheet(Struct, frozen=True):
    """What an actor gives back for its rows; those that are missing were not asked."""

    records: tuple[Record, ...] = ()
    kind: str = ""  # of the error that stopped it
    why: str = ""
    hint: str = ""


class Asker:
    """An actor: a client that lives as long as a wave."""

    def __init__(self, setup: Setup) -> None:
        self._asking = setup.asking
        self._runner = asyncio.Runner()
        app = App(config_path=setup.config_path, offline=setup.offline)
        app.max_cost_usd = setup.max_cost_usd
        self._client: AsyncClient = self._runner.run(_open(app))

    def __call__(self, table: Any) -> Any:
        """Ask a table's rows; return a table of one sheet."""
        columns = table.to_pydict()
        sheet = self._runner.run(self._ask(zip(columns["number"], columns["raw"], strict=True)))
        return type(table).from_pydict({"sheet": [msgspec.msgpack.encode(sheet)]})

    async def _ask(self, lines: Iterable[Line]) -> Sheet:
        records = list[Record]()
        rows = (parse_row(number, raw, self._asking.model) for number, raw in lines)
        job = Job(self._client, rows, records.append, self._asking)
        await job.run()
        why = (job.why.type, job.why.message, job.why.hint) if job.why else ()
        return Sheet(tuple(records), *why)


async def _open(app: App) -> AsyncClient:
    return app.open_client()


class Cluster:
    """A cluster that is connected to, and what it has been asked so far."""

    def __init__(self, ray: Any, setup: Setup, concurrency: int) -> None:
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self.actors = min(cpus, ceil(concurrency / PER_ACTOR))
        self._each = ceil(concurrency / self.actors)
        self._ray = ray
        self._setup = replace(setup, asking=replace(setup.asking, concurrency=self._each))

    def ask(self, lines: Sequence[Line], left_usd: Decimal | None) -> Iterator[Sheet]:
        """Yield what becomes of a wave of rows, as it comes; all of it costs `left_usd` at most."""
        size = self._each * ROUNDS
        share = None if left_usd is None else left_usd / self.actors
        items = [{"number": number, "raw": raw} for number, raw in lines]
        asked = self._ray.data.from_items(items, override_num_blocks=ceil(len(items) / size)).map_batches(
            Asker,
            fn_constructor_args=(replace(self._setup, max_cost_usd=share),),
            batch_format="pyarrow",
            batch_size=size,
            num_cpus=1,
            compute=self._ray.data.ActorPoolStrategy(size=self.actors),
        )
        for row in asked.iter_rows():
            yield msgspec.msgpack.decode(row["sheet"], type=Sheet)


def ask_on_cluster(
    lines: Iterable[Line], output: Output, setup: Setup, address: str, tell: Callable[[Record], None]
) -> Error | None:
    """Ask the lines on the cluster at an address, `local` for one of this machine's own; return what stopped it.

    Raises `ConfigError` without the extra, or when the cluster cannot be reached or breaks.
    """
    spent, synced = Decimal(0), time.monotonic()
    with _connected(address, setup) as ray:
        cluster = Cluster(ray, setup, setup.asking.concurrency)
        for wave in _waves(lines):
            wanted = {number for number, _ in wave}
            left_usd = None if setup.max_cost_usd is None else max(Decimal(0), setup.max_cost_usd - spent)
            why: Error | None = None
            for sheet in cluster.ask(wave, left_usd):
                for record in sheet.records:
                    spent += record.cost_usd or 0
                    # Ray runs a task again whose node was lost; what came twice counts once.
                    if record.place.line in wanted:
                        wanted.remove(record.place.line)
                        output.append(record)
                        tell(record)
                why = _as_error(sheet) if sheet.kind else why
                if time.monotonic() - synced > SYNC_S:
                    output.sync()
                    synced = time.monotonic()
            if why is not None:
                return why
    return None


def _as_error(sheet: Sheet) -> Error:
    kinds: dict[str, type[Error]] = {"billing": OverBudget, "auth": AuthError, "connection": ConnectError}
    return kinds.get(sheet.kind, ConfigError)(sheet.why, hint=sheet.hint)


def _waves(lines: Iterable[Line]) -> Iterator[list[Line]]:
    wave, size = list[Line](), 0
    for line in lines:
        wave.append(line)
        size += len(line[1])
        if len(wave) >= WAVE_ROWS or size >= WAVE_BYTES:
            yield wave
            wave, size = [], 0
    if wave:
        yield wave


@contextmanager
def _connected(address: str, setup: Setup) -> Iterator[Any]:
    try:
        # What is missing is told of in one line; nobody else pays for the import.
        import ray  # noqa: PLC0415
        import ray.data  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("Ray is not installed", hint="pip install 'jackfield[ray]'") from error
    home = {"env_vars": {"JACKFIELD_HOME": setup.home}} if setup.home else None
    more = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, runtime_env=home, logging_level="error", log_to_driver=False, **more)
    except (ConnectionError, OSError, ValueError) as error:
        hint = "where it wants a token: RAY_AUTH_MODE=token, and the cluster's token as Ray's own tools find it"
        raise ConfigError(f"cannot reach a Ray cluster at {address}: {error}", hint=hint) from error
    # What it does is told by who asked for it.
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield ray
    except ray.exceptions.RayError as error:
        raise ConfigError(f"the Ray cluster broke: {str(error).splitlines()[0]}") from error
    finally:
        ray.shutdown()
