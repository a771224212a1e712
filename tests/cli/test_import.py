"""`import` through the installed command: the diff first, nothing over what is there, the source untouched."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run, write_config
from tests.imports.trees import token
from tests.terminals import open_terminal, pexpect

KEY = "sk-ant-api03-abcdefghijklmnop"
SERVER = "http://10.0.0.5:8000/v1"
OPENCODE = {
    "model": "box/m1",
    "provider": {
        "box": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": SERVER, "apiKey": "{env:BOX_KEY}"},
            "models": {"m1": {}},
        }
    },
}
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the sample trees stand where other systems keep them")


def write(path: str, content: str | dict[str, Any]) -> Path:
    file = Path(os.environ["HOME"]) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return file


def opencode() -> None:
    write(".config/opencode/opencode.json", OPENCODE)
    write(".local/share/opencode/auth.json", {"anthropic": {"type": "api", "key": KEY}})


def home_files() -> dict[str, bytes]:
    home = Path(os.environ["HOME"])
    return {
        str(file.relative_to(home)): file.read_bytes()
        for file in home.rglob("*")
        if file.is_file() and ".jackfield" not in str(file)
    }


def ours(name: str) -> Path:
    return Path(os.environ["HOME"]) / ".jackfield" / name


def config() -> Any:
    return json.loads(ours("jackfield.json").read_text(encoding="utf-8"))


def profiles() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(ours("auth-profiles.json").read_text(encoding="utf-8"))["profiles"]
    return found


def test_a_dry_run_shows_the_diff_and_the_masked_credentials_and_writes_nothing() -> None:
    opencode()
    result = run("import", "opencode", "--dry-run")
    assert result.code == 0
    assert '+        "baseUrl": "http://10.0.0.5:8000/v1",' in result.out
    assert '+        "apiKey": "${BOX_KEY}"' in result.out
    assert "anthropic:opencode" in result.out
    assert "sk-a…mnop" in result.out
    assert KEY not in result.out + result.err
    assert "nothing was written" in result.err
    assert not ours("jackfield.json").exists()
    assert not ours("auth-profiles.json").exists()


def test_with_nobody_to_ask_nothing_is_written_without_yes() -> None:
    opencode()
    result = run("import", "opencode")
    assert result.code == 2
    assert "run: jackfield import opencode --yes" in result.err
    assert not ours("jackfield.json").exists()


def test_an_import_writes_config_and_store_and_a_second_one_finds_nothing_new() -> None:
    opencode()
    before = home_files()
    result = run("import", "opencode", "--yes")
    assert result.code == 0, result.err
    assert "Auth profile: anthropic:opencode (anthropic/api_key)" in result.out
    assert config()["models"]["providers"]["box"] == {
        "baseUrl": SERVER,
        "api": "openai-completions",
        "models": [{"id": "m1"}],
        "apiKey": "${BOX_KEY}",
    }
    assert config()["agents"]["defaults"]["model"] == {"primary": "box/m1"}
    assert profiles() == {"anthropic:opencode": {"type": "api_key", "provider": "anthropic", "key": KEY}}
    texts = [ours(name).read_bytes() for name in ("jackfield.json", "auth-profiles.json")]
    again = run("import", "opencode", "--yes")
    assert (again.code, again.out) == (0, "nothing new from opencode\n")
    assert [ours(name).read_bytes() for name in ("jackfield.json", "auth-profiles.json")] == texts
    assert home_files() == before


MINE = """{
  // my own words
  agents: { defaults: { model: "venice/v" } },
  models: { providers: { box: { baseUrl: "http://10.0.0.9/v1", models: [{ id: "mine" }] } }, aliases: { mine: "box/mine" } },
}
"""


def test_what_is_there_is_kept_and_named() -> None:
    opencode()
    write_config(MINE)
    result = run("import", "opencode", "--yes", "--json").json()
    assert result["kept"] == ["agents.defaults.model: venice/v; --set-default makes it custom-10-0-0-5-8000/m1"]
    written = ours("jackfield.json").read_text(encoding="utf-8")
    assert 'box: { baseUrl: "http://10.0.0.9/v1", models: [{ id: "mine" }] }, "custom-10-0-0-5-8000": {' in written
    assert 'model: "venice/v"' in written
    assert run("import", "opencode", "--yes", "--json").json()["written"] == []


def test_set_default_and_new_rows_change_only_what_they_must() -> None:
    opencode()
    text = MINE.replace("http://10.0.0.9/v1", SERVER)
    write_config(text)
    assert run("import", "opencode", "--yes", "--set-default").code == 0
    written = ours("jackfield.json").read_text(encoding="utf-8")
    assert "// my own words" in written
    assert 'model: "box/m1"' in written
    assert '{ id: "mine" }, { id: "m1" }' in written
    assert ours("jackfield.json.bak").read_text(encoding="utf-8") == text


def test_a_stored_credential_of_that_name_stays() -> None:
    opencode()
    run(
        "models",
        "auth",
        "paste-api-key",
        "--provider",
        "anthropic",
        "--profile-id",
        "opencode",
        stdin="sk-ant-api03-mine-0123456789",
    )
    result = run("import", "opencode", "--yes", "--only", "keys", "--json").json()
    assert (result["credentials"], result["written"]) == ([], [])
    assert "credential anthropic:opencode" in result["kept"][0]
    assert profiles()["anthropic:opencode"]["key"] == "sk-ant-api03-mine-0123456789"


def test_only_one_part_is_brought_over() -> None:
    opencode()
    assert run("import", "opencode", "--yes", "--only", "keys").code == 0
    assert not ours("jackfield.json").exists()
    assert list(profiles()) == ["anthropic:opencode"]


def test_a_part_that_a_tool_has_not_is_wrong_usage() -> None:
    result = run("import", "qwen", "--only", "models", "--json")
    assert (result.code, result.json()["error"]["type"]) == (2, "usage")


def test_a_tool_that_left_nothing_says_where_was_looked() -> None:
    result = run("import", "aichat", "--json")
    assert result.code == 1
    assert ".config/aichat" in result.json()["error"]["message"]
    assert run("import", "aichat", "/nowhere/at/all").code == 2


# -- sign-ins ----------------------------------------------------------------------


def codex(access: str, refresh: str = "rt-0123456789abcdef") -> None:
    write(".codex/auth.json", {"tokens": {"access_token": access, "refresh_token": refresh, "account_id": "acc"}})


def test_a_login_waits_to_be_asked_for() -> None:
    codex(token({"exp": 1_900_000_000}))
    result = run("import", "codex", "--yes")
    assert "nothing new from Codex" in result.out
    assert "--only logins" in result.err
    assert not ours("auth-profiles.json").exists()


def test_a_login_on_request_keeps_its_end_and_says_what_is_shared() -> None:
    access = token({"exp": 1_900_000_000})
    codex(access)
    before = home_files()
    result = run("import", "codex", "--yes", "--only", "logins")
    assert result.code == 0, result.err
    assert "the refresh token will be shared with Codex" in result.err
    assert access not in result.out + result.err
    assert "rt-0123456789abcdef" not in result.out + result.err
    stored = profiles()["openai-codex:codex-cli"]
    assert (stored["access"], stored["refresh"], stored["expires"]) == (
        access,
        "rt-0123456789abcdef",
        1_900_000_000_000,
    )
    assert stored["accountId"] == "acc"
    assert home_files() == before


def test_qwens_login_comes_with_its_address_and_its_plugin() -> None:
    write(
        ".qwen/oauth_creds.json",
        {
            "access_token": "qa-0123456789",
            "refresh_token": "qr-0123456789",
            "resource_url": "portal.qwen.ai",
            "expiry_date": 1_900_000_000_000,
        },
    )
    assert run("import", "qwen", "--yes").code == 0
    assert profiles()["qwen-portal:qwen-cli"]["resourceUrl"] == "portal.qwen.ai"
    assert config() == {"plugins": {"entries": {"qwen-portal-auth": {"enabled": True}}}}


def test_geminis_login_is_named_after_the_account_and_its_client() -> None:
    identity = token({"email": "me@x.example", "azp": "123.apps.example"})
    write(
        ".gemini/oauth_creds.json",
        {
            "access_token": "ga-0123456789",
            "refresh_token": "gr-0123456789",
            "id_token": identity,
            "expiry_date": 1_900_000_000_000,
        },
    )
    assert run("import", "gemini", "--yes").code == 0
    stored = profiles()["google-gemini-cli:me@x.example"]
    assert (stored["clientId"], stored["email"]) == ("123.apps.example", "me@x.example")


def test_copilots_tokens_are_found_in_both_files() -> None:
    write(".config/github-copilot/apps.json", {"github.com:Iv1": {"user": "me", "oauth_token": "ghu_0123456789"}})
    write(
        ".config/github-copilot/hosts.json",
        {"corp.ghe.example": {"oauth_token": "ghu_9876543210"}, "github.com": {"oauth_token": "ghu_0123456789"}},
    )
    assert run("import", "copilot", "--yes").code == 0
    found = profiles()
    assert found["github-copilot:github"] == {"type": "token", "provider": "github-copilot", "token": "ghu_0123456789"}
    assert found["github-copilot:corp.ghe.example"]["enterpriseUrl"] == "corp.ghe.example"


# -- what is broken or hostile --------------------------------------------------------


def test_a_broken_file_is_named_with_its_line_and_the_rest_is_imported() -> None:
    opencode()
    write(".config/opencode/opencode.json", '{\n "model": \n}')
    result = run("import", "opencode", "--yes", "--json").json()
    assert any("opencode.json:3:1: expected a value" in line for line in result["leftOut"])
    assert list(profiles()) == ["anthropic:opencode"]


def test_links_in_a_circle_pipes_and_huge_files_are_left_out() -> None:
    opencode()
    folder = Path(os.environ["HOME"]) / ".config" / "opencode"
    (folder / "opencode.json").unlink()
    (folder / "opencode.json").symlink_to(folder / "opencode.jsonc")
    (folder / "opencode.jsonc").symlink_to(folder / "opencode.json")
    os.mkfifo(folder / "config.json")
    (folder / "auth.json").write_bytes(b" " * (5 << 20))
    result = run("import", "opencode", "--yes", "--json").json()
    assert len(result["leftOut"]) == 4
    assert "over 4 MB" in " ".join(result["leftOut"])
    assert list(profiles()) == ["anthropic:opencode"]


def test_what_a_config_cannot_hold_is_left_out_and_named() -> None:
    write(
        "claw/openclaw.json",
        '{ models: { providers: { box: { baseUrl: "http://10.0.0.5/v1", api: "morse", models: [{ name: "no id" }, { id: "m" }] } } } }',
    )
    result = run("import", "openclaw", "claw", "--yes", "--json").json()
    assert config()["models"]["providers"]["box"] == {"baseUrl": "http://10.0.0.5/v1", "models": [{"id": "m"}]}
    assert any("models.providers.box.api" in line for line in result["leftOut"])
    assert any("models[0]" in line for line in result["leftOut"])


def test_openclaws_config_comes_over_whole_into_a_fresh_one() -> None:
    write(
        ".openclaw/openclaw.json",
        '{ agents: { defaults: { model: { primary: "venice/v" }, models: { "venice/v": { alias: "V" } } } }, channels: {} }',
    )
    write(
        ".openclaw/agents/main/agent/auth-profiles.json",
        {"profiles": {"venice:default": {"type": "api_key", "provider": "venice", "key": "vapi_0123456789"}}},
    )
    assert run("import", "openclaw", "--yes").code == 0
    assert config()["agents"]["defaults"] == {"model": {"primary": "venice/v"}, "models": {"venice/v": {"alias": "V"}}}
    assert list(profiles()) == ["venice:default"]
    assert run("import", "openclaw", "--yes").out == "nothing new from OpenClaw\n"


def test_a_read_only_config_keeps_the_store_as_it_is() -> None:
    opencode()
    result = run("import", "opencode", "--yes", env={"OPENCLAW_CONFIG_READONLY": "1"})
    assert result.code == 1
    assert not ours("auth-profiles.json").exists()


def test_a_config_that_is_ours_already_is_not_imported_into_itself() -> None:
    file = write(".openclaw/openclaw.json", "{ models: {} }")
    result = run("import", "openclaw", "--yes", env={"OPENCLAW_CONFIG_PATH": str(file)})
    assert result.code == 2
    assert "own file already" in result.err


def test_what_stands_in_a_broken_file_is_not_repeated() -> None:
    write(".local/share/opencode/auth.json", '{ "groq": { "type": "api", "key": gsk_0123456789abcdef } }')
    result = run("import", "opencode", "--yes")
    assert result.code == 1
    assert "auth.json:1:" in result.err
    assert "gsk" not in result.out + result.err


def test_a_person_is_asked_and_may_say_no() -> None:
    opencode()
    child = open_terminal("import", "opencode", encoding="utf-8")
    child.expect(r"Write this\? \[y/N\]")
    child.sendline("n")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert not ours("jackfield.json").exists()
    child = open_terminal("import", "opencode", encoding="utf-8")
    child.expect(r"Write this\? \[y/N\]")
    child.sendline("y")
    child.expect("Auth profile: anthropic:opencode")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert list(profiles()) == ["anthropic:opencode"]


def test_without_the_extra_yaml_says_what_to_install() -> None:
    write("proxy.yaml", "model_list: []")
    write("here/yaml.py", "raise ImportError")
    result = run("import", "litellm", "proxy.yaml", env={"PYTHONPATH": str(Path(os.environ["HOME"]) / "here")})
    assert result.code == 1
    assert "pip install 'jackfield[import]'" in result.err


def answer_after(change: Callable[[], object]) -> str:
    """Start an import, change something while its question stands, say yes; return what it printed then."""
    child = open_terminal("import", "opencode", encoding="utf-8")
    child.expect(r"Write this\? \[y/N\]")
    change()
    child.sendline("y")
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before)


def test_a_config_that_changed_while_the_question_stood_is_left_alone() -> None:
    opencode()
    said = answer_after(lambda: write_config("{ models: {} }"))
    assert "has changed since the diff was made" in said
    assert ours("jackfield.json").read_text(encoding="utf-8") == "{ models: {} }"
    assert not ours("auth-profiles.json").exists()


def test_a_credential_stored_while_the_question_stood_stays() -> None:
    opencode()
    mine = {"profiles": {"anthropic:opencode": {"type": "api_key", "provider": "anthropic", "key": "sk-ant-mine"}}}
    answer_after(lambda: write(".jackfield/auth-profiles.json", mine))
    assert profiles() == mine["profiles"]


# -- OpenClaw's included files -----------------------------------------------------

BOX = {"baseUrl": "http://10.0.0.5/v1", "models": [{"id": "m"}]}


def including(name: str, **files: Any) -> None:
    write(".openclaw/openclaw.json", {"models": {"$include": name}, "agents": {"defaults": {"model": "box/m"}}})
    for path, content in files.items():
        write(f".openclaw/{path}.json", content)


def test_included_files_are_followed_and_only_read() -> None:
    including(
        "./parts.json",
        parts={"providers": {"$include": "more.json"}},
        more={"box": {**BOX, "apiKey": "box-0123456789"}},
    )
    before = home_files()
    result = run("import", "openclaw", "--yes")
    assert result.code == 0, result.err
    assert config()["models"]["providers"] == {"box": BOX}
    assert profiles()["box:default"]["key"] == "box-0123456789"
    assert home_files() == before


def test_a_file_outside_the_directory_is_not_followed() -> None:
    write("secret.json", {"providers": {"box": BOX}})
    including("../secret.json")
    result = run("import", "openclaw", "--dry-run", "--json")
    assert "10.0.0.5" not in result.out
    assert "OPENCLAW_INCLUDE_ROOTS" not in result.out
    assert "lies outside" in result.out
    assert not ours("jackfield.json").exists()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "does not exist"),
        ({"parts": {"$include": "parts.json"}}, "include each other"),
        ({"parts": '{"providers": sk-secret-key'}, "parts.json:1"),
    ],
)
def test_what_cannot_be_included_is_told_and_the_rest_comes(files: dict[str, Any], says: str) -> None:
    including("parts.json", **files)
    result = run("import", "openclaw", "--yes")
    assert result.code == 0, result.err
    assert says in result.out + result.err
    assert "sk-secret" not in result.out + result.err


def test_links_lead_nowhere_outside_either() -> None:
    write("outside/secret.json", {"providers": {"box": BOX}})
    including("link.json")
    (Path(os.environ["HOME"]) / ".openclaw" / "link.json").symlink_to(
        Path(os.environ["HOME"]) / "outside" / "secret.json"
    )
    result = run("import", "openclaw", "--dry-run")
    assert "lies outside" in result.out + result.err
    assert "10.0.0.5" not in result.out
