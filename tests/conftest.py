"""What every test stands on: a clean environment, a home of its own, no network but the loopback."""

from __future__ import annotations

import gc
import ipaddress
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.depth import examples
from tests.stores import Store, postgres_server

# Everything else of the developer's environment (keys, proxies, homes) is out of sight.
KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TERM",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "VIRTUAL_ENV",
    "COVERAGE_PROCESS_START",
)
KEPT_PREFIXES = ("WRITE_README", "PYTEST_", "PYTHON", "COV_CORE_")
# Names that no resolver knows (RFC 6761): a lookup fails as it does on the real network.
NOWHERE = (".invalid", ".test", ".example")


class NetworkRefused(BaseException):
    """A test reached for the network; not an `Exception`, so that no code under test can swallow it."""


def _is_loopback(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    name = name.strip("[]").partition("%")[0].rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guard(event: str, args: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        address = args[1]
        # A UNIX socket's address is a path, an internet socket's a tuple.
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            raise NetworkRefused(f"a test may not call {address[0]}")
    elif event == "socket.getaddrinfo" and not _is_loopback(args[0]):
        if str(args[0]).endswith(NOWHERE):
            raise socket.gaierror(socket.EAI_NONAME, "name or service not known")
        raise NetworkRefused(f"a test may not look up {args[0]}")


def _has_room(folder: Path) -> bool:
    """Tell whether a file system can be used for all that tests write, programs among it."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    told = os.statvfs(folder)
    return told.f_bavail * told.f_frsize >= ROOM_BYTES and not told.f_flag & os.ST_NOEXEC


sys.addaudithook(_guard)
# How fast examples are made says how busy the machine is, nothing about the code. Each run makes others.
settings.register_profile(
    "anywhere", deadline=None, max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("anywhere")
# Tests start commands, and each test process reads all tests: to compile all that anew is half of its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Every test has folders of its own; where others keep the disk busy, they are what most tests would wait for.
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 << 30
if "TMPDIR" not in os.environ and _has_room(MEMORY):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
# A shell that starts us in the background has us ignore Ctrl-C, and every command under test with us.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)  # of xdist's
def pytest_xdist_auto_num_workers() -> int:
    """Run three test processes on two cores (`-n auto`): a third of their time they wait."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + cores // 2


def pytest_collection_finish() -> None:
    """Keep what is there before the first test from being searched for garbage again and again."""
    gc.collect()
    gc.freeze()


def _empty_environment(patch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            patch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _bare() -> Iterator[None]:
    """Empty the environment once for all tests: to do it for each takes as long as a short test."""
    with pytest.MonkeyPatch.context() as patch:
        _empty_environment(patch)
        yield


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Empty the environment and give the test a home directory of its own."""
    _empty_environment(monkeypatch)
    own = tmp_path / "home"
    own.mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(own))
    return own


@pytest.fixture(scope="session")
def shared_wire() -> Path:
    """Return the folder of recorded provider traffic; skips the test where there is none."""
    folder = Path(__file__).parents[1].parent / "shared" / "wire"
    if not folder.is_dir():
        pytest.skip("no recordings on this machine")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Store]:
    """Run one PostgreSQL for all tests of this process; each makes a database of its own."""
    with postgres_server() as store:
        yield store
