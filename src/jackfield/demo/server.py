"""The demo's model server: started as a process of its own, stopped with its owner.

Promises that nothing outlives the `with` block, and that neither the user's home nor any
address but the loopback is touched. What it answers is wired into scripts/make_demo_model.py.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from msgspec import Struct

from jackfield.demo import CONTEXT_WINDOW, MODEL
from jackfield.errors import ConfigError, Error
from jackfield.message import JsonObject

PROVIDER = "demo"
REF = f"{PROVIDER}/{MODEL}"
STOP_S = 5.0
# What the wheel is linked against and a bare system may lack → how to get it on Debian.
LIBRARIES = {"libgomp": "apt-get install libgomp1"}


class DemoServer(Struct, frozen=True):
    """A running server; the key opens nothing else and dies with it."""

    root: str  # http://127.0.0.1:PORT
    key: str
    process: subprocess.Popen[str]

    @property
    def base_url(self) -> str:
        """The address an OpenAI client is given."""
        return f"{self.root}/v1"

    def is_running(self) -> bool:
        """Tell whether the process still lives."""
        return self.process.poll() is None

    def provider(self) -> JsonObject:
        """Return the server as an ordinary entry of `models.providers`."""
        model = {
            "id": MODEL,
            "name": "Hand-wired demo",
            "contextWindow": CONTEXT_WINDOW,
            "maxTokens": 1_024,
            "reasoning": True,
            "cost": {"input": 0, "output": 0},
            "compat": {"thinkingFormat": "qwen-chat-template"},
        }
        return {"baseUrl": self.base_url, "apiKey": self.key, "api": "openai-completions", "models": [model]}

    def config_text(self) -> str:
        """Return a whole config file that names this server and makes it the default."""
        config = {
            "models": {"providers": {PROVIDER: self.provider()}},
            "agents": {"defaults": {"model": {"primary": REF}}},
        }
        return json.dumps(config, indent=2)


@contextmanager
def open_server(port: int = 0) -> Iterator[DemoServer]:
    """Run a llama.cpp server on the loopback, on any free port unless one is named.

    Raises `ConfigError` where the wheel is not installed, `Error` when the server does not start.
    """
    if find_spec("xllamacpp") is None:
        raise ConfigError("the demo's model server is not installed", hint="pip install 'jackfield[demo]'")
    key = f"demo-{secrets.token_hex(8)}"
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(  # noqa: S603  our own interpreter, our own module
            [sys.executable, "-m", "jackfield.demo.llama", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is the parent's business
        )
        try:
            root = _exchange(process, key)
            if not root:
                log.seek(0)
                said = log.read().strip().splitlines() or ["no word"]
                raise _failed(said[-1], port)
            yield DemoServer(root, key, process)
        finally:
            _stop(process)


def _exchange(process: subprocess.Popen[str], key: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(f"{key}\n")
        process.stdin.flush()
    except BrokenPipeError:
        return ""
    return process.stdout.readline().strip()


def _failed(said: str, port: int) -> Error:
    where = f" on port {port}" if port else ""
    hint = next((command for library, command in LIBRARIES.items() if library in said), "")
    return Error(f"the demo's model server did not start{where}: {said}", hint=hint)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
