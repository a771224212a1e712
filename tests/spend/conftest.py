"""Connections that a test opens are closed after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.spend import setup


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while setup.OPENED:
        setup.OPENED.pop().close()
