"""One connection to the ledger's database: SQLite by the standard library, PostgreSQL by psycopg (extra `postgres`).

Statements are written once, with `?` where a value goes; each `write` is a transaction. Knows no
table but the one that counts the schema's steps. A connection is one thread's; whoever meets
`DatabaseDown` closes it and opens another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from jackfield.errors import ConfigError, Error
from jackfield.ledger.schema import MIGRATIONS
from jackfield.state import ForeignFile, is_broken, open_state, set_aside

Values = Sequence[object]
Statement = tuple[str, Sequence[Values]]  # run once for each of the values

PATIENCE_S = 5  # how long to wait for a lock, a connection, an answer
# Any number that nobody else in the same database locks.
MIGRATION_LOCK = 4_747_001


class DatabaseDown(Error):
    """The database cannot be reached, or refuses; the same statement may succeed later."""

    retryable = True


class Unfit(Error):
    """A value is none that the database's columns hold."""


class Dialect(Struct, frozen=True):
    """What the two databases do not share."""

    mark: str  # where a value goes
    begin: str
    lock: str  # after `begin`, so that one process at a time makes the tables
    errors: tuple[type[Exception], ...]
    unfit: tuple[type[Exception], ...]  # some of them may be errors, too


FILE = "sqlite:///"
SQLITE = Dialect("?", "BEGIN IMMEDIATE", "", (sqlite3.Error,), (UnicodeEncodeError, OverflowError))


class Database:
    """An open connection."""

    def __init__(self, connection: Any, dialect: Dialect, name: str) -> None:
        self._connection = connection
        self._dialect = dialect
        self.name = name  # for people: a file, or host and database; no password

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what a question finds."""
        with self._guard():
            found: list[tuple[Any, ...]] = self._run(sql, values).fetchall()
            return found

    def write(self, *statements: Statement) -> int:
        """Run statements in one transaction, all or none; return how many rows the last of them touched."""
        touched = 0
        with self._transaction():
            for sql, many in statements:
                with closing(self._connection.cursor()) as cursor:
                    cursor.executemany(self._spell(sql), many)
                    touched = cursor.rowcount
        return touched

    def migrate(self, steps: Sequence[Sequence[str]] = MIGRATIONS) -> None:
        """Bring the tables up to date; raises `ConfigError` when they are of a newer Jackfield."""
        with self._transaction():
            if self._dialect.lock:
                self._run(self._dialect.lock)
            self._run("CREATE TABLE IF NOT EXISTS ledger_version (version BIGINT NOT NULL)")
            (made,) = self._run("SELECT coalesce(max(version), 0) FROM ledger_version").fetchone()
            if made > len(steps):
                raise ConfigError(
                    f"{self.name} was written by a newer Jackfield",
                    hint="install that version, or name another database",
                )
            for number, step in enumerate(steps[made:], made + 1):
                for sql in step:
                    self._run(sql)
                self._run("INSERT INTO ledger_version (version) VALUES (?)", (number,))

    def close(self) -> None:
        """End the connection; it does not matter whether it is broken already."""
        with suppress(*self._dialect.errors):
            self._connection.close()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except self._dialect.unfit as error:
            raise Unfit(f"{self.name} cannot hold a value: {error}") from error
        except self._dialect.errors as error:
            raise _down(self.name, error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guard():
            self._run(self._dialect.begin)
            try:
                yield
                self._run("COMMIT")
            except BaseException:
                with suppress(*self._dialect.errors):
                    self._run("ROLLBACK")
                raise

    def _run(self, sql: str, values: Values = ()) -> Any:
        return self._connection.execute(self._spell(sql), tuple(values))

    def _spell(self, sql: str) -> str:
        return sql if self._dialect.mark == "?" else sql.replace("?", self._dialect.mark)


def open_database(url: str) -> Database:
    """Open a database by its URL (`sqlite:///PATH`, `postgresql://…`) and bring its tables up to date.

    Three slashes and a relative path, four and an absolute one, as SQLAlchemy has it. Raises
    `DatabaseDown` when it cannot be reached, `ConfigError` when the URL is none or psycopg is missing.
    """
    scheme, _, rest = url.partition("://")
    opener = OPENERS.get(scheme)
    if opener is None or not rest:
        raise ConfigError(
            f"gateway.database: {scheme or 'nothing'}:// is no database", hint="write sqlite:///PATH or postgresql://…"
        )
    database = opener(url)
    try:
        database.migrate()
    except Error:
        database.close()
        raise
    return database


def read_database(url: str) -> Database:
    """Open a database for questions alone: a file that is not there is not made, and answers as an empty one."""
    if not url.startswith(FILE) or _file(url).exists():
        return open_database(url)
    database = Database(sqlite3.connect(":memory:", isolation_level=None), SQLITE, str(_file(url)))
    database.migrate()
    return database


def sqlite_url(path: Path) -> str:
    """Return the URL of a file."""
    return f"{FILE}{path}"


def _file(url: str) -> Path:
    return Path(unquote(url.removeprefix(FILE)))


def _open_sqlite(url: str) -> Database:
    path = _file(url)
    try:
        return Database(_state(path), SQLITE, str(path))
    except (sqlite3.Error, OSError) as error:
        raise _down(str(path), error) from error


def _state(path: Path) -> sqlite3.Connection:
    try:
        return open_state(path, timeout_s=PATIENCE_S)
    except sqlite3.Error as error:
        # A broken file stays on disk under another name; one of another program's stays as it is.
        if isinstance(error, ForeignFile) or not is_broken(error):
            raise
        set_aside(path)
        return open_state(path, timeout_s=PATIENCE_S)


def _open_postgres(url: str) -> Database:
    try:
        psycopg = import_module("psycopg")
    except ImportError as error:
        raise ConfigError("a ledger in PostgreSQL needs an extra", hint="pip install 'jackfield[postgres]'") from error
    where = urlsplit(url)
    name = f"{where.hostname or 'local'}{where.path}"
    dialect = Dialect(
        "%s",
        "BEGIN",
        # Summing up many millions of rows for the first time takes longer than any other statement may.
        f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK}); SET LOCAL statement_timeout = '10min'",
        (psycopg.Error,),
        (UnicodeEncodeError, psycopg.DataError),
    )
    # A server that went away without a word must not hold the writer for TCP's quarter of an hour.
    limits = {
        "connect_timeout": PATIENCE_S,
        "tcp_user_timeout": PATIENCE_S * 1000,
        "options": f"-c statement_timeout={PATIENCE_S}s",
    }
    try:
        connection = psycopg.connect(url, autocommit=True, **limits)
    except psycopg.Error as error:
        raise _down(name, error) from error
    return Database(connection, dialect, name)


OPENERS = {"sqlite": _open_sqlite, "postgresql": _open_postgres, "postgres": _open_postgres}


def _down(name: str, error: Exception) -> DatabaseDown:
    said = str(error).strip().partition("\n")[0]
    return DatabaseDown(f"the ledger's database {name}: {said or type(error).__name__}")
