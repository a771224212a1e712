"""Sign-ins against scripted servers and a person made of code: each way it can end."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from jackfield.auth.details import with_details
from jackfield.auth.flows.ask import ask_over
from jackfield.auth.flows.client import Client
from jackfield.auth.flows.signin import World, sign_in
from jackfield.credential import Profile, RequestAuth, Secret
from jackfield.errors import AuthError, BadReply, TimeoutExpired
from jackfield.model import AuthMethod, Flow, ProviderInfo
from jackfield.transport.http import Transport
from tests.auth.oauth_server import form, make_info
from tests.patience import PATIENCE_S
from tests.pulse import Day
from tests.servers import Received, Server, json_reply, serve

DESKTOP = {"DISPLAY": ":0"}
TOKENS = {"access_token": "a1", "refresh_token": "r1", "expires_in": 3600}


class Somebody:
    """A person: `visits` is called with the page's address, `pastes` with it too, for what to paste."""

    def __init__(self, visits: Callable[[str], object] | None = None, pastes: Callable[[str], str] | None = None):
        self.visits, self.pastes = visits, pastes
        self.told: list[str] = []
        self.opened: list[str] = []

    def tell(self, text: str) -> None:
        self.told.append(text)

    def browse(self, url: str) -> None:
        self.opened.append(url)
        if self.visits:
            asyncio.get_running_loop().run_in_executor(None, self.visits, url)

    async def paste(self, question: str) -> str:
        if self.pastes is None:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        assert self.pastes
        return self.pastes(next(text.split("\n")[1] for text in self.told if "\n" in text))


def visit(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def lands(pages: list[tuple[int, str]], **fields: str) -> Callable[[str], None]:
    """Return a visit that ends on the page of the redirect, with a code and the right state unless said otherwise."""

    def go(url: str) -> None:
        asked = query_of(url)
        pages.append(visit(f"{asked['redirect_uri']}?{urlencode({'code': 'c1', 'state': asked['state'], **fields})}"))

    return go


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


async def meet(
    info: ProviderInfo,
    person: Somebody,
    environ: dict[str, str] | None = None,
    sleep: Callable[[float], Awaitable[object]] | None = None,
    landing_s: float = PATIENCE_S,
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
) -> Profile:
    async def soon(_: float) -> None:
        await asyncio.sleep(0)

    async with Transport() as sender:
        world = World(
            ask=lambda request: ask_over(sender, request, info),
            person=person,
            environ=DESKTOP if environ is None else environ,
            platform="linux",
            random=lambda size: bytes(range(size)),
            now_ms=now_ms,
            sleep=sleep or soon,
            landing_s=landing_s,
        )
        return await sign_in(info, info.auth[0], Client("cli", origin="test"), world)


def jwt(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{body}.sig"


# -- a page that sends the browser back --------------------------------------------


async def test_the_browser_lands_and_the_code_becomes_a_profile() -> None:
    pages: list[tuple[int, str]] = []
    with serve(json_reply({**TOKENS, "id_token": jwt(email="me@box.example")})) as server:
        info = make_info(server.url, scopes=("openid",), params={"originator": "jackfield"})
        person = Somebody(visits=lands(pages))
        profile = await meet(info, person)
        sent = form(server.journal[0])
        assert server.journal[0].headers["user-agent"].startswith("jackfield/")
    asked = query_of(person.opened[0])
    assert (profile.id, profile.type, profile.email) == ("box:me@box.example", "oauth", "me@box.example")
    assert (profile.secret, profile.refresh) == (Secret("a1"), Secret("r1"))
    assert profile.details == {"clientId": "cli"}
    assert pages[0][0] == 200
    assert "close this page" in pages[0][1]
    assert asked["code_challenge_method"] == "S256"
    assert asked["originator"] == "jackfield"
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")
    assert sent["redirect_uri"] == asked["redirect_uri"]
    assert sent["code_verifier"] != asked["code_challenge"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"state": "another"}, "the state differs"),
        ({"error": "access_denied", "error_description": "The <b>user</b> said no"}, "consent was refused"),
        ({"code": ""}, "holds no code"),
    ],
    ids=["state", "refused", "empty"],
)
async def test_a_landing_that_is_no_success_says_why_on_the_page_and_here(fields: dict[str, str], says: str) -> None:
    pages: list[tuple[int, str]] = []
    with serve(json_reply(TOKENS)) as server:
        with pytest.raises(AuthError, match=says):
            await meet(make_info(server.url), Somebody(visits=lands(pages, **fields)))
        assert server.journal == []
    assert pages[0][0] == 400
    assert says in pages[0][1]
    assert "<b>" not in pages[0][1]


