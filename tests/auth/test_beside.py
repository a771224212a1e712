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
from tests.patience import PATIENCE_S, until

NOW = 1_700_000_000_000
INFO = ProviderInfo(id="box", base_url="https://box.example/v1")


class Setup:
    """One provider whose key a command tells, once it may."""

    def __init__(self, folder: Path, command: str) -> None:
        self.config = Config(paths=locate({"JACKFIELD_HOME": str(folder)}))
        self.store = FileStore(folder / "auth-profiles.json")
        ref = SecretRef("exec", shlex.join([sys.executable, "-c", command]))
        profile = Profile(id="box:a", provider="box", type="api_key", secret=Secret(""), ref=ref)
        self.store.modify(profile.id, lambda _: profile)
        self.lookups = Lookups(self.config, self.store)
        self.asked, self.may = folder / "asked", folder / "may"

    async def find(self) -> RequestAuth:
        return await self.lookups.find(INFO, partial(resolve, INFO, self.config, self.store, NOW))


def slow(folder: Path, key: str = "k") -> Setup:
    """Return a command that counts how often it was asked, and waits for `may`: in vain it says so."""
    lines = [
        "import pathlib, time",
        f"folder, ends_at = pathlib.Path({str(folder)!r}), time.monotonic() + {PATIENCE_S / 3}",
        "(folder / 'asked').open('a').write('.')",
        "while not (folder / 'may').exists():",
        "    time.sleep(0.01)",
        "    if time.monotonic() > ends_at: break",
        f"print({key!r} if (folder / 'may').exists() else 'nobody came')",
    ]
    return Setup(folder, "\n".join(lines))


async def test_a_slow_command_holds_no_other_request_up(tmp_path: Path) -> None:
    setup = slow(tmp_path)
    work = asyncio.ensure_future(setup.find())
    # A loop that the look-up stops never comes to this.
    await until(setup.asked.exists)
    setup.may.touch()
    assert (await work).secret == Secret("k")


async def test_many_requests_wait_for_one_look_up_and_later_ones_not_at_all(tmp_path: Path) -> None:
    setup = slow(tmp_path)
    asking = asyncio.gather(*(setup.find() for _ in range(20)))
    await until(setup.asked.exists)
    setup.may.touch()
    assert {auth.secret for auth in await asking} == {Secret("k")}
    await setup.find()
    assert setup.asked.read_text(encoding="utf-8") == "."


async def test_who_leaves_takes_the_answer_from_nobody(tmp_path: Path) -> None:
    setup = slow(tmp_path)
    first, second = asyncio.ensure_future(setup.find()), asyncio.ensure_future(setup.find())
    await until(setup.asked.exists)
    first.cancel()
    await asyncio.wait([first])
    setup.may.touch()
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
            await asyncio.wait_for(setup.find(), 0.1)

    setup, begun = slow(tmp_path), time.monotonic()
    asyncio.run(leave())
    assert time.monotonic() - begun < PATIENCE_S / 4
    setup.may.touch()


async def test_a_refused_secret_is_asked_for_again_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = slow(tmp_path / "one", "k1"), slow(tmp_path / "two", "k2")
    one.may.touch()
    two.may.touch()
    refused, _ = await asyncio.gather(one.find(), two.find())
    forget_commands(refused.secret)
    assert [setup.lookups.may_wait(INFO) for setup in (one, two)] == [True, False]
    forget_commands()
    assert two.lookups.may_wait(INFO)
