"""A client whose every model is a script: no network, no key, none of the user's own files."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import weakref
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from msgspec.structs import replace

from jackfield.client import REAL
from jackfield.config.paths import locate
from jackfield.config.schema import Config, ProviderConfig
from jackfield.errors import ConnectError, StreamBroken
from jackfield.scripted.load import Given
from jackfield.scripted.play import End, Step
from jackfield.scripted.script import Asked, Script
from jackfield.sync import Client
from jackfield.transport.failures import explain_timeout
from jackfield.transport.reply import HttpReply, Told
from jackfield.transport.request import HttpRequest, shown_url
from jackfield.transport.timers import Timers

PROVIDER = "fake"


async def _pass(seconds: float) -> None:
    await asyncio.sleep(0 * seconds)


# What a provider asks a client to wait takes no time in a script.
UNHURRIED = replace(REAL, sleep=_pass)


class FakeTransport:
    """A script in the place of the network: `AsyncClient(config, transport=FakeTransport([…]))`."""

    is_live = False

    def __init__(self, script: Given = None) -> None:
        self.script = Script(script)

    @property
    def requests(self) -> Sequence[Asked]:
        """What was asked, in order."""
        return self.script.requests

    async def open(self, request: HttpRequest) -> HttpReply:
        """Answer by the script; pauses count against the timers, lost connections raise as real ones do."""
        headers = {name: str(value) for name, value in request.headers.items()}
        timers = Timers(request.limits(), asyncio.get_running_loop().time)
        answer = self.script.answer(request.method, request.url, headers, request.body)
        if answer.steps and isinstance(answer.steps[0], End):
            lost = f"the connection was lost before any answer ({answer.steps[0].value})"
            raise ConnectError(f"cannot reach {shown_url(request.url)}: {lost}")
        is_events = "event-stream" in answer.headers.get("content-type", "")
        body = Told(_body(answer.steps, request, timers, is_events=is_events))
        return HttpReply(request, answer.status, answer.headers, body)

    async def close(self) -> None:
        """Do nothing: a script holds nothing."""


class FakeClient(Client):
    """A client over a script; leaving its `with` block raises when replies were not asked for."""

    def __init__(self, script: Given, config: Config | str | Path | Mapping[str, object] | None) -> None:
        self._fake = FakeTransport(script)
        folder = tempfile.mkdtemp(prefix="jackfield-fake-")
        self._sweep = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        super().__init__(_blank(folder) if config is None else config, transport=self._fake, pulse=UNHURRIED)

    @property
    def requests(self) -> Sequence[Asked]:
        """What was asked, in order."""
        return self._fake.requests

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if kind is None:
            self._fake.script.check()

    def close(self) -> None:
        """Close the client and remove its throw-away folder."""
        super().close()
        self._sweep()


def fake(script: Given = None, *, config: Any = None) -> FakeClient:
    """Return a client that answers by a script: a JSON5 file, a list of replies, or nothing for an echo.

    `with jackfield.fake(["Hello"]) as client: client.chat(…)`. Every `provider/model` of the
    catalog answers, and `fake/<anything>`; without `config` none of the user's files is read, and
    nobody is asked twice: a reply that is an error is the caller's.
    """
    return FakeClient(script, config)


def _blank(home: str) -> Config:
    # Any address would do: nothing is sent to it.
    provider = ProviderConfig(id=PROVIDER, base_url="http://127.0.0.1:1/v1", api="openai-completions")
    paths = locate({"JACKFIELD_HOME": home})
    return Config(paths=paths, providers={PROVIDER: provider}, primary=f"{PROVIDER}/model", max_wait_s=0)


async def _body(
    steps: Sequence[Step], request: HttpRequest, timers: Timers, *, is_events: bool
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    for step in steps:
        match step:
            case bytes():
                await asyncio.sleep(0)
                timers.hear(step, is_events=is_events)
                yield step
            case End():
                raise StreamBroken(f"the answer of {shown_url(request.url)} broke off ({step.value})")
            case _:
                timer = timers.next()
                left_s = timer.at - loop.time()
                await asyncio.sleep(max(0.0, min(step, left_s)))
                if step > left_s:
                    raise explain_timeout(timer.name, timer.limit_s, request)
