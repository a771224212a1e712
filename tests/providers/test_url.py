"""The table of base URLs, row by row as docs/urls.md prints it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jackfield.errors import ConfigError, InvalidRequest
from jackfield.providers.url import LAYOUTS, beside_url, chat_url, models_url, other_url, side_url

PAGE = Path(__file__).parents[2] / "docs" / "urls.md"
NO_LIST = "cannot be told"


def rows() -> list[tuple[str, str, str, str]]:
    """Return (api, base URL, request URL, model list) of every row of the page."""
    found, api = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## `(.+)`", line):
            api = heading[1]
        elif line.startswith("| `"):
            base, request, listing = (cell.strip(" `") for cell in line.strip("|").split("|"))
            found.append((api, base, request, listing))
    return found


@pytest.mark.parametrize(("api", "base", "request_url", "listing"), rows())
def test_the_page_says_what_is_called(api: str, base: str, request_url: str, listing: str) -> None:
    assert chat_url(base, api, model="m") == request_url
    assert (models_url(base, api) or NO_LIST) == listing


def test_the_page_covers_every_api_and_every_way_to_write_a_base() -> None:
    for api in LAYOUTS:
        written = {base.removeprefix("https://h") for row_api, base, *_ in rows() if row_api == api}
        assert written >= {
            "",
            "/",
            "/v1",
            "/v1/",
            "/v1/chat/completions",
            "/api/v2/models/chat",
            "/anthropic",
            "/anthropic/v1",
        }


@pytest.mark.parametrize("api", LAYOUTS)
@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/", "/anthropic", "/anthropic/v1", "/anthropic/v1/", "/v1/messages"]
)
def test_a_version_is_neither_doubled_nor_lost(api: str, path: str) -> None:
    layout = LAYOUTS[api]
    url = chat_url(f"https://h{path}", api, model="m")

    assert "/v1/v1" not in url
    assert "//" not in url.removeprefix("https://")
    kept = "/v1" if "/v1" in path and (not layout.drops_version or "messages" in path) else ""
    added = layout.version if not path.strip("/") or not layout.base_has_version else ""
    assert re.findall(r"/v\d\w*", url.replace("/v1internal", "")) == re.findall(r"/v\d\w*", kept or added)


@pytest.mark.parametrize("api", LAYOUTS)
@pytest.mark.parametrize("url", ["https://h/odd/place?x=1", "https://h/", "http://[::1]:8/v1/"])
def test_an_endpoint_is_called_exactly_as_written(api: str, url: str) -> None:
    assert chat_url("https://ignored", api, endpoint=url) == url


def test_the_model_list_of_an_endpoint_is_found_where_it_can_be() -> None:
    assert models_url("", "openai-completions", endpoint="https://h/x/chat/completions") == "https://h/x/models"
    assert models_url("", "openai-completions", endpoint="https://h/odd/place") is None
    assert models_url("https://h", "openai-completions", path="/models/info") == "https://h/v1/models/info"


@pytest.mark.parametrize(
    "base",
    ["", "api.example.com/v1", "ftp://h/v1", "https://", "https:///v1", "https://h:99999/v1", "https://h:x/v1", "https://[::1/v1", "https://h/a b", "/v1"],
)  # fmt: skip
def test_what_is_no_url_is_refused_with_an_example(base: str) -> None:
    with pytest.raises(ConfigError, match="invalid base URL") as caught:
        chat_url(base, "openai-completions")

    assert "https://api.example.com/v1" in caught.value.hint


@pytest.mark.parametrize("field", ["base", "endpoint"])
def test_a_password_in_the_url_is_refused_and_not_shown(field: str) -> None:
    url = "https://me:hunter2@h/v1"
    with pytest.raises(ConfigError) as caught:
        chat_url(url, "openai-completions", endpoint=url if field == "endpoint" else None)

    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "apiKey" in caught.value.hint


def test_an_api_without_a_layout_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="'telegraph'"):
        chat_url("https://h", "telegraph")


@pytest.mark.parametrize(
    ("base", "api", "other"),
    [
        ("https://h", "openai-completions", "https://h/chat/completions"),
        ("https://h/api", "openai-completions", "https://h/api/v1/chat/completions"),
        ("https://h/v1", "openai-completions", "https://h/v1"),
        ("https://h/v2/chat", "openai-completions", "https://h/v2/chat/chat/completions"),
        ("https://h/v2/chat/completions", "openai-completions", None),
        ("https://h", "anthropic-messages", None),
        ("https://h/x", "anthropic-messages", "https://h/x"),
    ],
)
def test_the_other_reading_of_a_base_url(base: str, api: str, other: str | None) -> None:
    assert other_url(base, api) == other
    assert other_url(base, api, endpoint="https://h/x") is None


def test_a_model_that_stands_in_the_url_stands_in_it_as_one_step() -> None:
    at = {
        "gemini-3-pro": "models/gemini-3-pro:",
        "models/gemini-3-pro": "models/gemini-3-pro:",
        "vendor/model?x=1#y": "models/vendor%2Fmodel%3Fx=1%23y:".replace("=", "%3D"),
        "../../admin": "models/..%2F..%2Fadmin:",
    }
    for model, written in at.items():
        assert written in chat_url("https://h", "google-generative-ai", model=model)
    arn = "arn:aws:bedrock:us-east-1:1:inference-profile/x.y-v1:0"
    url = chat_url("https://h", "bedrock-converse-stream", model=arn)
    assert url == "https://h/model/arn:aws:bedrock:us-east-1:1:inference-profile%2Fx.y-v1:0/converse"


@pytest.mark.parametrize("model", ["", ".", "..", "a\nb"])
def test_a_model_that_no_url_can_hold_is_refused(model: str) -> None:
    with pytest.raises(InvalidRequest, match="URL"):
        chat_url("https://h", "google-generative-ai", model=model)


@pytest.mark.parametrize(
    ("api", "url"),
    [
        ("google-generative-ai", "https://h/v1beta/models/m:streamGenerateContent?alt=sse"),
        ("google-gemini-cli", "https://h/v1internal:streamGenerateContent?alt=sse"),
        ("bedrock-converse-stream", "https://h/model/m/converse-stream"),
        ("openai-responses", "https://h/v1/responses"),
    ],
)
def test_a_streamed_answer_may_have_an_address_of_its_own(api: str, url: str) -> None:
    assert chat_url("https://h", api, model="m", stream=True) == url


def test_azures_deployments_name_the_model_before_the_end() -> None:
    base = "https://r.openai.azure.com/openai/deployments/{model}?api-version=2024-10-21"
    assert chat_url(base, "openai-completions", model="gpt-4o") == (
        "https://r.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    )


@pytest.mark.parametrize(
    ("base", "api", "path", "url"),
    [
        ("https://h/v1/chat/completions", "openai-completions", "/embeddings", "https://h/v1/embeddings"),
        ("https://h", "google-generative-ai", "/models/{model}:countTokens", "https://h/v1beta/models/m:countTokens"),
        ("https://h/v1beta/models/x:generateContent", "google-generative-ai", "/models", "https://h/v1beta/models"),
        ("http://h:11434/v1", "ollama", "/api/embed", "http://h:11434/api/embed"),
        ("https://h/odd/run", "cohere", "/embed", None),
    ],
)
def test_endpoints_beside_the_chat_are_found_from_the_same_base(
    base: str, api: str, path: str, url: str | None
) -> None:
    assert side_url(base, api, path, model="m") == url


@pytest.mark.parametrize(
    ("endpoint", "other", "url"),
    [
        ("https://x.example/chat/completions", "openai-responses", "https://x.example/responses"),
        ("https://x.example/chat/completions", "anthropic-messages", "https://x.example/v1/messages"),
        ("https://x.example/a/chat/completions?v=1", "openai-responses", "https://x.example/a/responses?v=1"),
        ("https://x.example/invocations", "openai-responses", None),
    ],
)
def test_another_wire_stands_beside_a_full_endpoint(endpoint: str, other: str, url: str | None) -> None:
    assert beside_url(endpoint, "openai-completions", other) == url
