"""The loop of every test: its clock can be put forward, so that nobody waits for a silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.late import LateLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": LateLoop}
