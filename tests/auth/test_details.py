"""What a profile adds to the request that leaves: an address, a header, a field."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from jackfield.auth.details import move_flow, parse_host, pick_flow, with_details
from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.credential import Profile, RequestAuth, Secret
from jackfield.embedding import EmbedRequest
from jackfield.message import ChatRequest, Message
from jackfield.model import Flow, Model, ProviderInfo
from jackfield.providers.counting import render_count
from jackfield.providers.embedding import render_embed
from jackfield.providers.provider import render
from jackfield.transport.request import HttpRequest


def sent(provider: str, model: str, auth: RequestAuth) -> HttpRequest:
    info = Catalog(load_default({})).provider(provider)
    assert info
    return render(ChatRequest(model=model, messages=[Message.user("Hi")]), info, Model(id=model), auth)


@pytest.mark.parametrize(
    ("provider", "base_url", "url"),
    [
        ("github-copilot", "https://api.business.example", "https://api.business.example/chat/completions"),
        ("qwen-portal", "https://other.example/v1", "https://other.example/v1/chat/completions"),
        ("minimax-portal", "https://cn.example/anthropic", "https://cn.example/anthropic/v1/messages"),
        (
            "github-copilot",
            "https://copilot-api.ghe.acme.example",
            "https://copilot-api.ghe.acme.example/chat/completions",
        ),
    ],
)
def test_a_token_is_sent_where_it_is_good(provider: str, base_url: str, url: str) -> None:
    assert sent(provider, "m", RequestAuth(secret=Secret("t"), source="x", base_url=base_url)).url == url


def test_a_project_and_an_account_travel_along() -> None:
    auth = RequestAuth(secret=Secret("t"), source="x", params={"project": "p1"}, headers={"chatgpt-account-id": "a1"})
    request = sent("google-gemini-cli", "gemini-3-pro-preview", auth)
    assert json.loads(request.body)["project"] == "p1"
    assert request.headers["chatgpt-account-id"] == "a1"


# -- a company's own host ----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("company.ghe.com", "company.ghe.com"),
        (" https://Company.GHE.com/ ", "company.ghe.com"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("", ""),
        ("company", ""),
        ("https://company.ghe.com/path", ""),
        ("me@company.ghe.com", ""),
        ("company.ghe.com#", ""),
        ("a..b", ""),
    ],
)
def test_a_companys_host_is_a_name_and_nothing_else(text: str, host: str) -> None:
    assert parse_host(text) == host


def test_a_company_has_every_address_of_a_sign_in_at_its_own_host() -> None:
    info = Catalog(load_default({})).provider("github-copilot")
    assert info
    profile = Profile(
        id="github-copilot:me",
        provider=info.id,
        type="token",
        secret=Secret("t"),
        details={"enterpriseUrl": "ghe.acme.example"},
    )
    public, own = pick_flow(info), pick_flow(info, profile)
    assert public
    assert own
    assert (own.device_url, own.token_url, own.exchange_url) == (
        "https://ghe.acme.example/login/device/code",
        "https://ghe.acme.example/login/oauth/access_token",
        "https://api.ghe.acme.example/copilot_internal/v2/token",
    )
    auth = RequestAuth(secret=Secret("t"), source="x")
    assert with_details(auth, info, profile, moved=False).base_url == "https://copilot-api.ghe.acme.example"
    assert with_details(auth, info, profile, moved=True).base_url == ""
    assert with_details(auth, info, replace(profile, details={}), moved=False).base_url == ""
    assert public.exchange_url == "https://api.github.com/copilot_internal/v2/token"


def test_only_the_hosts_own_names_move() -> None:
    flow = Flow(engine="device", host="github.com", host_detail="enterpriseUrl", token_url="https://notgithub.com/t")
    assert move_flow(flow, "ghe.acme.example").token_url == "https://notgithub.com/t"


def test_vectors_and_counts_are_asked_for_where_the_token_is_good() -> None:
    info = ProviderInfo(id="box", base_url="https://box.example/v1", counting="anthropic-messages")
    auth = RequestAuth(secret=Secret("t"), source="x", base_url="https://own.example/v1")
    asked = ChatRequest(model="m", messages=[Message.user("Hi")])
    counted = render_count(asked, info, Model(id="m"), auth)
    assert counted
    vector = render_embed(EmbedRequest(model="m", inputs=["Hi"]), info, Model(id="m"), auth)
    assert {urlsplit(sent.url).hostname for sent in (counted, vector)} == {"own.example"}
