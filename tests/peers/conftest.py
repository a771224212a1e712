"""A peer of other people's making: aimock speaks the wires of eight providers, from a script of answers.

`scripts/setup dev` fetches it where npm is; elsewhere the tests that need it are skipped.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
AIMOCK = HERE.parents[1] / ".venv" / "aimock" / "package" / "dist" / "cli.js"
ADDRESS = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")


@pytest.fixture(scope="session")
def aimock() -> Iterator[str]:
    """Run aimock for the whole session and return its address."""
    node = shutil.which("node")
    if node is None or not AIMOCK.is_file():
        pytest.skip("no aimock: it needs Node.js with npm, then `scripts/setup dev`")
    command = [node, str(AIMOCK), "-p", "0", "-f", str(HERE / "aimock.json")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as server:
        try:
            yield _hear_address(server)
        finally:
            server.kill()


def _hear_address(server: subprocess.Popen[str]) -> str:
    assert server.stdout
    said: list[str] = []
    for line in server.stdout:
        said.append(line)
        if found := ADDRESS.search(line):
            # It goes on talking; a full pipe would stop it.
            threading.Thread(target=server.stdout.read, daemon=True).start()
            return found[1]
    pytest.fail(f"aimock did not start: {''.join(said)}")
