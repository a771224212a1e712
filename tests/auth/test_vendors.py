"""Four vendors' sign-ins as their own rows describe them, against servers that speak as the vendors' do.

Every address of a row leads to one scripted server; which host was meant is checked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from msgspec.structs import replace

from jackfield.auth.details import with_details
from jackfield.auth.flows.client import Client
from jackfield.auth.flows.signin import World, sign_in
from jackfield.auth.refresh import Refresher
from jackfield.auth.store import FileStore
from jackfield.catalog.index import load_index, parse_info
from jackfield.credential import Profile, RequestAuth, Secret
from jackfield.errors import AuthError
from jackfield.model import ProviderInfo
from jackfield.transport.http import Transport
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from tests.auth.oauth_server import form
from tests.auth.test_signin import DESKTOP, Somebody, jwt, lands
from tests.patience import PATIENCE_S
from tests.servers import Received, Server, Step, json_reply, serve

Script = Mapping[str, list[list[Step]]]  # path → its replies, the last repeats
CODEX_TOKEN = jwt(**{"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}, "email": "me@mail.example"})
CLIENT = {
    f"JACKFIELD_{name}_OAUTH_CLIENT_ID": "our-client" for name in ("OPENAI_CODEX", "GOOGLE_GEMINI_CLI", "QWEN_PORTAL")
}
QWEN_START = {
    "device_code": "d1", "user_code": "QW-EN", "verification_uri": "https://chat.qwen.ai/authorize",
    "verification_uri_complete": "https://chat.qwen.ai/authorize?user_code=QW-EN&client=x", "expires_in": 900,
}  # fmt: skip
COPILOT_START = {
    "device_code": "d1", "user_code": "GH-HB", "verification_uri": "https://github.com/login/device",
    "expires_in": 899, "interval": 5,
}  # fmt: skip
PENDING = {"error": "authorization_pending", "error_description": "The authorization request is still pending."}


class Detour(Transport):
    """The real transport, with every host of the world at one scripted server."""

    def __init__(self, server: Server, hosts: list[str]) -> None:
        super().__init__()
        self._server = urlsplit(server.url)
        self._hosts = hosts

    async def open(self, request: HttpRequest) -> HttpReply:
        parts = urlsplit(request.url)
        self._hosts.append(f"{parts.scheme}://{parts.netloc}")
        return await super().open(
            replace(request, url=urlunsplit(parts._replace(scheme="http", netloc=self._server.netloc)))
        )


class Vendor:
    """One provider's row, and the servers it names as a script."""

    def __init__(self, provider: str, script: Script) -> None:
        self.info = parse_info(load_index().providers[provider])
        assert isinstance(self.info, ProviderInfo)
        self.script = {path: list(replies) for path, replies in script.items()}
        self.hosts: list[str] = []
        self.pauses: list[float] = []

    def answer(self, received: Received) -> list[Step]:
        replies = self.script[received.target.partition("?")[0]]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    async def sign_in(self, server: Server, person: Somebody) -> Profile:
        from jackfield.auth.flows.ask import ask_over

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        method = next(method for method in self.info.auth if method.flow)
        assert method.flow
        # Any free port: the row's own may be in use by another test.
        own = replace(method.flow, redirect_url=f"http://127.0.0.1{urlsplit(method.flow.redirect_url).path}")
        async with Detour(server, self.hosts) as sender:
            world = World(
                ask=lambda request: ask_over(sender, request, self.info),
                person=person, environ=DESKTOP, platform="linux", random=lambda size: bytes(range(size)),
                now_ms=now_ms, sleep=sleep, landing_s=PATIENCE_S,
            )  # fmt: skip
            return await sign_in(self.info, replace(method, flow=own), Client("our-client"), world)

    async def use(self, server: Server, store: FileStore, profile: Profile) -> RequestAuth:
        """Do what a request does just before it leaves."""
        auth = RequestAuth(secret=profile.secret, source="test", profile_id=profile.id, type=profile.type)
        auth = with_details(auth, self.info, profile, moved=False)
        return await Refresher(store, CLIENT, lambda: Detour(server, self.hosts), now_ms).fresh(self.info, auth)


def now_ms() -> int:
    return int(time.time() * 1000)


def run(
    provider: str, script: Script, visits: Callable[[str], None] | None = None
) -> tuple[Vendor, Profile, list[Received]]:
    """Sign in and return what came of it."""
    vendor = Vendor(provider, script)
    with serve(vendor.answer) as server:
        profile = asyncio.run(vendor.sign_in(server, Somebody(visits=visits) if visits else Somebody()))
        return vendor, profile, list(server.journal)


def use(vendor: Vendor, profile: Profile, folder: Path, script: Script) -> tuple[RequestAuth, list[Received]]:
    """Store a profile and use it, perhaps after its end."""
    vendor.script, vendor.hosts = {path: list(replies) for path, replies in script.items()}, []
    store = FileStore(folder / "auth.json")
    store.modify(profile.id, lambda _: profile)
    with serve(vendor.answer) as server:
        return asyncio.run(vendor.use(server, store, profile)), list(server.journal)


