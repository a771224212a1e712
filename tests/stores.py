"""Real PostgreSQL and Redis (or Valkey) servers for tests, on free ports and in temporary folders.

Absent programs skip the test. Servers are stopped and killed by the process they were started as.
Who does neither shares the session's (`postgres` in conftest.py), in a database of its own.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S, await_true
from tests.servers import free_port

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")) if Path("/usr/lib/postgresql").is_dir() else []
ACCOUNT = "postgres"  # PostgreSQL refuses to run as root; Debian's package makes this account


class Store:
    """A server that can be stopped, killed and started again where it was."""

    def __init__(self, command: Sequence[str], url: str, port: int, user: str | None = None) -> None:
        self.url = url
        self.port = port
        self._command = command
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it listens."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=self._user, cwd="/"
        )
        await_true(self._listens, self._command[0])

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: by SIGINT both servers end at once and in order, by SIGKILL as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
            self._process = None

    def freeze(self) -> None:
        """Let it answer nothing, with its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), PATIENCE_S).close()
        except OSError:
            return False
        return True


@contextmanager
def redis_server() -> Iterator[Store]:
    """Run an empty Redis or Valkey without persistence."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("needs redis-server or valkey-server")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            folder,
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        store = Store(command, f"redis://127.0.0.1:{port}", port)
        store.start()
        try:
            yield store
        finally:
            store.stop(signal.SIGKILL)


@contextmanager
def postgres_server() -> Iterator[Store]:
    """Run an empty PostgreSQL; connections are trusted, they come from the loopback."""
    if not POSTGRES:
        pytest.skip("needs PostgreSQL's server programs")
    user = ACCOUNT if os.geteuid() == 0 else None
    port = free_port()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        if user:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        data = Path(folder) / "data"
        subprocess.run(["cp", "-a", _empty_cluster(user), data], check=True)
        options = ["-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"]
        store = Store([str(POSTGRES[-1]), *options], f"postgresql://test@127.0.0.1:{port}/postgres", port, user)
        store.start()
        _await_postgres(store)
        try:
            yield store
        finally:
            store.stop(signal.SIGQUIT)  # at once: nobody needs what is in it any more


@cache
def _empty_cluster(user: str | None) -> Path:
    """Make the files of an empty PostgreSQL, once: to copy them takes a tenth of that."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data = folder / "data"
    subprocess.run(
        [POSTGRES[-1].with_name("initdb"), "-D", data, "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8"],
        check=True, stdout=subprocess.DEVNULL, user=user, cwd="/",
    )  # fmt: skip
    return data


def _await_postgres(store: Store) -> None:
    import psycopg

    def answers() -> bool:
        try:
            psycopg.connect(store.url).close()
        except psycopg.OperationalError:
            return False
        return True

    await_true(answers, "PostgreSQL")
