"""The script behind a door of its own: a server on the loopback, on a thread, until the block ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from threading import Thread

from jackfield.errors import ConfigError, UsageError
from jackfield.scripted.play import End, Step
from jackfield.scripted.script import Script
from jackfield.transport.loopback import Lost, Received, Sent, serve

STOP_S = 5.0


@contextmanager
def open_server(script: Script, port: int = 0) -> Iterator[str]:
    """Serve a script, on any free port unless one is named; yields the address, `http://127.0.0.1:PORT`.

    Raises `ConfigError` when the port is taken.
    """
    started: Future[tuple[str, Callable[[], object]]] = Future()
    thread = Thread(target=lambda: asyncio.run(_run(script, port, started)), name="jackfield-fake", daemon=True)
    thread.start()
    address, stop = started.result()
    try:
        yield address
    finally:
        stop()
        thread.join(STOP_S)


async def _run(script: Script, port: int, started: Future[tuple[str, Callable[[], object]]]) -> None:
    async def answer(received: Received) -> Sent:
        try:
            said = script.answer(received.method, received.target, received.headers, received.body)
        except UsageError as error:
            said = script.refuse(error, received.target)
        if said.steps and isinstance(said.steps[0], End):
            raise Lost(reset=said.steps[0] is End.RESET)
        return Sent(said.status, said.headers, _body(said.steps))

    serving = asyncio.ensure_future(serve(answer, port, lambda address: started.set_result((address, stop))))
    stop = partial(asyncio.get_running_loop().call_soon_threadsafe, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        return
    except ConfigError as error:
        started.set_exception(error)


async def _body(steps: Sequence[Step]) -> AsyncIterator[bytes]:
    for step in steps:
        match step:
            case bytes():
                yield step
            case End():
                raise Lost(reset=step is End.RESET)
            case _:
                await asyncio.sleep(step)
