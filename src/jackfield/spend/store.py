"""The accounts that all processes of a user share: tables in the state file, changed in one transaction each.

Fails closed: what cannot be read or written is a `ConfigError`, so that no call leaves uncounted.
Only a settlement never fails: the money is spent and the answer there, and the hold stays.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from jackfield.errors import ConfigError
from jackfield.spend.account import Allowance, Balance, Hold, Refused, find_refusal
from jackfield.state import NAME, SIDE_FILES, open_state

TIMEOUT_S = 5.0  # another process's transaction takes a ten-thousandth of it
# `at_ms` of an account is when it was last used; a hold's, when it was made.
TABLES = """
create table if not exists spend_account_1 (key text primary key, spent integer not null, at_ms integer not null) without rowid;
create table if not exists spend_hold_1 (id integer primary key autoincrement, amount integer not null, at_ms integer not null);
create table if not exists spend_held_1 (key text not null, hold integer not null, primary key (key, hold)) without rowid;
"""
MEND = "mend the file, or take the limits off: jackfield config unset models.budget"
ANEW = "begin to count anew: jackfield budget reset"
TABLE = "select count(*) from sqlite_master where name = 'spend_account_1'"
DAY_MS = 86_400_000
KEPT_MS = 35 * DAY_MS  # accounts nobody used for so long are forgotten
LOST_MS = DAY_MS  # no call takes a day: such a hold is booked as spent
BALANCE = """
select coalesce((select spent from spend_account_1 where key = ?1), 0),
  coalesce((select sum(amount) from spend_held_1 join spend_hold_1 on id = hold where key = ?1), 0)
"""
BOOK = """
insert into spend_account_1 values (?, ?, ?)
on conflict (key) do update set spent = min(spent + excluded.spent, 4000000000000000000), at_ms = max(at_ms, excluded.at_ms)
"""


def open_accounts(home: Path, now_ms: Callable[[], int], *, anew: bool = False) -> SqliteAccounts:
    """Open the accounts in a home's state file; raise `ConfigError` when nothing can be counted there.

    A broken file is not set aside. Where another part of the program has done so within a day, what was
    spent that day is unknown; then it is opened only `anew`, which is how a reset opens it.
    """
    path = home / NAME
    try:
        connection = open_state(path, timeout_s=TIMEOUT_S)
        (is_known,) = connection.execute(TABLE).fetchone()
        if not (is_known or anew) and (lost := _set_aside_lately(path, now_ms())):
            connection.close()
            raise unusable(str(path), f"what was spent today is in {lost.name}, which is broken", ANEW)
        connection.executescript(TABLES)
        return SqliteAccounts(connection, now_ms, str(path))
    except (sqlite3.Error, OSError) as error:
        raise unusable(str(path), str(error)) from error


def _set_aside_lately(path: Path, now_ms: int) -> Path | None:
    for found in path.parent.glob(f"{path.name}.corrupt-*"):
        if not found.name.endswith(SIDE_FILES[1:]) and found.stat().st_mtime * 1000 > now_ms - DAY_MS:
            return found
    return None


class SqliteAccounts:
    """Accounts in a database that other processes use, too. `connection` begins no transaction by itself."""

    def __init__(self, connection: sqlite3.Connection, now_ms: Callable[[], int], where: str) -> None:
        self._connection = connection
        self._now_ms = now_ms
        self._where = where
        self._lock = Lock()
        with self._change():
            self._sweep(now_ms())

    def reserve(self, allowances: Sequence[Allowance], amount: int) -> Hold | Refused:
        """Hold an amount on all accounts, or say which limit does not cover it and hold nothing."""
        keys = tuple(each.key for each in allowances)
        with self._change() as execute:
            if refused := find_refusal(allowances, self._balances(keys), amount):
                return refused
            made = execute("insert into spend_hold_1 (amount, at_ms) values (?, ?)", (amount, self._now_ms())).lastrowid
            hold = Hold(made or 0, keys, amount)
            for key in keys:
                execute("insert into spend_held_1 values (?, ?)", (key, hold.id))
            return hold

    def settle(self, hold: Hold, amount: int | None) -> None:
        """Book what a call cost in the place of what was held; `None`: nobody knows, so all of it."""
        try:
            with self._change() as execute:
                self._drop(hold)
                for key in hold.keys:
                    execute(BOOK, (key, hold.amount if amount is None else amount, self._now_ms()))
        except ConfigError:
            return  # the hold stays, and counts for what the call cost at most

    def release(self, hold: Hold) -> None:
        """Give back what was held for a call that was not sent."""
        try:
            with self._change():
                self._drop(hold)
        except ConfigError:
            return

    def balances(self, keys: Sequence[str]) -> Mapping[str, Balance]:
        """Return the balance of each account."""
        with self._told():
            return self._balances(keys)

    def keys(self, prefix: str) -> tuple[str, ...]:
        """Return the accounts whose key begins so, the one used last first."""
        query = """
            select key from (
              select key, at_ms from spend_account_1 union all
              select key, at_ms from spend_held_1 join spend_hold_1 on id = hold
            ) where substr(key, 1, ?) = ? group by key order by max(at_ms) desc, key
        """
        with self._told():
            return tuple(key for (key,) in self._connection.execute(query, (len(prefix), prefix)))

    def reset(self, keys: Iterable[str]) -> None:
        """Forget what accounts have spent and hold; calls under way are booked when they are settled."""
        with self._change() as execute:
            for key in keys:
                execute("delete from spend_account_1 where key = ?", (key,))
                execute("delete from spend_held_1 where key = ?", (key,))
            execute("delete from spend_hold_1 where id not in (select hold from spend_held_1)")

    def close(self) -> None:
        """Close the file; holds that nobody settled stay in it."""
        with self._lock:
            self._connection.close()

    # -- inside a transaction ------------------------------------------------------

    def _balances(self, keys: Iterable[str]) -> dict[str, Balance]:
        return {key: Balance(*self._connection.execute(BALANCE, (key,)).fetchone()) for key in keys}

    def _drop(self, hold: Hold) -> None:
        self._connection.execute("delete from spend_hold_1 where id = ?", (hold.id,))
        for key in hold.keys:
            self._connection.execute("delete from spend_held_1 where key = ? and hold = ?", (key, hold.id))

    def _sweep(self, now_ms: int) -> None:
        """Book the holds of processes that were killed, and forget what nobody can ask for any more."""
        execute = self._connection.execute
        lost = "select key, amount, at_ms from spend_held_1 join spend_hold_1 on id = hold where at_ms < ?"
        for key, amount, at_ms in execute(lost, (now_ms - LOST_MS,)).fetchall():
            execute(BOOK, (key, amount, at_ms))
        execute("delete from spend_hold_1 where at_ms < ?", (now_ms - LOST_MS,))
        execute("delete from spend_held_1 where hold not in (select id from spend_hold_1)")
        execute("delete from spend_account_1 where at_ms < ?", (now_ms - KEPT_MS,))

    @contextmanager
    def _change(self) -> Iterator[Callable[..., sqlite3.Cursor]]:
        # Immediately: two that read before they write would both see room for the last cent.
        with self._told():
            if self._connection.in_transaction:  # a commit that failed, on a full disk for one
                self._connection.execute("rollback")
            self._connection.execute("begin immediate")
            try:
                yield self._connection.execute
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    @contextmanager
    def _told(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise unusable(self._where, str(error)) from error


def unusable(where: str, why: str, hint: str = MEND) -> ConfigError:
    """Return the error of accounts that cannot be kept."""
    return ConfigError(f"the budget cannot be kept in {where}: {why}", hint=f"nothing was sent; {hint}")
