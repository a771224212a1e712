"""The loops that our own HTTP/1.1 must run on: Python's own, and the faster one where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from tests.late import LateLoop

OWN = {"asyncio": LateLoop}
ON_EVERY_LOOP = {"test_dial.py", "test_hostile.py", "test_http1.py", "test_pieces.py", "test_pool.py", "test_tls.py"}

Loops = dict[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Loops:
    if item.path.name not in ON_EVERY_LOOP or not find_spec("uvloop"):
        return OWN
    import uvloop

    return {**OWN, "uvloop": uvloop.new_event_loop}
