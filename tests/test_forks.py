"""A forked command is what a started one is: words, code, files, home, terminal, and its end by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import forks
from tests.commands import local_provider, write_config
from tests.patience import PATIENCE_S
from tests.servers import HANG, serve

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
LINES: tuple[tuple[tuple[str, ...], bytes], ...] = (
    (("--version",), b""),
    (("--help",), b""),
    (("nonsense",), b""),
    (("config", "get", "nothing", "--json"), b""),
    (("config", "set", "models.providers.box.name", "Box"), b""),
    (("models", "list", "--all", "--plain"), b""),
    (("tokens",), b"Hello"),
    (("tokens",), b"Hello " * 20_000),  # more than a pipe holds
    (("convert", "openai-completions", "anthropic-messages"), b'{"model": "m", "messages": []}'),
)


def started(args: tuple[str, ...], stdin: bytes, env: dict[str, str], cwd: Path) -> tuple[int, bytes, bytes]:
    command = [sys.executable, "-m", "jackfield", *args]
    done = subprocess.run(command, input=stdin, capture_output=True, env=env, cwd=cwd, check=False)
    return done.returncode, done.stdout, done.stderr


def forked(args: tuple[str, ...], stdin: bytes, env: dict[str, str], cwd: Path) -> tuple[int, bytes, bytes]:
    done = forks.run(args, stdin=stdin, env=env, cwd=cwd, timeout_s=PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("args", "stdin"), LINES)
def test_a_fork_says_and_does_what_a_start_does(args: tuple[str, ...], stdin: bytes, tmp_path: Path) -> None:
    said = []
    for way in (started, forked):
        home = tmp_path / way.__name__
        home.mkdir()
        write_config(local_provider("http://127.0.0.1:1/v1"), home)
        found = way(args, stdin, {**os.environ, "HOME": str(home), "TZ": "Asia/Tokyo"}, home)
        written = (home / ".jackfield" / "jackfield.json").read_bytes()
        said.append((*(str(each).replace(str(home), "~") for each in found), written))
    assert said[0] == said[1]


def test_a_signal_ends_a_fork_as_it_ends_a_start(home: Path) -> None:
    with serve([HANG]) as server, Path(os.devnull).open("r+b") as nothing:
        write_config(local_provider(server.url))
        files = (nothing.fileno(),) * 3
        for sent, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
            server.heard.clear()
            child = forks.spawn(["chat", "Hello"], files, env=os.environ, cwd=home)
            assert server.heard.wait(PATIENCE_S)
            os.kill(child.pid, sent)
            assert child.wait(PATIENCE_S) == code


def test_what_an_interpreter_reads_when_it_starts_is_no_forks(home: Path) -> None:
    assert forks.fits({**os.environ, "BOX_KEY": "x", "TZ": "UTC"})
    assert not forks.fits({**os.environ, "PYTHONPATH": str(home)})
    assert not forks.fits({**os.environ, "LC_ALL": "de_DE.ISO-8859-1"})
