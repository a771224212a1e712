"""Processes of `jackfield` without their start: forks of one that has imported the program.

    done = run(["models", "list"], env=environ, cwd=folder)              # as subprocess.run
    child = spawn(["chat"], (tty, tty, tty), env=environ, cwd=folder)    # ends with child.wait()
    child = spawn([path], files, env=environ, cwd=folder, entry="tests.health.hammer")

Nine tenths of a short command is its start. One process beside each test process imports all
there is, once; every command is a fork of it with its own arguments, variables, folder, files,
session and end. What only a real start shows is not shown here: when something is imported, and
that a command imports all it needs. `tests/promises/test_canary.py` starts every command there is.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

ROOT = Path(__file__).parents[1]
Files = tuple[int, int, int]
PIPE = 32_768  # bytes that fit into any system's pipe
SIZE, STATUS = struct.Struct("!I"), struct.Struct("!i")
# Read before a program's first line: who sets one anew needs a start of its own.
AT_START = ("LANG", "LANGUAGE", "LC_", "PYTHON", "COVERAGE_", "COV_CORE_", "LD_", "MALLOC_")
LATER = ("PYTHON_KEYRING_",)  # another package's
# Native code that is not for forks, or that reads its variables when imported.
UNLOADED = ("jackfield.__main__", "jackfield.demo.llama")
WANTED_LATER = ("aiohttp", "asyncio", "questionary", "sqlite3", "ssl", "uuid", "uvicorn", "uvloop")


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: env[name] for name in env if name.startswith(AT_START) and not name.startswith(LATER)}


# Of the test process, before a test has changed anything.
ENVIRON = dict(os.environ)


def fits(env: Mapping[str, str]) -> bool:
    """Tell whether a fork with these variables is what a process of its own would be."""
    return hasattr(os, "fork") and _at_start(env) == _at_start(ENVIRON)


# -- from a test -------------------------------------------------------------------


class Child:
    """A forked command."""

    def __init__(self, pid: int, end: socket.socket) -> None:
        self.pid = pid
        self._end = end
        self._code: int | None = None

    def wait(self, timeout_s: float | None = None) -> int:
        """Return its exit code, or the negative signal that killed it; raises `TimeoutError`."""
        if self._code is None:
            self._end.settimeout(timeout_s)
            raw = self._end.recv(STATUS.size)
            assert raw, "the process that forks commands has ended"
            (self._code,) = STATUS.unpack(raw)
            self._end.close()
        return self._code

    def poll(self) -> int | None:
        """Return how it ended, or `None` while it runs."""
        try:
            return self.wait(0)
        except BlockingIOError:
            return None

    def end(self, within_s: float) -> int:
        """Wait, and kill it when that takes longer; return how it ended."""
        try:
            return self.wait(within_s)
        except TimeoutError:
            os.kill(self.pid, signal.SIGKILL)
            return self.wait()


def spawn(
    args: Sequence[str],
    files: Files,
    *,
    env: Mapping[str, str],
    cwd: Path | str,
    entry: str = "jackfield.__main__",
    name: str = "jackfield",
) -> Child:
    """Run `jackfield ARGS` on these files; a terminal among them becomes the terminal it is controlled from.

    `entry` is another module whose `main` is run in its place, `name` the one that it is called by.
    """
    words = [os.fsdecode(word) for word in args]  # a shell passes any bytes
    said = json.dumps({"args": words, "env": dict(env), "cwd": os.fspath(cwd), "entry": entry, "name": name}).encode()
    to, (mine, its) = _nursery(), socket.socketpair()
    socket.send_fds(to, [SIZE.pack(len(said))], [*files, its.fileno()])
    to.sendall(said)
    its.close()
    mine.settimeout(60)
    (pid,) = STATUS.unpack(mine.recv(STATUS.size))
    return Child(pid, mine)


def run(
    args: Sequence[str],
    *,
    stdin: bytes,
    env: Mapping[str, str],
    cwd: Path | str,
    timeout_s: float,
    name: str = "jackfield",
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end and return what it wrote."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, _piped(stdin) as given:
        child = spawn(args, (given.fileno(), out.fileno(), err.fileno()), env=env, cwd=cwd, name=name)
        code = child.end(timeout_s)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess([name, *args], code, out.read(), err.read())


def _piped(data: bytes) -> BinaryIO:
    """Return a pipe with the data in it; what does not fit into one is a file."""
    with ExitStack() as stack:
        if len(data) <= PIPE:
            reads, writes = os.pipe()
            given: BinaryIO = stack.enter_context(os.fdopen(reads, "rb"))
            with os.fdopen(writes, "wb") as pipe:
                pipe.write(data)
        else:
            given = stack.enter_context(tempfile.TemporaryFile())
            given.write(data)
            given.seek(0)
        stack.pop_all()
        return given


@cache
def _nursery() -> socket.socket:
    """Start the process that is forked; it ends with this one."""
    mine, its = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.forks"],
        cwd=ROOT, env=ENVIRON, stdin=its, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    its.close()

    def end() -> None:
        mine.close()
        process.wait()

    atexit.register(end)
    return mine


# -- in the process that is forked -------------------------------------------------


def serve() -> None:
    """Fork a command per request, and tell how each one ended."""
    _import_all()
    asked, ends = socket.socket(fileno=os.dup(0)), dict[int, socket.socket]()
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([asked, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_ends(ends)
        if asked in ready:
            head, files, _, _ = socket.recv_fds(asked, SIZE.size, 4)
            if not head:
                return
            said = json.loads(_read(asked, *SIZE.unpack(head)))
            pid = os.fork()
            if pid == 0:
                _become(said, files)
            for file in files[:3]:
                os.close(file)
            ends[pid] = socket.socket(fileno=files[3])
            ends[pid].send(STATUS.pack(pid))


def _import_all() -> None:
    package = importlib.import_module("jackfield")
    for module in pkgutil.walk_packages(package.__path__, "jackfield."):
        if module.name not in UNLOADED:
            with suppress(Exception):  # the command that needs it will say so
                importlib.import_module(module.name)
    for name in WANTED_LATER:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _read(source: socket.socket, count: int) -> bytes:
    said = b""
    while len(said) < count:
        said += source.recv(count - len(said))
    return said


def _tell_ends(ends: dict[int, socket.socket]) -> None:
    while ends:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with ends.pop(pid) as end, suppress(BrokenPipeError):  # nobody waits for it
            end.send(STATUS.pack(os.waitstatus_to_exitcode(status)))


def _become(said: Mapping[str, Any], files: Sequence[int]) -> NoReturn:
    """Be what `python -m jackfield ARGS` is behind its imports."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.closerange(3, 512)
    for number in range(3):
        if os.isatty(number):
            fcntl.ioctl(number, termios.TIOCSCTTY, 0)
            break
    os.environ.clear()
    os.environ.update(said["env"])
    time.tzset()
    os.chdir(said["cwd"])
    command = sys.modules["__main__"] = importlib.import_module(said["entry"])
    sys.argv, sys.path[0] = [said["name"], *said["args"]], said["cwd"]
    std = [_stream(number, old) for number, old in enumerate((sys.stdin, sys.stdout, sys.stderr))]
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = std
    try:
        command.main()
        sys.stdout.flush()
        os._exit(0)
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except SystemExit as stop:
        os._exit(stop.code if isinstance(stop.code, int) else int(stop.code is not None))
    except BaseException:  # noqa: BLE001  what the interpreter does in the end
        traceback.print_exc()
    os._exit(1)


def _stream(number: int, old: io.TextIOWrapper) -> io.TextIOWrapper:
    """Open a standard stream as the interpreter does when it starts."""
    raw = open(number, "wb" if number else "rb", closefd=False)  # noqa: SIM115  it is open to the end
    lines, through = number == 2 or raw.isatty(), number > 0 and old.write_through
    return io.TextIOWrapper(raw, old.encoding, old.errors, line_buffering=lines, write_through=through)


if __name__ == "__main__":
    serve()
