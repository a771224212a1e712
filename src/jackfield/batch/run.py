"""A job in this process: rows in, lines of the output out, on disk within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from jackfield.batch.job import Asking, Job
from jackfield.batch.output import Output
from jackfield.batch.record import Record
from jackfield.batch.row import parse_row
from jackfield.batch.source import Line
from jackfield.client import AsyncClient

SYNC_S = 1.0  # what a machine that loses power may take back


def make_job(
    client: AsyncClient, lines: Iterable[Line], output: Output, asking: Asking, tell: Callable[[Record], None]
) -> Job:
    """Return the job that asks these lines and writes what becomes of them; `tell` hears of each row once it is written."""

    def deliver(record: Record) -> None:
        output.append(record)
        tell(record)

    return Job(client, (parse_row(number, raw, asking.model) for number, raw in lines), deliver, asking)


async def run_job(job: Job, output: Output) -> None:
    """Run a job to its end, or to where it was stopped."""
    syncing = asyncio.create_task(_sync_often(output))
    try:
        await job.run()
    finally:
        syncing.cancel()
        with suppress(asyncio.CancelledError):
            await syncing


async def _sync_often(output: Output) -> None:
    while True:
        await asyncio.sleep(SYNC_S)
        await asyncio.to_thread(output.sync)