async def test_other_pages_and_other_methods_end_nothing() -> None:
    seen: list[tuple[int, str]] = []

    def wander(url: str) -> None:
        redirect = query_of(url)["redirect_uri"]
        seen.append(visit(redirect.replace("/callback", "/favicon.ico")))
        request = urllib.request.Request(f"{redirect}?code=x", method="POST", data=b"")
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request)
        lands(seen)(url)

    with serve(json_reply(TOKENS)) as server:
        assert (await meet(make_info(server.url), Somebody(visits=wander))).secret == Secret("a1")
    assert [status for status, _ in seen] == [404, 200]


@pytest.mark.parametrize("form_of", ["address", "code#state", "code", "wrapped"])
async def test_a_pasted_answer_wins_where_no_browser_lands(form_of: str) -> None:
    def paste(url: str) -> str:
        asked = query_of(url)
        whole = f"{asked['redirect_uri']}?code=c1&state={asked['state']}"
        texts = {
            "address": whole,
            "code#state": f"c1#{asked['state']}",
            "code": "c1",
            "wrapped": f' "{whole[:40]}\n{whole[40:]}" ',
        }
        return texts[form_of]

    with serve(json_reply(TOKENS)) as server:
        person = Somebody(pastes=paste)
        assert (await meet(make_info(server.url), person, environ={"SSH_TTY": "/dev/pts/0"})).secret == Secret("a1")
        assert form(server.journal[0])["code"] == "c1"
    assert person.opened == []
    assert any("remote machine (SSH_TTY is set)" in text for text in person.told)


async def test_a_pasted_answer_of_another_sign_in_is_refused() -> None:
    with serve(json_reply(TOKENS)) as server:
        with pytest.raises(AuthError, match="state differs"):
            await meet(make_info(server.url), Somebody(pastes=lambda _: "c1#another"))
        assert server.journal == []


async def test_a_port_in_use_leaves_the_paste() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, serve(json_reply(TOKENS)) as server:
        port = taken.getsockname()[1]
        info = make_info(server.url, redirect_url=f"http://localhost:{port}/auth/callback")
        person = Somebody(
            pastes=lambda url: f"http://localhost:{port}/auth/callback?code=c1&state={query_of(url)['state']}"
        )
        assert (await meet(info, person)).secret == Secret("a1")
    assert f"port {port} of this machine is in use" in person.told[0]
    assert "paste its whole address here" in person.told[0]


async def test_nobody_coming_ends_it() -> None:
    with pytest.raises(TimeoutExpired, match=r"nobody finished the sign-in within 0\.05 s"):
        await meet(make_info("http://127.0.0.1:9"), Somebody(), landing_s=0.05)


async def test_a_code_that_has_expired_is_the_servers_word() -> None:
    refusal = json_reply({"error": "invalid_grant", "error_description": "code expired"}, 400)
    with serve(refusal) as server, pytest.raises(AuthError, match=r"code expired \(HTTP 400\)"):
        await meet(make_info(server.url), Somebody(visits=lands([])))


# -- what a provider says of the account -------------------------------------------


