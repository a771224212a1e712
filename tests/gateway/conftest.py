"""A shared state for the tests of what several gateways count together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stores import Store, redis_server


@pytest.fixture(scope="module")
def redis_running() -> Iterator[Store]:
    with redis_server() as store:
        yield store


@pytest.fixture
def store(redis_running: Store) -> Store:
    """Return it, with nothing in it."""
    redis = pytest.importorskip("redis")
    with redis.Redis(port=redis_running.port) as client:
        client.flushall()
    return redis_running
