from __future__ import annotations

import itertools
from pathlib import Path

import psycopg
import pytest

from jackfield.ledger.database import sqlite_url
from tests.stores import Store

NUMBERS = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "state.sqlite")
    store: Store = request.getfixturevalue("postgres")
    name = f"jackfield{next(NUMBERS)}"
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return store.url.replace("/postgres", f"/{name}")
