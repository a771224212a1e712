"""`jackfield demo` in a process of its own: what a newcomer sees first."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import run
from tests.patience import PATIENCE_S

ANSWER = "Hello from Jackfield. This answer came out of a real model server on your own machine."


@pytest.fixture
def wheel() -> None:
    pytest.importorskip("xllamacpp", exc_type=ImportError)


@pytest.mark.usefixtures("wheel")
def test_it_shows_an_answer_a_tool_call_and_what_to_do_next() -> None:
    result = run("demo")

    assert result.code == 0, result.err
    assert ANSWER in result.out
    assert re.search(r'call +weather \{"city": ?"Lisbon"\}', result.out)
    assert "The tool's reply has reached me." in result.out
    assert "jackfield onboard" in result.err


@pytest.mark.usefixtures("wheel")
def test_it_neither_reads_nor_writes_the_users_set_up(home: Path) -> None:
    folder = home / ".jackfield"
    folder.mkdir()
    (folder / "jackfield.json").write_text("{ this is not a config")

    result = run("demo", env={"OPENAI_BASE_URL": "http://127.0.0.1:9", "JACKFIELD_CONFIG": "/nowhere"})

    assert result.code == 0, result.err
    assert [path.name for path in home.rglob("*") if path.is_file()] == ["jackfield.json"]


@pytest.mark.usefixtures("wheel")
def test_serve_keeps_a_server_that_chat_can_use_and_ctrl_c_ends(home: Path) -> None:
    command = [sys.executable, "-m", "jackfield", "demo", "--serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=os.environ
    ) as served:
        assert served.stdout is not None
        assert served.stderr is not None
        text = ""
        while not text.endswith("\n}\n"):
            line = served.stdout.readline()
            assert line, served.stderr.read()
            text += line
        (home / "served.json").write_text(text[text.index("\n{\n") :])

        reply = run("--config", str(home / "served.json"), "chat", "Hello")
        served.send_signal(signal.SIGINT)
        try:
            _, told = served.communicate(timeout=PATIENCE_S)
        finally:
            served.kill()

    assert reply.out.strip() == ANSWER
    assert served.returncode == 130
    assert told.strip() == ""


def test_without_the_wheel_it_names_the_command_that_brings_it() -> None:
    program = "import sys; sys.modules['xllamacpp'] = None; from jackfield.cli.main import run; sys.exit(run(['demo']))"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", env=os.environ, check=False
    )

    assert done.returncode == 1
    assert "pip install 'jackfield[demo]'" in done.stderr
    assert "Traceback" not in done.stderr
