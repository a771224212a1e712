"""What references lead to, and what is said when they lead nowhere."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path

import pytest

from jackfield.auth.command import run, split
from jackfield.auth.secret import describe_ref, file_warning, find_file, forget_commands, is_dead, read_ref
from jackfield.credential import Secret, SecretRef
from jackfield.errors import MissingKey

KEY = "sk-canary-4242424242424242"


@pytest.fixture(autouse=True)
def _nothing_said_before():
    forget_commands()


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def why(ref: SecretRef, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(MissingKey) as caught:
        read_ref(ref, environ or {})
    assert KEY not in str(caught.value) + caught.value.hint + repr(caught.value.__cause__)
    return caught.value.message


# -- variables and files -----------------------------------------------------------


def test_a_variable_gives_its_value_without_blanks():
    ref = SecretRef("env", "A")
    assert read_ref(ref, {"A": f" {KEY}\n"}) == Secret(KEY)
    assert (why(ref), is_dead(ref, {"A": " "}), is_dead(ref, {"A": "x"})) == ("the variable A is not set", True, False)


def test_a_file_is_the_secret(tmp_path: Path):
    (tmp_path / "key").write_text(f"\ufeff{KEY}\n", encoding="utf-8")
    ref = SecretRef("file", "~/key")
    assert read_ref(ref, {"HOME": str(tmp_path)}) == Secret(KEY)
    assert not is_dead(ref, {"HOME": str(tmp_path)})
    assert is_dead(ref, {"HOME": str(tmp_path / "elsewhere")})


@pytest.mark.parametrize(
    ("pointer", "value"), [("/a/b", "one"), ("/list/1", "three"), ("/odd~1na~0me", "four"), ("/a#b", "five")]
)
def test_a_pointer_takes_one_text_of_a_json_file(tmp_path: Path, pointer: str, value: str):
    content = {"a": {"b": "one"}, "list": ["two", "three"], "odd/na~me": "four", "a#b": "five"}
    (tmp_path / "keys.json").write_text(json.dumps(content), encoding="utf-8")
    assert read_ref(SecretRef("file", f"{tmp_path}/keys.json#{pointer}"), {}) == Secret(value)


def test_a_file_name_may_hold_the_sign_of_a_pointer():
    assert find_file("/a/b#c", {}) == (Path("/a/b#c"), "")
    assert find_file("/a/b#c#/d/e", {}) == (Path("/a/b#c"), "/d/e")


@pytest.mark.parametrize(
    ("content", "pointer", "said"),
    [
        (b"  \n", "", "is empty"),
        (b"\xff" + KEY.encode(), "", "is not UTF-8"),
        (b"x" * ((1 << 20) + 1), "", "is over 1 MB, too large for a secret"),
        (b'{"a": {"b": "' + KEY.encode() + b'"}}', "#/a/c", "has nothing at /a/c"),
        (b'{"a": {"b": "' + KEY.encode() + b'"}}', "#/a", "has no text at /a"),
        (b'{"a": "' + KEY.encode(), "#/a", "has nothing at /a"),
        (b'["' + KEY.encode() + b'"]', "#/x", "has nothing at /x"),
    ],
    ids=["blank", "bytes", "large", "gone", "object", "no-json", "list"],
)
def test_a_file_that_has_no_secret_says_why_and_shows_nothing(tmp_path: Path, content: bytes, pointer: str, said: str):
    (tmp_path / "key").write_bytes(content)
    assert why(SecretRef("file", f"{tmp_path}/key{pointer}")).endswith(said)


def test_a_pipe_is_no_file_and_keeps_nobody_waiting(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert why(SecretRef("file", f"{tmp_path}/pipe")).endswith("is no file")
    assert why(SecretRef("file", f"{tmp_path}")).endswith("is no file")


def test_a_file_others_may_read_earns_a_warning(tmp_path: Path):
    path = tmp_path / "key"
    path.write_text(KEY, encoding="utf-8")
    path.chmod(0o644)
    assert file_warning(path, posix=True) == f"{path} is open to others (mode 644); run: chmod 600 {path}"
    assert file_warning(path, posix=False) == ""
    path.chmod(0o600)
    assert file_warning(path, posix=True) == file_warning(tmp_path / "gone", posix=True) == ""


# -- commands ----------------------------------------------------------------------


def test_a_command_gives_what_it_prints_and_gets_the_variables():
    ref = SecretRef("exec", python("import os; print(os.environ['WHO'] + '-key')"))
    assert read_ref(ref, {"WHO": "mine"}) == Secret("mine-key")


def test_a_command_is_asked_once_per_process(tmp_path: Path):
    ref = SecretRef("exec", python(f"open({str(tmp_path / 'asked')!r}, 'a').write('x'); print('k')"))
    assert [read_ref(ref, {}) for _ in range(3)] == [Secret("k")] * 3
    assert (tmp_path / "asked").read_text("utf-8") == "x"
    read_ref(ref, {"OTHER": "account"})
    forget_commands()
    read_ref(ref, {})
    assert (tmp_path / "asked").read_text("utf-8") == "xxx"


def test_no_shell_reads_a_command():
    assert read_ref(SecretRef("exec", python("import sys; print(sys.argv[1])") + " '$HOME;x'"), {}) == Secret("$HOME;x")


def test_a_command_that_fails_tells_its_code_and_complaint_without_what_may_be_a_key():
    code = f"import sys; print('secret-on-stdout'); print('note\\nno session for {KEY}', file=sys.stderr); sys.exit(3)"
    said = why(SecretRef("exec", python(code)))
    assert said.endswith("ended with code 3: no session for ****")
    assert "secret-on-stdout" not in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/no/such/program --x", "/no/such/program cannot be run: no such file or directory"),
        ("broken 'quote", "the command cannot be read: no closing quotation"),
        ("  ", "the command is empty"),
    ],
)
def test_a_command_that_cannot_run_is_one_clear_error(line: str, said: str):
    assert why(SecretRef("exec", line)) == said


def test_a_silent_command_and_an_endless_one_are_no_secret():
    assert why(SecretRef("exec", python("pass"))).endswith("printed nothing")
    output = run(python("print('x' * 100_000)"), {})
    assert (output.text, output.problem) == ("", "printed over 65536 bytes, or did not stop")


def test_a_command_has_a_time_limit_even_when_its_child_keeps_the_pipe():
    grandchild = f"import subprocess, time; subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(20)']); time.sleep(40)"
    began = time.monotonic()
    output = run(python(grandchild), {}, timeout_s=0.7)
    assert output.problem == "did not end within 0.7 s"
    assert time.monotonic() - began < 15


def test_a_command_that_waits_for_input_gets_none():
    assert read_ref(SecretRef("exec", python("import sys; print('got', sys.stdin.read(), 'end')")), {}) == Secret(
        "got  end"
    )


def test_windows_splits_a_command_line_itself():
    line = r'"C:\Program Files\op\op.exe" read op://Private/Venice/key'
    assert split(line, windows=True) == line
    assert split("a 'b c'", windows=False) == ["a", "b c"]


def test_a_reference_is_shown_by_its_place():
    assert describe_ref(SecretRef("env", "A")) == "$A"
    assert describe_ref(SecretRef("exec", "op read x")) == "exec: op"
