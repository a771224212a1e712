"""A real llama.cpp server per worker, with a key, and configs that name it in each protocol it speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jackfield.demo.server import DemoServer, open_server

Config = dict[str, Any]


@pytest.fixture(scope="session")
def llama() -> Iterator[DemoServer]:
    """Run the server for all tests of a worker."""
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    with open_server() as server:
        yield server


@pytest.fixture
def brittle() -> Iterator[DemoServer]:
    """Run a server that the test may kill."""
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    with open_server() as server:
        yield server


@pytest.fixture
def config(llama: DemoServer) -> Config:
    """Return a config with the server as `demo` (Chat Completions), `claude` (Messages) and `answers` (Responses)."""
    return to_config(llama)


def to_config(server: DemoServer, **model: Any) -> Config:
    """Return a config that names a server; `model` is added to its model's row."""
    openai = server.provider()
    openai["models"][0] |= model
    anthropic = {**server.provider(), "baseUrl": server.root, "api": "anthropic-messages"}
    responses = {**server.provider(), "api": "openai-responses"}
    return {
        "models": {"providers": {"demo": openai, "claude": anthropic, "answers": responses}},
        "agents": {"defaults": {"model": {"primary": "demo/tiny"}}},
    }
