"""Rests and quotas as rows of the user's state file: the tables and the statements.

A row is JSON under its key, so that a later release's further fields do no harm. Knows no
transaction and no clock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from jackfield.health.record import Key, Quota, Rest, parse_record, render_record
from jackfield.health.view import View, scopes

# The tables' names hold their version: two releases do not disturb each other.
SCHEMA = """
CREATE TABLE IF NOT EXISTS health_rest_1 (
  provider TEXT NOT NULL, credential TEXT NOT NULL, model TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (provider, credential, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS health_quota_1 (
  provider TEXT NOT NULL, credential TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (provider, credential, name)) WITHOUT ROWID;
"""
RESTS = "SELECT value FROM health_rest_1"
QUOTAS = "SELECT value FROM health_quota_1"
ONE_REST = "SELECT value FROM health_rest_1 WHERE provider = ? AND credential = ? AND model = ?"
SAVE_REST = "INSERT OR REPLACE INTO health_rest_1 VALUES (?, ?, ?, ?)"
SAVE_QUOTA = "INSERT OR REPLACE INTO health_quota_1 VALUES (?, ?, ?, ?)"
DROP_REST = "DELETE FROM health_rest_1 WHERE provider = ? AND credential = ? AND model = ?"


def load_rests(connection: sqlite3.Connection) -> list[Rest]:
    """Return every rest; a row that is none of ours is passed over."""
    return [rest for (text,) in connection.execute(RESTS) if (rest := parse_record(text, Rest))]


def load_quotas(connection: sqlite3.Connection) -> list[Quota]:
    """Return every quota."""
    return [quota for (text,) in connection.execute(QUOTAS) if (quota := parse_record(text, Quota))]


def load_known(connection: sqlite3.Connection, candidate: Key) -> list[Rest]:
    """Return every rest that a candidate is part of."""
    rows = (connection.execute(ONE_REST, key).fetchone() for key in scopes(*candidate))
    return [rest for row in rows if row and (rest := parse_record(row[0], Rest))]


def save(connection: sqlite3.Connection, rests: Iterable[Rest], quotas: Iterable[Quota] = ()) -> None:
    """Write rests and quotas over those of their places and names."""
    connection.executemany(SAVE_REST, [(*rest.place.key, render_record(rest)) for rest in rests])
    rows = [(quota.provider, quota.credential, quota.name, render_record(quota)) for quota in quotas]
    connection.executemany(SAVE_QUOTA, rows)


def drop(connection: sqlite3.Connection, keys: Iterable[Key]) -> None:
    """Delete the rests of these places."""
    connection.executemany(DROP_REST, keys)


def merge(connection: sqlite3.Connection, known: View) -> None:
    """Write what was noted elsewhere, where the file does not know of something later."""
    rests = {rest.place: rest.last_ms for rest in load_rests(connection)}
    later = [rest for rest in known.rests if rests.get(rest.place, -1) < rest.last_ms]
    save(connection, later, known.every_quota)
