"""Whatever is broken: one clear error, exit code 1, nothing lost, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import local_provider, run, write_config
from tests.servers import free_port, serve, text_reply

COMMANDS = (("models", "list"), ("chat", "--model", "box/m", "Hi"), ("models", "set", "box/m"))


def check(*args: str, says: str, **options: object) -> None:
    result = run(*args, **options)  # type: ignore[arg-type]
    assert result.code == 1, result
    assert says in result.err, result.err
    assert result.err.count("error:") == 1, result.err


@pytest.mark.parametrize("args", COMMANDS)
def test_broken_json5_is_shown_with_its_line(args: tuple[str, ...]) -> None:
    path = write_config('{\n  models: {\n    mode "merge",\n  },\n}\n')
    check(*args, says="jackfield.json:3:10")
    assert path.read_text("utf-8").startswith("{\n  models: {\n    mode")


def test_wrong_types_are_all_shown_at_once_with_the_nearest_key() -> None:
    write_config(
        '{\n  models: { mode: "merg", providers: {\n    box: { baseURL: "http://x", api: 5, models: {} },\n  } },\n}\n'
    )
    result = run("models", "list")
    assert result.code == 1
    for told in (
        "models.mode",
        '"merge"',
        "baseURL",
        "baseUrl",
        "models.providers.box.api",
        "expected a list",
        "jackfield.json:3:",
    ):
        assert told in result.err, result.err


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("vennice/llama-3.3-70b", "venice/llama-3.3-70b"),
        ("venicee/x", "unknown provider"),
        ("gpt-4o-minni", "unknown model"),
    ],
)
def test_an_unknown_name_offers_the_nearest(ref: str, says: str) -> None:
    result = run("chat", "--model", ref, "Hi")
    assert result.code == 1
    assert says in result.err


def test_an_unknown_model_of_a_known_provider_offers_the_nearest() -> None:
    result = run("chat", "--model", "venice/llama-3.3-70", "Hi")
    assert result.code == 1
    assert "venice/llama-3.3-70b" in result.err


def test_a_missing_key_names_the_variable_and_the_command() -> None:
    result = run("chat", "--model", "venice/llama-3.3-70b", "Hi")
    assert result.code == 1
    assert "VENICE_API_KEY" in result.err
    assert "jackfield models auth paste-api-key --provider venice" in result.err


def test_a_missing_variable_is_fatal_only_where_it_is_used() -> None:
    with serve(text_reply("{}", content_type="application/json")) as server:
        text = local_provider(server.url).replace(
            '"providers": {', '"providers": {"gone": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "${GONE_KEY}"}, '
        )
        write_config(text)
        listed, told = run("models", "list"), run("-v", "models", "list")
        check("chat", "--model", "gone/m", "Hi", says="GONE_KEY")
    assert listed.code == 0
    assert "GONE_KEY" not in listed.err
    assert told.err.count("GONE_KEY") == 1


def test_a_config_that_is_a_folder_is_one_error(home: Path) -> None:
    (home / ".jackfield" / "jackfield.json").mkdir(parents=True)
    check("models", "list", says="jackfield.json")


def test_a_config_that_cannot_be_read_is_one_error() -> None:
    # Opens like a file and fails when read, for root too.
    check("models", "list", says="/proc/self/mem", env={"JACKFIELD_CONFIG": "/proc/self/mem"})


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_config_that_may_not_be_read_is_one_error() -> None:
    path = write_config("{}")
    path.chmod(0)
    check("models", "list", says="jackfield.json")


def test_a_huge_config_is_refused_at_once(home: Path) -> None:
    path = write_config("{}")
    with path.open("ab") as file:
        file.truncate(100 * 2**20)
    check("models", "list", says="jackfield.json")


def test_bytes_that_are_no_text_are_one_error() -> None:
    write_config("{}").write_bytes(b'{ models: "\xff\xfe" }')
    check("models", "list", says="UTF-8")


def test_a_home_that_does_not_exist_is_one_error() -> None:
    env = {"HOME": "/proc/nobody"}
    assert run("models", "list", "--all", "--plain", env=env, cwd=Path("/")).code == 0
    line = ("models", "auth", "paste-api-key", "--provider", "venice")
    check(*line, says="/proc/nobody", env=env, cwd=Path("/"), stdin="vapi_1234567890123456")


@pytest.mark.skipif(not Path("/proc/sys").is_dir(), reason="needs a read-only file system")
def test_a_read_only_disk_is_one_error_and_reading_still_works() -> None:
    env = {"JACKFIELD_HOME": "/proc/sys/jackfield"}
    assert run("models", "list", "--all", "--plain", env=env).code == 0
    check("models", "set", "venice/llama-3.3-70b", says="/proc/sys/jackfield", env=env)
    check(
        "models",
        "auth",
        "paste-api-key",
        "--provider",
        "venice",
        says="/proc/sys/jackfield",
        env=env,
        stdin="vapi_1234567890123456",
    )


def test_nobody_listening_names_the_url() -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    write_config(local_provider(url))
    check("chat", "Hi", says=f"{url}/chat/completions")


def test_a_host_that_does_not_exist_names_the_url() -> None:
    write_config(local_provider("http://nowhere.invalid/v1"))
    check("chat", "Hi", says="http://nowhere.invalid/v1/chat/completions")


def test_a_damaged_credential_store_is_never_overwritten(home: Path) -> None:
    store = home / ".jackfield" / "auth-profiles.json"
    write_config("{}")
    store.write_text("{ broken", encoding="utf-8")
    check(
        "models",
        "auth",
        "paste-api-key",
        "--provider",
        "venice",
        says="auth-profiles.json",
        stdin="vapi_1234567890123456",
    )
    assert store.read_text("utf-8") == "{ broken"


def test_a_provider_id_nobody_can_name_is_a_warning() -> None:
    write_config('{ models: { providers: { "a/b": { baseUrl: "http://127.0.0.1:9/v1" } } } }')
    assert "models.providers.a/b" in run("models", "list").err
    assert "can never be named" in run("config", "validate").err


def test_a_route_without_a_name_is_no_model() -> None:
    write_config('{ models: { routes: { "": { primary: "openai/gpt-5.2" } } } }')
    assert run("models", "set", "").code == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a directory in use stays there")
def test_a_directory_that_is_gone_is_one_error(home: Path) -> None:
    line = f"mkdir gone && cd gone && rmdir ../gone && {sys.executable} -m jackfield models list"
    done = subprocess.run(line, shell=True, cwd=home, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "error: the current directory no longer exists")


def test_a_warning_is_told_once(home: Path) -> None:
    (home / ".env").write_bytes(b"\xff")
    assert run("models", "status").err.count("is ignored: not UTF-8") == 1


def test_a_missing_variable_of_the_config_is_the_one_to_set() -> None:
    write_config('{ models: { providers: { box: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "${OFFICE_KEY}" } } } }')
    check("chat", "--model", "box/m", "Hi", says="hint: set OFFICE_KEY, or run: jackfield models auth paste-api-key")
