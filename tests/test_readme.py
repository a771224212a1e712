"""The README tells the truth: its console blocks print what they say, its Python runs.

Run with WRITE_README=1 to put what the commands print now into the page.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.servers import free_port

pytest.importorskip("xllamacpp", exc_type=ImportError)

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PORT = "8099"
# What differs from run to run, and the word the page has for it.
VOLATILE = (
    (re.compile(r"127\.0\.0\.1:\d+"), f"127.0.0.1:{PORT}"),
    (re.compile(r"\b\d+ ms\b"), "8 ms"),
    (re.compile(r'"ms": \d+'), '"ms": 8'),
    (re.compile(r"\(demo…\w{4}\)"), "(demo…1b2c)"),
)  # fmt: skip


@pytest.fixture
def served(home: Path) -> Iterator[dict[str, str]]:
    """Run the demo's server as the page says; give the environment of its commands."""
    port = free_port()
    scripts = sysconfig.get_path("scripts")
    server = subprocess.Popen(
        [f"{scripts}/jackfield", "demo", "--serve", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout is not None
    key = ""
    while not key:
        line = server.stdout.readline()
        assert line, "the demo's server did not start"
        key = "".join(re.findall(r"--custom-api-key (\S+)", line))
    yield {**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}", "KEY": key, "PORT": str(port), "COLUMNS": "200"}
    server.terminate()
    server.communicate(timeout=PATIENCE_S)


def play(block: str, env: dict[str, str], home: Path) -> str:
    """Run the block's commands; return the block with what they print."""
    lines = []
    for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        done = subprocess.run(
            ["bash", "-c", f"exec 2>&1; {command.replace(PORT, env['PORT'])}"],
            capture_output=True, text=True, env=env, cwd=home, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert "Traceback" not in done.stdout
        text = done.stdout.replace(str(home), "/home/you").replace(env["KEY"], "demo-key")
        for pattern, word in VOLATILE:
            text = pattern.sub(word, text)
        lines += [f"$ {command}", *(line.rstrip() for line in text.rstrip("\n").split("\n")), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def test_the_console_blocks_print_what_the_page_says(served: dict[str, str], home: Path) -> None:
    page = README.read_text("utf-8")
    played = BLOCK.sub(lambda match: f"```console\n{play(match[1], served, home)}```", page)
    if os.environ.get("WRITE_README"):
        README.write_text(played, encoding="utf-8")
    assert played == page


def test_the_python_blocks_run(served: dict[str, str], home: Path) -> None:
    onboard = next(
        line for line in README.read_text("utf-8").splitlines() if line.startswith("$ jackfield onboard --non")
    )
    subprocess.run(
        ["bash", "-c", onboard[2:].replace(PORT, served["PORT"])], env=served, check=True, capture_output=True
    )
    for block in PYTHON.findall(README.read_text("utf-8")):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(block)],
            env=served,
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        assert any(words in done.stdout for words in ("Hello from Jackfield", "MessageEnd", "It is 18 °C"))
