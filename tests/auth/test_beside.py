"""Credentials that take their time, looked up while other requests of the same loop go on."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from jackfield.auth.beside import Lookups
from jackfield.auth.resolve import resolve
from jackfield.auth.secret import forget_commands
from jackfield.auth.store import FileStore
from jackfield.config.paths import locate
from jackfield.config.schema import Config
from jackfield.credential import Profile, RequestAuth, Secret, SecretRef
from jackfield.errors import MissingKey
from jackfield.model import ProviderInfo

NOW = 1_700_000_000_000
INFO = ProviderInfo(id="box", base_url="https://box.example/v1")


class Setup:
    """One provider whose key a command tells, after a while."""

    def __init__(self, folder: Path, command: str) -> None:
        self.config = Config(paths=locate({"JACKFIELD_HOME": str(folder)}))
        self.store = FileStore(folder / "auth-profiles.json")
        ref = SecretRef("exec", shlex.join([sys.executable, "-c", command]))
        profile = Profile(id="box:a", provider="box", type="api_key", secret=Secret(""), ref=ref)
        self.store.modify(profile.id, lambda _: profile)
        self.lookups = Lookups(self.config, self.store)
        self.asked = folder / "asked"

    async def find(self) -> RequestAuth:
        return await self.lookups.find(INFO, partial(resolve, INFO, self.config, self.store, NOW))


def slow(folder: Path, key: str = "k") -> Setup:
    """Return a command that takes a while and counts how often it was asked."""
    mark = f"open({str(folder / 'asked')!r}, 'a').write('.')"
    return Setup(folder, f"import time; {mark}; time.sleep(0.6); print({key!r})")


async def longest_gap(work: asyncio.Future[object]) -> float:
    """Return the longest time for which the loop did nothing else while some work ran."""
    gap, last = 0.0, time.monotonic()
    while not work.done():
        await asyncio.sleep(0.01)
        gap, last = max(gap, time.monotonic() - last), time.monotonic()
    return gap


async def test_a_slow_command_holds_no_other_request_up(tmp_path: Path) -> None:
    setup = slow(tmp_path)
    work = asyncio.ensure_future(setup.find())
    assert await longest_gap(work) < 0.4
    assert work.result().secret == Secret("k")


async def test_many_requests_wait_for_one_look_up_and_later_ones_not_at_all(tmp_path: Path) -> None:
    setup = slow(tmp_path)
    found = await asyncio.gather(*(setup.find() for _ in range(20)))
    assert {auth.secret for auth in found} == {Secret("k")}
    begun = time.monotonic()
    await setup.find()
    assert time.monotonic() - begun < 0.4
    assert setup.asked.read_text(encoding="utf-8") == "."


async def test_who_leaves_takes_the_answer_from_nobody(tmp_path: Path) -> None:
    setup = slow(tmp_path)
    first, second = asyncio.ensure_future(setup.find()), asyncio.ensure_future(setup.find())
    await asyncio.sleep(0.1)
    first.cancel()
    assert (await second).secret == Secret("k")
    assert setup.asked.read_text(encoding="utf-8") == "."


async def test_a_command_that_fails_is_the_error_of_all_who_waited_and_is_asked_again(tmp_path: Path) -> None:
    setup = Setup(tmp_path, "raise SystemExit(3)")
    for _ in range(2):
        failed = await asyncio.gather(setup.find(), setup.find(), return_exceptions=True)
        assert [type(each) for each in failed] == [MissingKey, MissingKey]
        assert "ended with code 3" in str(failed[0])


async def test_what_is_at_hand_is_found_without_a_thread(tmp_path: Path) -> None:
    setup = Setup(tmp_path, "")
    setup.store.modify("box:a", lambda _: Profile(id="box:a", provider="box", type="api_key", secret=Secret("plain")))
    assert not setup.lookups.may_wait(INFO)
    assert (await setup.find()).secret == Secret("plain")


def test_a_loop_that_ends_waits_for_no_command(tmp_path: Path) -> None:
    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow(tmp_path).find(), 0.1)

    begun = time.monotonic()
    asyncio.run(leave())
    assert time.monotonic() - begun < 0.9


async def test_a_refused_secret_is_asked_for_again_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = slow(tmp_path / "one", "k1"), slow(tmp_path / "two", "k2")
    refused, _ = await asyncio.gather(one.find(), two.find())
    forget_commands(refused.secret)
    assert [setup.lookups.may_wait(INFO) for setup in (one, two)] == [True, False]
    forget_commands()
    assert two.lookups.may_wait(INFO)
