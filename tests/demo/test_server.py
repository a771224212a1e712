"""The demo's server is a real one, and ends with its owner, however that one ends."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.demo.server import DemoServer, open_server
from jackfield.errors import Error
from tests.patience import PATIENCE_S, await_true

pytest.importorskip("xllamacpp", exc_type=ImportError)


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with open_server() as running:
        yield running


def ask(server: DemoServer, key: str) -> str:
    body = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "hi"}]}).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{server.base_url}/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
        return str(json.load(reply)["choices"][0]["message"]["content"])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child nobody has waited for is dead and still listed.
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid: int) -> bool:
    await_true(lambda: not is_alive(pid), "the end of the server")
    return True


def test_it_answers_on_the_loopback(server: DemoServer) -> None:
    assert server.root.startswith("http://127.0.0.1:")
    assert ask(server, server.key).startswith("Hello from Jackfield.")


def test_it_refuses_another_key(server: DemoServer) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, "demo-wrong")

    assert refused.value.code == 401
    refused.value.close()


def test_two_servers_share_neither_port_nor_key(server: DemoServer) -> None:
    with open_server() as other:
        assert other.root != server.root
        assert other.key != server.key


def test_nothing_is_left_after_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))

    with open_server() as server:
        assert server.is_running()

    assert not server.is_running()
    assert list(scratch.iterdir()) == []


def test_the_server_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    program = (
        "import time\n"
        "from jackfield.demo.server import open_server\n"
        "with open_server() as server:\n"
        "    print(server.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, encoding="utf-8") as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert is_alive(pid)

        owner.send_signal(signal.SIGKILL)
        owner.wait()

    assert wait_until_gone(pid)


def test_a_taken_port_is_said_so(server: DemoServer) -> None:
    port = int(server.root.rpartition(":")[2])

    with pytest.raises(Error, match=f"did not start on port {port}"), open_server(port):
        pass
