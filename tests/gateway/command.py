"""The gateway as a process of its own (how: tests/forks.py), asked over its sockets and looked at from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests import forks
from tests.patience import LOOK_S, PATIENCE_S


class Process:
    """A running gateway; `err` is what it wrote, once it has ended."""

    def __init__(self, child: forks.Child, lines: list[str]) -> None:
        self.lines = lines
        self.port = int(lines[0].rpartition(":")[2])
        self.admin_port = int(lines[-1].split(",")[0].rpartition(":")[2]) if "http" in lines[-1] else 0
        self.pid = child.pid
        self.err = ""
        self._child = child

    @property
    def token(self) -> str:
        return self.kept("gateway-token")

    def kept(self, name: str) -> str:
        """Return a file of the home."""
        return (Path(os.environ["HOME"]) / ".jackfield" / name).read_text(encoding="utf-8").strip()

    def ask(self, model: str, **more: Any) -> Any:
        """Ask a model and return its answer, or what is wrong."""
        body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}
        return json.loads(self.request("POST", "/v1/chat/completions", json.dumps(body).encode())[2])

    def get(self, path: str) -> str:
        return self.request("GET", path)[2].decode()

    def page(self) -> str:
        return self.get("/metrics")

    def admin(self, path: str, body: Any = None, *, method: str = "", **headers: str) -> tuple[int, Any]:
        """Ask the admin's listener; a body makes it a POST."""
        raw = b"" if body is None else json.dumps(body).encode()
        # Where the config names the token, there is no file of it.
        said = (
            headers
            if "authorization" in headers
            else {"authorization": f"Bearer {self.kept('admin-token')}", **headers}
        )
        method = method or ("GET" if body is None else "POST")
        status, _, answer = self.request(method, f"/admin/api/{path}", raw, port=self.admin_port, **said)
        return status, json.loads(answer)

    def status(self, path: str, body: bytes = b"") -> int:
        return self.request("POST" if body else "GET", path, body)[0]

    def request(
        self, method: str, path: str, body: bytes = b"", *, port: int = 0, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body; asks again until it listens."""
        until = time.monotonic() + PATIENCE_S
        said = {"authorization": f"Bearer {self.token}", "content_type": "application/json", **headers}
        head = {name.replace("_", "-"): text for name, text in said.items() if text}
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE_S)
            try:
                connection.request(method, path, body or None, head)
                reply = connection.getresponse()
                return reply.status, {name.lower(): text for name, text in reply.getheaders()}, reply.read()
            except ConnectionError:
                if time.monotonic() > until or self._child.poll() is not None:
                    raise
                time.sleep(LOOK_S)
            finally:
                connection.close()

    def wait_for(self, look: Callable[[], Any], word: str) -> Any:
        """Look until a word is there, and return what was seen."""
        until, seen = time.monotonic() + PATIENCE_S, None
        while time.monotonic() < until:
            seen = look()
            if word in (seen if isinstance(seen, str) else json.dumps(seen)):
                return seen
            time.sleep(LOOK_S)
        raise AssertionError(f"{word!r} is not in {seen}")

    def has_ended(self) -> bool:
        return self._child.poll() is not None

    def wait(self) -> int:
        return self._child.wait(PATIENCE_S)

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def resident_kb(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmRSS:")[2].split()[0])


@contextmanager
def gateway_child(
    *args: str, err: Path, env: Mapping[str, str] | None = None, cwd: Path | str | None = None
) -> Iterator[tuple[forks.Child, list[str]]]:
    """Run `jackfield ARGS`, a gateway, until the block ends; yields it and the lines it began with."""
    whole, folder = {**os.environ, **(env or {})}, cwd or os.environ["HOME"]
    assert forks.fits(whole), "these variables need a start of its own"
    reads, writes = os.pipe()
    with os.fdopen(reads, encoding="utf-8") as out, Path(os.devnull).open("rb") as nothing, err.open("wb") as log:
        child = forks.spawn(args, (nothing.fileno(), writes, log.fileno()), env=whole, cwd=folder)
        os.close(writes)
        try:
            lines = []
            while line := out.readline().rstrip():
                lines.append(line)
                if line.startswith("admin"):
                    break
            yield child, lines
        finally:
            if child.poll() is None:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGTERM)
            child.end(PATIENCE_S)


@contextmanager
def gateway_process(*args: str, before: Sequence[str] = ()) -> Iterator[Process]:
    """Run a gateway on a free port until the block ends; `before` are flags of every command."""
    err = Path(os.environ["HOME"]) / "stderr"
    process = None
    try:
        with gateway_child(*before, "gateway", "--port", "0", *args, err=err) as (child, lines):
            assert lines, err.read_text(encoding="utf-8")
            process = Process(child, lines)
            process.request("GET", "/healthz")
            yield process
    finally:
        if process:
            process.err = err.read_text(encoding="utf-8")
