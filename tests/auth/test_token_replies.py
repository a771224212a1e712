"""Replies of token endpoints, as recorded from providers, and in the shapes that they document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jackfield.auth.flows.client import Client, find_client, find_installed, missing_client
from jackfield.auth.flows.device import Waiting
from jackfield.auth.flows.exchange import find_base_url, parse_lease
from jackfield.auth.flows.headless import pick_opener, why_headless
from jackfield.auth.flows.paste import parse_token
from jackfield.auth.flows.token import Answer, parse_answer, parse_end, to_moment, to_profile
from jackfield.auth.refresh import judge
from jackfield.credential import Profile, Secret
from jackfield.errors import AuthError
from jackfield.model import AuthMethod, Flow, ProviderInfo
from jackfield.protocols.claims import parse_claims

NOW = 1_700_000_000_000
FLOW = Flow(engine="device", token_url="https://box.example/token", device_url="https://box.example/code")
BLANK = Profile(id="box:me", provider="box", type="oauth", secret=Secret(""), refresh=Secret("r0"))


@pytest.fixture(scope="session")
def recorded(shared_wire: Path) -> dict[str, Answer]:
    """Return every recorded answer of a token endpoint by its folder."""
    found = {}
    for path in sorted((shared_wire / "oauth-token").glob("*/*/response.json")):
        status = json.loads(path.with_name("meta.json").read_text(encoding="utf-8"))["http_status"]
        found[path.parent.name.rpartition("-")[0]] = parse_answer(status, path.read_bytes())
    return found


def test_recorded_replies_become_what_they_say(recorded: dict[str, Answer]) -> None:
    waiting = Waiting(FLOW, Client("cli"), bytes)
    code = waiting.begin(recorded["sup-device-code-start"], NOW)
    assert (code.user_code, code.interval_s, code.ends_ms) == ("ABCD-EFGH", 5, NOW + 900_000)
    assert waiting.feed(recorded["sup-poll-slow-down"]) is None
    assert waiting.interval_s == 10
    fields = waiting.feed(recorded["sup-poll-success"])
    assert fields
    assert to_profile(fields, FLOW, BLANK, NOW).expires_ms is None
    lease = parse_lease(recorded["sup-copilot-token"], FLOW, ProviderInfo(id="box"), NOW)
    assert (lease.base_url, lease.expires_ms) == (
        "https://api.individual.githubcopilot.com",
        9_999_999_999_000 - 300_000,
    )
    assert {judge(answer) for name, answer in recorded.items() if name == "text-n"} == {("", "")}


def test_a_reply_without_a_new_refresh_token_keeps_the_old_one() -> None:
    profile = to_profile({"access_token": "a1", "expires_in": 3599}, FLOW, BLANK, NOW)
    assert (profile.refresh, profile.expires_ms) == (Secret("r0"), NOW + 3_299_000)


@pytest.mark.parametrize(
    ("value", "moment"),
    [(3600, NOW + 3_600_000), (1_700_003_600, 1_700_003_600_000), (1_700_003_600_000, 1_700_003_600_000)],
    ids=["seconds from now", "unix seconds", "unix milliseconds"],
)
def test_an_end_is_understood_however_it_is_written(value: int, moment: int) -> None:
    assert to_moment(value, NOW) == moment
    assert parse_end({"expires_in": str(value)}, NOW) == parse_end({"expired_in": value}, NOW) == moment - 300_000


@pytest.mark.parametrize("value", [None, 0, -1, True, "soon", []])
def test_an_end_that_is_none_is_no_end(value: object) -> None:
    assert parse_end({"expires_in": value}, NOW) is None


@pytest.mark.parametrize("token", ["", "a.b", "a.!.c", "a.bm90IGpzb24.c", "a.MQ.c"])
def test_a_token_that_claims_nothing_claims_nothing(token: str) -> None:
    assert parse_claims(token) == {}


@pytest.mark.parametrize(
    ("token", "url"),
    [
        ("tid=1;proxy-ep=proxy.business.githubcopilot.com;", "https://api.business.githubcopilot.com"),
        ("tid=1", ""),
        ("proxy-ep=evil.example/x;", ""),
    ],
)
def test_a_leased_token_says_where_it_is_good(token: str, url: str) -> None:
    assert find_base_url(token) == url


# -- who asks ----------------------------------------------------------------------


def test_a_client_comes_from_a_variable_never_from_us() -> None:
    flow = Flow(engine="pkce", client_id_env=("BOX_ID",), client_secret_env=("BOX_SECRET",), installed="gemini")
    assert find_client("my-box", flow, {}) is None
    environ = {"JACKFIELD_MY_BOX_OAUTH_CLIENT_ID": "ours", "BOX_ID": "other", "BOX_SECRET": "hush"}
    client = find_client("my-box", flow, environ)
    assert client
    assert (client.id, client.fields()["client_secret"]) == ("ours", "hush")
    assert "hush" not in repr(client)
    error = missing_client("my-box", flow)
    for name in ("JACKFIELD_MY_BOX_OAUTH_CLIENT_ID", "BOX_ID", "BOX_SECRET", "gemini"):
        assert name in error.hint


def test_an_installed_programs_client_is_found_in_its_package(tmp_path: Path) -> None:
    bundle = tmp_path / "lib" / "gemini-cli" / "dist" / "oauth2.js"
    bundle.parent.mkdir(parents=True)
    name, secret = f"{'1' * 12}-{'a' * 32}.apps.googleusercontent.com", f"GOCSPX-{'x' * 28}"
    bundle.write_text(f"const a='{name}', b='{secret}'", encoding="utf-8")
    (bundle.parents[1] / "package.json").write_text("{}", encoding="utf-8")
    start = bundle.parent / "index.js"
    start.write_text("#!/usr/bin/env node\n", encoding="utf-8")
    start.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gemini").symlink_to(start)
    found = find_installed(Flow(engine="pkce", installed="gemini"), {"PATH": str(tmp_path / "bin")})
    assert found
    assert found.secret
    assert (found.id, found.secret.reveal()) == (name, secret)
    assert find_installed(Flow(engine="pkce", installed="gemini"), {"PATH": str(tmp_path)}) is None


@pytest.mark.parametrize(
    ("environ", "platform", "says"),
    [
        ({"DISPLAY": ":0"}, "linux", ""),
        ({"WAYLAND_DISPLAY": "w"}, "linux", ""),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", ""),
        ({}, "darwin", ""),
        ({}, "win32", ""),
        ({}, "linux", "no desktop"),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "1"}, "linux", "SSH_CONNECTION"),
        ({"CODESPACES": "true"}, "darwin", "CODESPACES"),
        ({"REMOTE_CONTAINERS": "true", "DISPLAY": ":0"}, "linux", "REMOTE_CONTAINERS"),
    ],
)
def test_a_machine_without_a_browser_is_known(environ: dict[str, str], platform: str, says: str) -> None:
    reason = why_headless(environ, platform)
    assert bool(reason) == bool(says)
    assert says in reason


@pytest.mark.parametrize(
    ("environ", "platform", "words"),
    [
        ({}, "win32", ("rundll32", "url.dll,FileProtocolHandler")),
        ({}, "darwin", ("open",)),
        ({"DISPLAY": ":0"}, "linux", ("xdg-open",)),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", ("rundll32.exe", "url.dll,FileProtocolHandler")),
        ({"BROWSER": "lynx"}, "linux", ()),
        ({}, "freebsd14", ()),
    ],
)
def test_each_system_opens_a_page_with_its_own_program(
    environ: dict[str, str], platform: str, words: tuple[str, ...]
) -> None:
    assert pick_opener(environ, platform) == words


def test_a_setup_token_is_taken_whole_or_not_at_all() -> None:
    method = AuthMethod(choice="t", kind="token", secret_prefix="sk-ant-oat01-", secret_min_length=80)
    whole = "sk-ant-oat01-" + "a" * 80
    assert parse_token(f"{whole[:50]}\n{whole[50:]}\n", method) == Secret(whole)
    for text in ("sk-ant-api03-" + "a" * 80, whole[:40]):
        with pytest.raises(AuthError) as caught:
            parse_token(text, method)
        assert text not in caught.value.message
