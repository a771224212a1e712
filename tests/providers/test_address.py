"""Where a provider's list of models stands, under whatever base URL the user writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jackfield.catalog.load import Catalog
from jackfield.config.paths import locate
from jackfield.config.schema import Config, ProviderConfig
from jackfield.providers.listing.address import list_url, plain_url


def catalog(*entries: ProviderConfig) -> Catalog:
    paths = locate({"HOME": str(Path("/nowhere"))})
    return Catalog(Config(paths=paths, providers={each.id: each for each in entries}))


@pytest.mark.parametrize(
    ("provider", "url", "plain"),
    [
        ("venice", "https://api.venice.ai/api/v1/models", None),
        ("anthropic", "https://api.anthropic.com/v1/models?limit=1000", None),
        ("google", "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1000", None),
        ("ollama", "http://127.0.0.1:11434/api/tags", "http://127.0.0.1:11434/v1/models"),
        ("lmstudio", "http://localhost:1234/api/v1/models", "http://localhost:1234/v1/models"),
        ("litellm", "http://localhost:4000/model/info", "http://localhost:4000/v1/models"),
        ("github-copilot", "https://api.individual.githubcopilot.com/models", None),
        ("perplexity", "https://api.perplexity.ai/v1/models", None),
        ("synthetic", "https://api.synthetic.new/openai/v1/models", None),
        ("cohere", "https://api.cohere.com/v1/models?page_size=1000", None),
        ("amazon-bedrock", None, None),
    ],
)
def test_every_kind_of_list_has_its_address(provider: str, url: str | None, plain: str | None) -> None:
    info = catalog().provider(provider)
    assert info is not None
    assert (list_url(info), plain_url(info)) == (url, plain)


def test_a_key_for_another_address_is_not_shown_to_the_vendors() -> None:
    info = catalog(ProviderConfig(id="synthetic", base_url="https://proxy.example/v1")).provider("synthetic")
    assert info is not None
    assert list_url(info) == "https://proxy.example/v1/models"


@pytest.mark.parametrize(
    ("api", "path", "form"),
    [
        ("anthropic-messages", "/v1/models", "anthropic"),
        ("ollama", "/api/tags", "ollama"),
        ("openai-responses", "/v1/models", "openai"),
        (None, "/v1/models", "openai"),
    ],
)
def test_a_server_of_the_users_own_lists_as_its_wire_does(api: Any, path: str, form: str) -> None:
    info = catalog(ProviderConfig(id="box", base_url="http://127.0.0.1:9", api=api)).provider("box")
    assert info is not None
    assert (list_url(info), info.discovery_format) == (f"http://127.0.0.1:9{path}", form)
