"""A gateway on a free port, on a thread of its own, before scripted providers on other ports."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from uvicorn import Server as Uvicorn

from jackfield.client import AsyncClient
from jackfield.credential import Secret
from jackfield.gateway.access import Access, Stores
from jackfield.gateway.door import Places
from jackfield.gateway.gateway import Gateway
from jackfield.gateway.parts import Clock, Parts, Settings
from jackfield.gateway.record import Finished
from jackfield.gateway.server import configure
from jackfield.routing.walk import Pulse
from jackfield.transport.listen import address_of, open_listener
from tests.patience import PATIENCE_S, await_true

TOKEN = "gw-0123456789abcdef"
DEFAULTS = Settings()


class Server(Uvicorn):
    """uvicorn, but it looks every few milliseconds whether it is to end, as hundreds of tests tell it."""

    async def main_loop(self) -> None:
        """Run until told to end."""
        while not await self.on_tick(0):  # noqa: ASYNC110  uvicorn's own word for its end is a flag
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Answer:
    """What came back; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A gateway as its caller sees it, and what it kept of the calls."""

    url: str
    gateway: Gateway
    server: Server
    calls: list[Finished] = field(default_factory=list)
    held: ExitStack = field(default_factory=ExitStack)  # clients, until the gateway ends

    def note(self, call: Finished) -> None:
        self.calls.append(call)

    on_close: Callable[[], object] = lambda: None
    loop: asyncio.AbstractEventLoop | None = None

    def close(self) -> None:
        self.on_close()

    def reload(self) -> None:
        """Give the gateway new parts."""
        assert self.loop
        asyncio.run_coroutine_threadsafe(self.gateway.reload(), self.loop).result(PATIENCE_S)

    def post(self, path: str, body: object, **headers: str | None) -> Answer:
        return self.ask("POST", path, json.dumps(body).encode(), **headers)

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> Answer:
        """Ask with the token unless `authorization` says otherwise; `x_y="z"` becomes `x-y: z`, `None` leaves out."""
        said = {"authorization": f"Bearer {TOKEN}", "content_type": "application/json", **headers}
        head = {name.replace("_", "-"): text for name, text in said.items() if text is not None}
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE_S)
        try:
            connection.request(method, path, body or None, head)
            reply = connection.getresponse()
            return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def last_call(self) -> Finished:
        """Return the last call once none is open: who has its answer may be quicker than who takes note of it."""
        await_true(lambda: self.calls and not self.gateway.open, "a finished call")
        return self.calls[-1]


def provider(url: str, api: str = "openai-completions", **more: Any) -> dict[str, Any]:
    """Return a provider's entry in the config."""
    return {"baseUrl": url, "api": api, "apiKey": "sk-up-0123456789", "models": [{"id": "m"}], **more}


def configured(*, primary: str = "box/m", routes: Any = None, **providers: Any) -> dict[str, Any]:
    """Return a config with these providers."""
    models: dict[str, Any] = {"providers": providers}
    if routes:
        models["routes"] = routes
    return {"agents": {"defaults": {"model": {"primary": primary}}}, "models": models}


@contextmanager
def running(
    config: Mapping[str, Any],
    *,
    stores: Stores | None = None,
    settings: Settings = DEFAULTS,
    change: Callable[[Parts], None] = lambda _: None,
    pulse: Pulse | None = None,
) -> Iterator[Running]:
    """Run a gateway until the block ends."""
    listener = open_listener("127.0.0.1", 0)
    ids = iter(range(10**6))
    seconds, now_ms = (pulse.clock, pulse.now_ms) if pulse else (time.monotonic, lambda: time.time_ns() // 10**6)
    clock = Clock(now_ms, seconds, lambda: f"req-{next(ids)}")
    found: list[Running] = []

    async def build() -> Parts:
        found[0].loop = asyncio.get_running_loop()
        access = await Access.open(stores or Stores(token=Secret(TOKEN), anyone=settings.is_open))
        parts = Parts(client=AsyncClient(config, pulse=pulse), access=access, settings=settings, listeners=found)
        change(parts)
        return parts

    places = Places("127.0.0.1", (), is_open=settings.is_open)
    gateway = Gateway(build, places, clock)
    server = Server(configure(gateway, drain_s=5))
    found.append(Running(address_of(listener), gateway, server))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    await_true(lambda: server.started or not thread.is_alive(), "the gateway")
    assert server.started
    try:
        with found[0].held:
            yield found[0]
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        listener.close()


def home() -> str:
    """Return the test's own home."""
    return os.environ["HOME"]
