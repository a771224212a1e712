"""What a profile adds to the request that leaves: an address, a header, a field."""

from __future__ import annotations

import json

import pytest

from jackfield.catalog.load import Catalog
from jackfield.config.default import load_default
from jackfield.credential import RequestAuth, Secret
from jackfield.message import ChatRequest, Message
from jackfield.model import Model
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
    ],
)
def test_a_token_is_sent_where_it_is_good(provider: str, base_url: str, url: str) -> None:
    assert sent(provider, "m", RequestAuth(secret=Secret("t"), source="x", base_url=base_url)).url == url


def test_a_project_and_an_account_travel_along() -> None:
    auth = RequestAuth(secret=Secret("t"), source="x", params={"project": "p1"}, headers={"chatgpt-account-id": "a1"})
    request = sent("google-gemini-cli", "gemini-3-pro-preview", auth)
    assert json.loads(request.body)["project"] == "p1"
    assert request.headers["chatgpt-account-id"] == "a1"