async def test_a_token_names_the_account_and_the_request_says_it() -> None:
    token = jwt(**{"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}})
    given = {
        "account_claim": ("https://api.openai.com/auth", "chatgpt_account_id"),
        "request_headers": {"chatgpt-account-id": "accountId"},
    }
    with serve(json_reply({**TOKENS, "access_token": token}), json_reply(TOKENS)) as server:
        info = make_info(server.url, **given)
        profile = await meet(info, Somebody(visits=lands([])))
        auth = with_details(RequestAuth(secret=None, source="x"), info, profile, moved=False)
        assert auth.headers == {"chatgpt-account-id": "acc-1"}
        with pytest.raises(BadReply, match="names no account"):
            await meet(info, Somebody(visits=lands([])))


async def test_a_google_account_brings_its_address_and_its_project() -> None:
    replies: dict[str, list[Any]] = {
        "/token": [json_reply(TOKENS)],
        "/userinfo": [json_reply({"email": "me@gmail.example"})],
        "/v1internal:loadCodeAssist": [json_reply({"allowedTiers": [{"id": "free-tier", "isDefault": True}]})],
        "/v1internal:onboardUser": [json_reply({"name": "operations/1", "done": False})],
        "/v1internal/operations/1": [
            json_reply({"done": True, "response": {"cloudaicompanionProject": {"id": "proj-1"}}})
        ],
    }
    with serve(lambda received: replies[received.target][0]) as server:
        info = make_info(
            server.url,
            identity_url=f"{server.url}/userinfo",
            project_url=f"{server.url}/v1internal",
            request_params={"project": "projectId"},
        )
        profile = await meet(info, Somebody(visits=lands([])))
        heard = {each.target: each for each in server.journal}
    assert profile.id == "box:me@gmail.example"
    assert with_details(RequestAuth(secret=None, source="x"), info, profile, moved=False).params == {
        "project": "proj-1"
    }
    assert heard["/v1internal:onboardUser"].json()["tierId"] == "free-tier"
    assert heard["/userinfo"].headers["authorization"] == "Bearer a1"


async def test_a_paid_tier_wants_a_project_of_its_own() -> None:
    tiers = {"allowedTiers": [{"id": "standard-tier", "isDefault": True}]}
    with serve(lambda received: json_reply(TOKENS if received.target == "/token" else tiers)) as server:
        info = make_info(server.url, project_url=f"{server.url}/v1internal")
        with pytest.raises(AuthError) as caught:
            await meet(info, Somebody(visits=lands([])))
    assert "GOOGLE_CLOUD_PROJECT" in caught.value.hint


# -- a code for another device -----------------------------------------------------


def device_info(server: Server, **flow: Any) -> ProviderInfo:
    return make_info(server.url, **{"engine": "device", "device_url": f"{server.url}/device", **flow})


START = {
    "device_code": "d1", "user_code": "ABCD-EFGH", "verification_uri": "https://box.example/device",
    "interval": 5, "expires_in": 900,
}  # fmt: skip
PENDING = json_reply({"error": "authorization_pending"}, 400)


async def test_a_code_is_polled_as_slowly_as_the_server_wants() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    slow = json_reply({"error": "slow_down", "interval": 12})
    done = json_reply({**TOKENS, "resource_url": "portal.box.example"})
    with serve(json_reply(START), PENDING, slow, json_reply({"error": "slow_down"}, 400), done) as server:
        info = device_info(server, details={"resource_url": "resourceUrl"}, base_url_detail="resourceUrl")
        person = Somebody()
        profile = await meet(info, person, sleep=sleep)
        polls = [form(each) for each in server.journal[1:]]
    assert pauses == [5, 5, 12, 17]
    assert "ABCD-EFGH" in person.told[0]
    assert person.opened == ["https://box.example/device"]
    assert {poll["device_code"] for poll in polls} == {"d1"}
    assert profile.id == "box:default"
    auth = with_details(RequestAuth(secret=None, source="x"), info, profile, moved=False)
    assert auth.base_url == "https://portal.box.example/v1"
    assert not with_details(RequestAuth(secret=None, source="x"), info, profile, moved=True).base_url


@pytest.mark.parametrize("whole", ["file:///etc/passwd", "-a Calculator", 7, ""])
async def test_only_a_page_is_handed_to_the_browser(whole: object) -> None:
    with serve(json_reply({**START, "verification_uri_complete": whole}), json_reply(TOKENS)) as server:
        person = Somebody()
        await meet(device_info(server), person)
    assert person.opened == [START["verification_uri"]]


@pytest.mark.parametrize(
    ("code", "says"), [("access_denied", "consent was refused"), ("expired_token", "the code has expired")]
)
async def test_a_code_that_comes_to_nothing_says_why(code: str, says: str) -> None:
    with serve(json_reply(START), PENDING, json_reply({"error": code}, 400)) as server:
        with pytest.raises(AuthError, match=says):
            await meet(device_info(server), Somebody())
        assert len(server.journal) == 3


async def test_a_code_is_not_asked_for_after_its_end() -> None:
    day = Day()
    with serve(json_reply({**START, "expires_in": 100})) as server:
        with pytest.raises(AuthError, match="the code has expired"):
            await meet(device_info(server), Somebody(), sleep=lambda _: day.sleep(100.05), now_ms=day.now_ms)
        assert len(server.journal) == 1


async def test_a_lasting_token_without_an_end_is_a_token() -> None:
    with serve(json_reply(START), json_reply({"access_token": "ghu_1"})) as server:
        profile = await meet(device_info(server, profile_name="github"), Somebody())
    assert (profile.id, profile.type, profile.refresh) == ("box:github", "token", None)


async def test_minimax_polls_with_the_persons_own_code() -> None:
    end_ms = int(time.time() * 1000) + 3_600_000

    def answer(received: Received) -> Any:
        asked = form(received)
        if received.target == "/device":
            return json_reply({
                "user_code": "WXYZ", "verification_uri": "https://box.example/u", "interval": 2000,
                "expired_in": end_ms, "state": asked["state"],
            })  # fmt: skip
        polls.append(asked)
        if len(polls) == 1:
            return json_reply({"status": "pending"})
        return json_reply({"status": "success", "access_token": "a1", "refresh_token": "r1", "expired_in": end_ms})

    polls: list[dict[str, str]] = []
    with serve(answer) as server:
        info = device_info(server, engine="user-code", base_url_detail="resourceUrl")
        method = AuthMethod(
            choice="cn", kind="device-code", base_url="https://cn.box.example/anthropic", flow=info.auth[0].flow
        )
        info = ProviderInfo(id="box", base_url="https://box.example/anthropic", auth=(method,))
        profile = await meet(info, Somebody())
    assert polls[0]["user_code"] == "WXYZ"
    assert polls[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:user_code"
    assert profile.expires_ms == end_ms - 300_000
    auth = with_details(RequestAuth(secret=None, source="x"), info, profile, moved=False)
    assert auth.base_url == "https://cn.box.example/anthropic"


async def test_an_answer_to_another_persons_code_is_none() -> None:
    start = {"user_code": "WXYZ", "verification_uri": "https://box.example/u", "expired_in": 900, "state": "other"}
    with serve(json_reply(start)) as server, pytest.raises(BadReply, match="state differs"):
        await meet(device_info(server, engine="user-code"), Somebody())


def test_a_flow_is_data_without_anybodys_secret() -> None:
    from jackfield.catalog.index import load_index, parse_info

    flows = [
        (info.id, method.flow)
        for info in map(parse_info, load_index().providers.values())
        for method in info.auth
        if isinstance(method.flow, Flow)
    ]
    assert {name for name, _ in flows} >= {
        "openai-codex", "anthropic", "google-gemini-cli", "google-antigravity", "qwen-portal", "github-copilot",
        "minimax-portal", "xai", "chutes",
    }  # fmt: skip
    for _, flow in flows:
        assert flow.client_id == ""
        addresses = (flow.authorize_url, flow.device_url, flow.token_url, flow.exchange_url, flow.identity_url)
        assert all(url.startswith("https://") for url in addresses if url)
