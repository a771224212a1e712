"""The command as a person runs it: a process of its own, in the test's own home (how: tests/forks.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import forks
from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return the value on stdout."""
        return json.loads(self.out)


def run(
    *args: str,
    stdin: str | bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    start: bool = False,
    name: str = "jackfield",
) -> Result:
    """Run `jackfield ARGS` with nothing on standard input unless given; `start` is no fork, `name` what it is called by."""
    data, whole = stdin.encode() if isinstance(stdin, str) else stdin, {**os.environ, **(env or {})}
    folder = cwd or os.environ["HOME"]
    if forks.fits(whole) and not start:
        done = forks.run(args, stdin=data, env=whole, cwd=folder, timeout_s=PATIENCE_S, name=name)
    else:
        done = subprocess.run(
            [sys.executable, "-m", "jackfield", *args],
            input=data, capture_output=True, env=whole, cwd=folder, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in result.err, result.err
    return result


def write_config(text: str, home: Path | None = None) -> Path:
    """Write `~/.jackfield/jackfield.json` in the test's home and return its path."""
    folder = (home or Path(os.environ["HOME"])) / ".jackfield"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "jackfield.json"
    path.write_text(text, encoding="utf-8")
    return path


def local_provider(url: str, *, model: str = "m", api: str = "openai-completions", **more: Any) -> str:
    """Return a config with one provider `box` at a loopback URL and its model as the default."""
    provider = {"baseUrl": url, "api": api, "apiKey": "sk-box-0123456789", "models": [{"id": model}], **more}
    return json.dumps(
        {"agents": {"defaults": {"model": {"primary": f"box/{model}"}}}, "models": {"providers": {"box": provider}}}
    )


def impatient(config: str) -> str:
    """Return a config whose walk asks nobody twice, so that no test waits."""
    said = json.loads(config)
    said["models"]["policy"] = {"maxWait": 0}
    return json.dumps(said)
