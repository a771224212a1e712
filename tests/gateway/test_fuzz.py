"""Nothing that may come in makes the gateway fail inside, nor any reader of any wire. `scripts/fuzz.py` goes on for longer."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.depth import examples
from tests.gateway.fuzzing import config_of, find_parser_failure, find_route_failure
from tests.gateway.serving import running
from tests.patience import PATIENCE_S, await_true

AT_ONCE = 20


@pytest.fixture(scope="module")
def gateway():
    with (
        open_server(Script([{"text": "Hi", "repeat": True}])) as upstream,
        running(config_of(f"{upstream}/v1")) as found,
    ):
        yield found


@given(chance=st.randoms(use_true_random=True))
def test_whatever_is_asked_is_answered_or_refused(gateway, chance: random.Random) -> None:
    seen: Counter[str] = Counter()

    async def ask() -> list[str]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as session:
            asking = (find_route_failure(session, gateway.url, chance, seen) for _ in range(AT_ONCE))
            return await asyncio.gather(*asking)

    assert list(filter(None, asyncio.run(ask()))) == []
    await_true(lambda: not gateway.gateway.open, "the end of all calls")


@settings(max_examples=examples(150))
@given(chance=st.randoms(use_true_random=True))
def test_whatever_is_read_is_understood_or_refused(chance: random.Random) -> None:
    assert find_parser_failure(chance) == ""