def expired(profile: Profile) -> Profile:
    return replace(profile, expires_ms=1)


# -- GitHub Copilot ----------------------------------------------------------------


def copilot(*polls: Any) -> Script:
    return {
        "/login/device/code": [json_reply(COPILOT_START)],
        "/login/oauth/access_token": [json_reply(each) for each in polls],
    }


def test_copilot_waits_slows_down_and_leases(tmp_path: Path) -> None:
    slow = {"error": "slow_down", "error_description": "Too many requests", "interval": 10}
    done = {"access_token": "gho_1", "token_type": "bearer", "scope": "read:user"}
    vendor, profile, heard = run("github-copilot", copilot(PENDING, slow, PENDING, done))
    assert (profile.id, profile.type, profile.secret) == ("github-copilot:github", "token", Secret("gho_1"))
    assert vendor.pauses == [5, 5, 10, 10]
    assert set(vendor.hosts) == {"https://github.com"}
    first, poll = form(heard[0]), form(heard[1])
    assert (first["client_id"], first["scope"]) == ("our-client", "read:user")
    assert (poll["grant_type"], poll["device_code"]) == ("urn:ietf:params:oauth:grant-type:device_code", "d1")
    lent = {
        "token": "tid=1;exp=2;proxy-ep=proxy.business.githubcopilot.com;",
        "expires_at": int(time.time()) + 1500,
        "refresh_in": 1300,
    }
    auth, asked = use(vendor, profile, tmp_path, {"/copilot_internal/v2/token": [json_reply(lent)]})
    assert (auth.secret, auth.base_url) == (Secret(str(lent["token"])), "https://api.business.githubcopilot.com")
    assert vendor.hosts == ["https://api.github.com"]
    assert (asked[0].headers["authorization"], asked[0].headers["user-agent"][:10]) == ("Bearer gho_1", "jackfield/")


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"error": "expired_token", "error_description": "The device_code has expired."}, "has expired"),
        (
            {"error": "access_denied", "error_description": "The authorization request was denied."},
            "consent was refused",
        ),
        (
            {"error": "incorrect_device_code", "error_description": "The device_code provided is not valid."},
            "not valid",
        ),
        ({"error": "device_flow_disabled", "error_description": "Device Flow must be enabled."}, "must be enabled"),
    ],
)
def test_copilot_says_why_nothing_came_of_a_code(reply: dict[str, str], says: str) -> None:
    with pytest.raises(AuthError, match=says):
        run("github-copilot", copilot(PENDING, reply))


@pytest.mark.parametrize("status", [401, 403, 404])
def test_copilot_refuses_an_account_without_the_plan(tmp_path: Path, status: int) -> None:
    vendor = Vendor("github-copilot", {})
    profile = Profile(id="github-copilot:github", provider="github-copilot", type="token", secret=Secret("gho_1"))
    with pytest.raises(AuthError, match=f"gives no token for this account \\(HTTP {status}\\)"):
        use(vendor, profile, tmp_path, {"/copilot_internal/v2/token": [json_reply({"message": "no"}, status)]})


# -- Codex -------------------------------------------------------------------------

CODEX = {
    "id_token": CODEX_TOKEN,
    "access_token": CODEX_TOKEN,
    "refresh_token": "rt_1",
    "expires_in": 864_000,
    "token_type": "Bearer",
}


def test_codex_changes_a_code_names_the_account_and_renews(tmp_path: Path) -> None:
    vendor, profile, [heard] = run("openai-codex", {"/oauth/token": [json_reply(CODEX)]}, lands([]))
    assert (profile.id, profile.details["accountId"]) == ("openai-codex:me@mail.example", "acc-1")
    sent = form(heard)
    assert (sent["grant_type"], sent["code"], sent["client_id"]) == ("authorization_code", "c1", "our-client")
    assert "code_verifier" in sent
    assert sent["redirect_uri"].endswith("/auth/callback")
    renewed = {**CODEX, "refresh_token": "rt_2"}
    auth, [asked] = use(vendor, expired(profile), tmp_path, {"/oauth/token": [json_reply(renewed)]})
    assert form(asked) == {"grant_type": "refresh_token", "refresh_token": "rt_1", "client_id": "our-client"}
    assert auth.headers == {"chatgpt-account-id": "acc-1"}
    assert vendor.hosts == ["https://auth.openai.com"]
    kept = FileStore(tmp_path / "auth.json").read(profile.id)
    assert kept
    assert kept.refresh == Secret("rt_2")


