"""A batch as a person sees it run: how far it is, what Ctrl-C does, what it came to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from jackfield.batch.job import Asking, Job
from jackfield.batch.output import Output
from jackfield.batch.record import Record
from jackfield.batch.run import make_job, run_job
from jackfield.batch.source import Line, Survey
from jackfield.batch.tally import Tally
from jackfield.catalog.price import shown
from jackfield.cli import ui
from jackfield.cli.context import Context
from jackfield.client import REAL
from jackfield.errors import Error

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHORT = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))


class Run:
    """One run of a batch, from its first row to its summary."""

    def __init__(self, context: Context, output: Output, seen: Survey, asking: Asking, limit: int | None) -> None:
        self.tally = Tally()
        self._context = context
        self._output = output
        self._seen = seen
        self._asking = asking
        self._is_limited = limit is not None
        self._length = min(seen.rows - seen.done, limit or seen.rows)
        self._started = time.monotonic()
        self._bar: Any = None
        self._why: Error | None = None
        self._signals = 0

    def ask(self, lines: Iterator[Line], address: str | None) -> None:
        """Ask the lines, here or on the Ray cluster at an address, and write what becomes of them."""
        if self._output.torn:
            ui.note("a row that was half written when the last run ended is asked again")
        if self._seen.done:
            ui.note(f"{self._seen.done} of {ui.count(self._seen.rows, 'row')} are in {self._output.path} already")
        with self._shown():
            if address:
                self._ask_cluster(lines, address)
            else:
                asyncio.run(self._ask_here(lines))

    async def _ask_here(self, lines: Iterator[Line]) -> None:
        # Not the clock that tells of waits: with many rows under way they are no news.
        async with self._context.open_client(REAL) as client:
            job = make_job(client, lines, self._output, self._asking, self._feed)
            running = asyncio.ensure_future(run_job(job, self._output))
            with self._stoppable(job, running), suppress(asyncio.CancelledError):
                await running
        self._why = job.why

    def _ask_cluster(self, lines: Iterator[Line], address: str) -> None:
        from jackfield.batch.cluster import Setup, ask_on_cluster

        context = self._context
        # Ray tells its makers who uses it unless somebody objects.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        setup = Setup(
            asking=self._asking,
            home=context.environ.get("JACKFIELD_HOME"),
            config_path=str(Path(context.config_path).resolve()) if context.config_path else None,
            offline=context.offline,
            max_cost_usd=context.max_cost_usd,
        )
        try:
            self._why = ask_on_cluster(lines, self._output, setup, address, self._feed)
        except KeyboardInterrupt:
            self._signals = 1

    def _feed(self, record: Record) -> None:
        self.tally.feed(record)
        if self._bar is not None:
            self._bar.update(1, self.tally)

    # -- while it runs -----------------------------------------------------------------

    @contextmanager
    def _shown(self) -> Iterator[None]:
        if not ui.is_terminal(sys.stderr):
            yield
            return
        with click.progressbar(
            length=self._length, label="rows", file=sys.stderr, show_pos=True, item_show_func=self._describe
        ) as self._bar:
            yield
        self._bar = None

    def _describe(self, tally: Tally | None) -> str:
        if tally is None:
            return ""
        rate = tally.rows / max(time.monotonic() - self._started, 0.001)
        failed = f" · {tally.failed} failed" if tally.failed else ""
        tokens = _short(tally.input + tally.output)
        return f"{tally.answered} ok{failed} · {tokens} tokens · {shown(tally.cost_usd)} · {rate:.1f}/s"

    @contextmanager
    def _stoppable(self, job: Job, running: asyncio.Future[None]) -> Iterator[None]:
        """Have the first Ctrl-C end the job when its open rows are done, the second at once."""

        def stop() -> None:
            self._signals += 1
            if self._signals > 1:
                running.cancel()
                return
            job.stop()
            ui.note(f"\nfinishing {ui.count(job.flying, 'row')} under way; Ctrl-C again stops at once")

        loop = asyncio.get_running_loop()
        # Windows has no such handlers: there the first Ctrl-C stops at once.
        with suppress(NotImplementedError):
            for each in SIGNALS:
                loop.add_signal_handler(each, stop)
        try:
            yield
        finally:
            with suppress(NotImplementedError):
                for each in SIGNALS:
                    loop.remove_signal_handler(each)

    # -- at the end --------------------------------------------------------------------

    def tell(self, *, as_json: bool) -> int:
        """Print what the run came to; return how the command ends."""
        tally, left = self.tally, self._seen.rows - self._seen.done - self.tally.rows
        failed = self._output.failed + tally.failed
        is_whole = failed == 0 and self._why is None and (left == 0 or self._is_limited)
        code = 130 if self._signals else 0 if is_whole else 1
        if as_json:
            ui.as_json({"ok": code == 0, **self._summary(left)})
            return code
        self._tell_person(left, failed)
        return code

    def _summary(self, left: int) -> dict[str, Any]:
        tally = self.tally
        return {
            "rows": self._seen.rows,
            "answered": tally.answered,
            "failed": tally.failed,
            "failures": dict(tally.failures.most_common()),
            "before": {"rows": self._seen.done, "failed": self._output.failed},
            "left": left,
            "usage": {"input": tally.input, "output": tally.output},
            "costUsd": tally.cost_usd,
            "unpriced": tally.unpriced,
            "seconds": round(time.monotonic() - self._started, 3),
            "output": str(self._output.path),
            "stopped": "interrupted" if self._signals else None,
            **({"error": ui.render_error(self._why)} if self._why else {}),
        }

    def _tell_person(self, left: int, failed: int) -> None:
        tally, seconds = self.tally, time.monotonic() - self._started
        if self._why is not None:
            ui.note(f"stopped: {self._why.message}")
        unpriced = f" ({tally.unpriced} without a known price)" if tally.unpriced else ""
        ui.out(
            f"{tally.answered} answered, {tally.failed} failed, {left} left · {_short(tally.input)} tokens in, "
            f"{_short(tally.output)} out · {shown(tally.cost_usd)}{unpriced} · {seconds:.1f} s"
        )
        for kind, number in tally.failures.most_common():
            ui.note(f"  {number} × {kind}")
        if left:
            ui.note("run the same command again to go on with the rows that are left")
        if failed:
            ui.note(f"{ui.count(failed, 'row')} in {self._output.path} failed: --retry-failed asks them again")
        if self._why is not None and self._why.hint:
            ui.note(self._why.hint)


def _short(number: int) -> str:
    return next((f"{number / size:.1f}{unit}" for size, unit in SHORT if number >= size), str(number))
