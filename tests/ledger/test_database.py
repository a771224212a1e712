"""The ledger's two databases, which behave alike."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jackfield.errors import ConfigError
from jackfield.ledger.database import DatabaseDown, open_database, sqlite_url
from jackfield.ledger.row import COLUMNS
from jackfield.ledger.schema import MIGRATIONS


def test_the_tables_have_a_column_for_each_field_of_a_row(url: str) -> None:
    database = open_database(url)

    assert database.rows(f"SELECT {', '.join(COLUMNS)} FROM attempts") == []
    database.close()


def test_a_database_that_is_opened_again_keeps_what_it_holds(url: str) -> None:
    first = open_database(url)
    first.write(("UPDATE gateway_changes SET version = version + ? WHERE subject = 'keys'", [(1,)]))
    first.close()

    second = open_database(url)

    assert second.rows("SELECT version FROM gateway_changes") == [(2,)]
    second.close()


def test_many_that_open_a_new_database_at_once_make_its_tables_once(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: open_database(url), range(8)))

    assert opened[0].rows("SELECT version FROM ledger_version ORDER BY 1") == [(n + 1,) for n in range(len(MIGRATIONS))]
    for database in opened:
        database.close()


def test_a_step_that_fails_leaves_nothing_of_itself_behind(url: str) -> None:
    database = open_database(url)
    steps = (*MIGRATIONS, ("CREATE TABLE half (a BIGINT)", "CREATE TABLE nothing at all"))

    with pytest.raises(DatabaseDown):
        database.migrate(steps)

    database.migrate((*MIGRATIONS, ("CREATE TABLE half (a BIGINT)",)))
    assert database.rows("SELECT a FROM half") == []
    database.close()


def test_a_database_of_a_newer_version_is_left_alone(url: str) -> None:
    database = open_database(url)
    database.migrate((*MIGRATIONS, ("CREATE TABLE later (a BIGINT)",)))
    database.close()

    with pytest.raises(ConfigError, match="newer Jackfield"):
        open_database(url)


def test_a_transaction_is_written_whole_or_not_at_all(url: str) -> None:
    database = open_database(url)
    grow = ("UPDATE gateway_changes SET version = version + ?", [(1,)])

    with pytest.raises(DatabaseDown):
        database.write(grow, ("INSERT INTO no_such_table (a) VALUES (?)", [(1,)]))

    assert database.rows("SELECT version FROM gateway_changes") == [(1,)]
    database.close()


def test_a_broken_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"no database" * 1000)

    open_database(sqlite_url(path)).close()

    assert (tmp_path / "state.sqlite.corrupt-1").read_bytes().startswith(b"no database")


def test_a_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as theirs:
        theirs.execute("PRAGMA application_id=1234")
        theirs.execute("CREATE TABLE t (a)")
    theirs.close()

    with pytest.raises(DatabaseDown, match="another program"):
        open_database(sqlite_url(path))

    assert [each.name for each in tmp_path.glob("theirs*")] == ["theirs.sqlite"]


@pytest.mark.parametrize("url", ["mysql://h/d", "state.sqlite", "sqlite://"], ids=["mysql", "path", "nothing"])
def test_what_is_no_database_is_said(url: str) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.database"):
        open_database(url)


def test_a_password_is_in_no_message() -> None:
    with pytest.raises(DatabaseDown) as caught:
        open_database("postgresql://u:hunter2@127.0.0.1:1/d")

    assert "hunter2" not in caught.value.message