@pytest.mark.parametrize("code", ["refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated"])
def test_codex_takes_a_refresh_token_no_more(tmp_path: Path, code: str) -> None:
    refusal = {
        "error": {
            "message": "Your refresh token is of no use. Please sign in again.",
            "type": "invalid_request_error",
            "code": code,
        }
    }
    profile = Profile(
        id="openai-codex:me", provider="openai-codex", type="oauth", secret=Secret("a"), refresh=Secret("rt_1"),
        expires_ms=1, details={"accountId": "acc-1", "clientId": "our-client"},
    )  # fmt: skip
    vendor = Vendor("openai-codex", {})
    with pytest.raises(
        AuthError, match="OAuth token refresh failed for openai-codex: Your refresh token is of no use"
    ) as caught:
        use(vendor, profile, tmp_path, {"/oauth/token": [json_reply(refusal, 401)]})
    assert "models auth login --provider openai-codex" in caught.value.hint
    kept = FileStore(tmp_path / "auth.json").read(profile.id)
    assert kept
    assert kept.renewal == "refused"


# -- Gemini CLI --------------------------------------------------------------------

GOOGLE = {"access_token": "ya29.1", "expires_in": 3599, "scope": "openid", "token_type": "Bearer"}
GOOGLE_ACCOUNT: Script = {
    "/token": [json_reply({**GOOGLE, "refresh_token": "1//r"})],
    "/oauth2/v1/userinfo": [json_reply({"email": "me@gmail.example"})],
    "/v1internal:loadCodeAssist": [
        json_reply({"currentTier": {"id": "free-tier"}, "cloudaicompanionProject": "proj-1", "allowedTiers": []})
    ],
}


def test_gemini_brings_address_and_project_and_keeps_its_refresh_token(tmp_path: Path) -> None:
    vendor, profile, _ = run("google-gemini-cli", GOOGLE_ACCOUNT, lands([]))
    assert (profile.id, profile.details["projectId"]) == ("google-gemini-cli:me@gmail.example", "proj-1")
    assert vendor.hosts == [
        "https://oauth2.googleapis.com",
        "https://www.googleapis.com",
        "https://cloudcode-pa.googleapis.com",
    ]
    auth, [asked] = use(
        vendor, expired(profile), tmp_path, {"/token": [json_reply({**GOOGLE, "access_token": "ya29.2"})]}
    )
    assert form(asked)["refresh_token"] == "1//r"
    assert (auth.secret, auth.params) == (Secret("ya29.2"), {"project": "proj-1"})
    kept = FileStore(tmp_path / "auth.json").read(profile.id)
    assert kept
    assert kept.refresh == Secret("1//r")


def test_gemini_says_that_access_was_taken_back(tmp_path: Path) -> None:
    refusal = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    vendor, profile, _ = run("google-gemini-cli", GOOGLE_ACCOUNT, lands([]))
    with pytest.raises(AuthError, match=r"Token has been expired or revoked\."):
        use(vendor, expired(profile), tmp_path, {"/token": [json_reply(refusal, 400)]})


# -- Qwen --------------------------------------------------------------------------

QWEN = {
    "status": "success", "access_token": "q1", "refresh_token": "qr1", "token_type": "Bearer",
    "resource_url": "portal.qwen.ai", "expires_in": 21_600,
}  # fmt: skip


def qwen(*polls: list[Step]) -> Script:
    return {"/api/v1/oauth2/device/code": [json_reply(QWEN_START)], "/api/v1/oauth2/token": [*polls]}


def test_qwen_waits_says_where_its_token_is_good_and_renews(tmp_path: Path) -> None:
    slow = json_reply({"error": "slow_down"}, 429)
    vendor, profile, heard = run("qwen-portal", qwen(json_reply(PENDING, 400), slow, json_reply(QWEN)))
    assert profile.details["resourceUrl"] == "portal.qwen.ai"
    start = form(heard[0])
    assert (start["scope"], start["code_challenge_method"]) == ("openid profile email model.completion", "S256")
    assert form(heard[1])["code_verifier"]
    renewed = json_reply({**QWEN, "access_token": "q2", "refresh_token": "qr2"})
    auth, [asked] = use(vendor, expired(profile), tmp_path, {"/api/v1/oauth2/token": [renewed]})
    assert form(asked)["refresh_token"] == "qr1"
    assert (auth.secret, auth.base_url) == (Secret("q2"), "https://portal.qwen.ai/v1")
    assert vendor.hosts == ["https://chat.qwen.ai"]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (json_reply({"error": "access_denied", "error_description": "denied"}, 400), "consent was refused"),
        (json_reply({"error": "expired_token"}, 400), "has expired"),
    ],
)
def test_qwen_says_why_nothing_came_of_a_code(reply: list[Step], says: str) -> None:
    with pytest.raises(AuthError, match=says):
        run("qwen-portal", qwen(json_reply(PENDING, 400), reply))


def test_qwen_takes_a_refresh_token_no_more(tmp_path: Path) -> None:
    vendor, profile, _ = run("qwen-portal", qwen(json_reply(QWEN)))
    refusal = json_reply({"error": "invalid_grant", "error_description": "Invalid refresh token"}, 400)
    with pytest.raises(AuthError, match="Invalid refresh token"):
        use(vendor, expired(profile), tmp_path, {"/api/v1/oauth2/token": [refusal]})
