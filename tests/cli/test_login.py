"""`models auth login` on a real terminal, at a provider of a plugin's whose sign-in runs on this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.auth.oauth_server import form
from tests.commands import run
from tests.patience import PATIENCE_S, await_true
from tests.plugins.folder import DEVICE
from tests.servers import Received, json_reply, serve
from tests.terminals import open_terminal, pexpect

ROW = (
    """
id = "acme"
name = "Acme"
api = "openai-completions"
baseUrl = "{url}/v1"
defaultModel = "small-1"
discovery = "/models"

[[auth]]
choice = "acme-page"
kind = "oauth"
label = "Acme in the browser"
[auth.flow]
engine = "pkce"
authorizeUrl = "{url}/auth"
tokenUrl = "{url}/token"
notice = "Acme wants you to read its terms"
"""
    + DEVICE
    + """host = "{public}"
hostDetail = "enterpriseUrl"
hostBaseUrl = "http://{{host}}/v1"

[[models]]
id = "small-1"
"""
)
CLIENT = {"JACKFIELD_ACME_OAUTH_CLIENT_ID": "our-client"}
REPLY = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "OK."}, "finish_reason": "stop"}],
}  # fmt: skip
numbers = iter(range(1, 1000))


def answer(received: Received) -> Any:
    if received.target == "/device":
        return json_reply(
            {"device_code": "d1", "user_code": "ABCD", "verification_uri": "https://acme.example/d", "interval": 1}
        )
    if received.target == "/token":
        number = next(numbers)
        return json_reply(
            {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": 3600}
        )
    return json_reply(REPLY)


def install(url: str) -> None:
    path = Path(os.environ["HOME"]) / "acme.toml"
    path.write_text(ROW.format(url=url, public=url.removeprefix("http://")), encoding="utf-8")
    for line in (("install", str(path)), ("enable", "acme")):
        assert run("plugins", *line).code == 0


def folder() -> Path:
    return Path(os.environ["HOME"]) / ".jackfield"


def load(name: str) -> dict[str, Any]:
    return json.loads((folder() / name).read_text(encoding="utf-8"))


def spawn(*args: str, env: dict[str, str] | None = None) -> Any:
    variables = {"TERM": "dumb", **(CLIENT if env is None else env)}
    return open_terminal(*args, env=variables, size=(50, 400), encoding="utf-8")


def end(child: Any) -> tuple[int, str]:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before


def test_a_pasted_address_ends_in_a_profile_that_is_renewed_when_it_is_used() -> None:
    with serve(answer) as server:
        install(server.url)
        child = spawn("models", "auth", "login", "--provider", "acme", "--method", "acme-page", "--set-default")
        child.expect(r"(http://127\.0\.0\.1:\d+/auth\?\S+)")
        asked = dict(parse_qsl(urlsplit(child.match[1]).query))
        child.expect("paste the address")
        child.sendline(f"{asked['redirect_uri']}?code=c1&state={asked['state']}")
        code, shown = end(child)
        assert code == 0, shown
        assert re.search(r"Auth profile: acme:default \(acme/oauth\)\s+Default model set to acme/small-1", shown)
        assert asked["client_id"] == form(server.journal[0])["client_id"] == "our-client"
        profile = load("auth-profiles.json")["profiles"]["acme:default"]
        assert profile["clientId"] == "our-client"
        assert load("jackfield.json")["auth"]["profiles"] == {"acme:default": {"provider": "acme", "mode": "oauth"}}
        assert profile["access"] not in shown + child.before
        root = load("auth-profiles.json")
        root["profiles"]["acme:default"]["expires"] = int(time.time() * 1000) - 1
        (folder() / "auth-profiles.json").write_text(json.dumps(root), encoding="utf-8")
        # The client is the one the profile was made with, also where no variable names it now.
        said = run("chat", "Hi")
        assert (said.code, said.out) == (0, "OK.\n"), said.err
        renewal, chat = server.journal[1:]
        assert form(renewal) == {
            "grant_type": "refresh_token",
            "refresh_token": profile["refresh"],
            "client_id": "our-client",
        }
        renewed = load("auth-profiles.json")["profiles"]["acme:default"]
        assert chat.headers["authorization"] == f"Bearer {renewed['access']}"
        assert renewed["refresh"] != profile["refresh"]


def test_a_code_for_another_device_and_a_name_of_ones_own() -> None:
    with serve(answer) as server:
        install(server.url)
        child = spawn("models", "auth", "login", "--provider", "acme", "--device-code", "--profile-id", "work")
        child.expect("enter the code: ABCD")
        code, shown = end(child)
        assert (code, "Auth profile: acme:work (acme/oauth)" in shown) == (0, True)
        assert "Default model available: acme/small-1 (use --set-default to apply)" in shown
        assert "agents" not in load("jackfield.json")


def test_a_company_signs_in_and_asks_at_its_own_server() -> None:
    with serve(json_reply({}, 500)) as public, serve(answer) as own:
        install(public.url)
        host = own.url.removeprefix("http://")
        line = ("models", "auth", "login", "--provider", "acme", "--device-code", "--set-default")
        child = spawn(*line, "--enterprise-url", f"https://{host}/")
        child.expect("enter the code: ABCD")
        code, shown = end(child)
        assert (code, f"Auth profile: acme:{host.replace(':', '-')} (acme/oauth)" in shown) == (0, True), shown
        [profile] = load("auth-profiles.json")["profiles"].values()
        assert profile["enterpriseUrl"] == host
        said = run("chat", "Hi")
        assert (said.code, said.out) == (0, "OK.\n"), said.err
        run("models", "refresh", "acme")
        assert [each.target for each in own.journal][-2:] == ["/v1/chat/completions", "/v1/models"]
        assert public.journal == []
    refused = spawn(*line, "--enterprise-url", "http://a/b")
    assert "is no server's name" in end(refused)[1]


def test_ctrl_c_writes_nothing() -> None:
    with serve(answer) as server:
        install(server.url)
        before = (folder() / "jackfield.json").read_text(encoding="utf-8")
        child = spawn("models", "auth", "login", "--provider", "acme", "--method", "oauth")
        child.expect("paste the address")
        child.send("\x03")
        code, shown = end(child)
        assert (code, "Traceback" in shown) == (130, False)
        assert not (folder() / "auth-profiles.json").exists()
        assert (folder() / "jackfield.json").read_text(encoding="utf-8") == before


def test_the_client_of_an_installed_program_is_used_only_on_a_yes(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "codex"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nCLIENT_ID="app_{"a1B2" * 6}"\n', encoding="utf-8")
    program.chmod(0o755)
    env = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    child = spawn("models", "auth", "login", "--provider", "openai-codex", env=env)
    child.expect("Sign in as the installed program codex does")
    child.sendline("n")
    code, shown = end(child)
    assert code == 1
    assert "JACKFIELD_OPENAI_CODEX_OAUTH_CLIENT_ID" in shown
    child = spawn("models", "auth", "login", "--provider", "openai-codex", env=env)
    child.expect("Sign in as the installed program codex does")
    child.sendline("y")
    child.expect(r"(https://auth\.openai\.com/oauth/authorize\?\S+)")
    asked = dict(parse_qsl(urlsplit(child.match[1]).query))
    assert (asked["client_id"], asked["originator"]) == (f"app_{'a1B2' * 6}", "jackfield")
    child.expect("paste the address")
    child.send("\x03")
    assert end(child)[0] == 130


def test_nobody_at_a_terminal_is_told_so_and_a_disabled_plugin_is_named() -> None:
    with serve(answer) as server:
        install(server.url)
        result = run("models", "auth", "login", "--provider", "acme", env=CLIENT)
        assert (result.code, "needs a terminal (TTY)" in result.err) == (1, True)
    result = run("models", "auth", "login", "--provider", "qwen-portal")
    assert (result.code, "jackfield plugins enable qwen-portal-auth" in result.err) == (1, True)


def test_the_setup_token_says_whose_it_is() -> None:
    result = run("models", "auth", "setup-token", "--yes", stdin="sk-ant-oat01-" + "a" * 80)
    assert (result.code, result.out) == (0, "Auth profile: anthropic:manual (anthropic/token)\n")
    assert "Claude Code only" in result.err


def test_the_wizard_leads_to_the_same_page_and_writes_nothing_before_it_is_done() -> None:
    child = spawn(
        "onboard", "--auth-choice", "openai-codex", env={"JACKFIELD_OPENAI_CODEX_OAUTH_CLIENT_ID": "our-client"}
    )
    child.expect("meant for OpenAI's own programs")
    child.expect(r"(https://auth\.openai\.com/oauth/authorize\?\S+)")
    assert dict(parse_qsl(urlsplit(child.match[1]).query))["client_id"] == "our-client"
    child.expect("paste the address")
    child.sendline("https://localhost:1455/auth/callback?code=c1&state=another")
    child.expect("the state differs[^?]*What now")
    child.sendline("")
    code, shown = end(child)
    assert (code, "nothing was written" in shown) == (0, True)
    assert not folder().exists()


@pytest.mark.parametrize(
    ("provider", "file", "says"),
    [
        ("qwen-portal", ".qwen/oauth_creds.json", "Qwen Code is signed in on this machine"),
        ("openai-codex", ".codex/auth.json", "jackfield import codex --only logins"),
        ("google-gemini-cli", ".gemini/oauth_creds.json", "jackfield import gemini --only logins"),
        ("github-copilot", ".config/github-copilot/apps.json", "jackfield import copilot --only logins"),
    ],
)
def test_a_sign_in_that_the_providers_own_program_left_is_offered(
    home: Path, provider: str, file: str, says: str
) -> None:
    for plugin in ("qwen-portal-auth", "google-gemini-cli-auth"):
        run("plugins", "enable", plugin)
    variable = f"JACKFIELD_{provider.upper().replace('-', '_')}_OAUTH_CLIENT_ID"
    for is_there in (False, True):
        if is_there:
            (home / file).parent.mkdir(parents=True)
            (home / file).write_text("{}", encoding="utf-8")
        args = ("--offline", "models", "auth", "login", "--provider", provider)
        child = spawn(*args, env={variable: "our-client", "DISPLAY": ""})
        child.expect(["paste the address", "--offline allows"])
        shown = child.before
        child.send("\x03")
        end(child)
        assert (says in shown) == is_there


def test_the_page_is_opened_whole_by_the_systems_own_program(tmp_path: Path) -> None:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(
        f'#!/bin/sh\nprintf "%s" "$*" > {tmp_path}/opening && mv {tmp_path}/opening {tmp_path}/opened\n',
        encoding="utf-8",
    )
    opener.chmod(0o755)
    with serve(answer) as server:
        install(server.url)
        env = {**CLIENT, "DISPLAY": ":0", "PATH": f"{opener.parent}:{os.environ['PATH']}"}
        child = spawn("models", "auth", "login", "--provider", "acme", "--method", "acme-page", env=env)
        child.expect(r"(http://127\.0\.0\.1:\d+/auth\?\S+)")
        url = child.match[1]
        child.expect("paste the address")
        await_true((tmp_path / "opened").exists, "the page")
        child.send("\x03")
        end(child)
    assert (tmp_path / "opened").read_text(encoding="utf-8") == url


def test_where_a_console_cannot_be_waited_for_a_line_is_read_beside() -> None:
    program = (
        "import asyncio; from jackfield.cli.person import Terminal;"
        " print(asyncio.run(Terminal({}, 'win32').paste('Question? ')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="  pasted#state \n",
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("pasted#state\n", "Question? \n")
