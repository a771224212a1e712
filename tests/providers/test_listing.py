"""Model lists as providers write them: what is read of each, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from jackfield.errors import AuthError, BadReply
from jackfield.model import Cost, Model
from jackfield.protocols import load
from jackfield.providers.listing import FORMATS, parse_listing
from jackfield.providers.listing.ollama import parse_details
from tests.depth import DEPTH

# Whose recording is written in which format; the others write OpenAI's.
FORMAT_OF = {"github-copilot": "copilot"} | {name: name for name in FORMATS}


def parse(value: object, form: str = "openai") -> dict[str, Model]:
    return {model.id: model for model in parse_listing(json.dumps(value).encode(), form).models}


# -- recordings --------------------------------------------------------------------


def cases() -> list[Path]:
    folder = Path(__file__).parents[3] / "shared" / "wire" / "models-list"
    return sorted(path.parent for path in folder.glob("*/*/expect.json"))


@pytest.mark.wire
@pytest.mark.parametrize("case", cases(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_recorded_list_is_read_as_it_was_written(case: Path) -> None:
    expected = json.loads((case / "expect.json").read_text(encoding="utf-8"))
    body = (case / "response.json").read_bytes()
    if "error" in expected:
        error = load("openai-completions").parse_error(expected["http_status"], body, {})
        assert (type(error), error.message) == (AuthError, expected["error"]["message"])
        return
    listing = parse_listing(body, FORMAT_OF.get(case.parent.name, "openai"))
    assert listing.ids == tuple(expected.get("ids") or [expected["id"]])
    assert bool(listing.more) is bool(expected.get("has_more") or b"nextPageToken" in body)


@pytest.fixture(scope="module")
def recorded(shared_wire: Path) -> Any:
    def read(provider: str, number: int = 0) -> dict[str, Model]:
        bodies = sorted((shared_wire / "models-list" / provider).glob("text-*/response.json"))
        listing = parse_listing(bodies[number].read_bytes(), FORMAT_OF.get(provider, "openai"))
        return {model.id: model for model in listing.models}

    return read


def test_recorded_facts_are_used(recorded: Any) -> None:
    sonnet = recorded("openrouter")["anthropic/claude-sonnet-4"]
    assert (sonnet.context_window, sonnet.max_tokens, sonnet.tools, sonnet.reasoning) == (1_000_000, 64_000, True, True)
    assert sonnet.input == ("text", "image", "document")
    assert sonnet.cost == Cost(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"))
    assert recorded("openrouter")["openai/gpt-3.5-turbo"].input == ("text",)

    venice = recorded("venice")
    flash = venice["gemini-3-6-flash"]
    assert (flash.privacy, flash.reasoning, flash.input) == ("anonymized", True, ("text", "image", "audio", "video"))
    assert flash.cost == Cost(Decimal("1.875"), Decimal("9.375"), Decimal("0.1875"))
    assert {model.privacy for model in venice.values()} == {"private", "anonymized"}

    opus = recorded("anthropic")["claude-opus-5"]
    assert (opus.context_window, opus.max_tokens, opus.reasoning, opus.released) == (
        1_000_000,
        128_000,
        True,
        "2026-07-24",
    )
    copilot = recorded("github-copilot")
    assert (copilot["claude-opus-4.7"].api, copilot["gpt-5.3-codex"].api) == ("openai-completions", "openai-responses")
    assert not [name for name in copilot if "embedding" in name]
    mistral = recorded("mistral")["mistral-medium-2505"]
    assert (mistral.retires, mistral.replacement, mistral.status) == ("2026-08-31", "mistral-medium-3-5", "deprecated")
    assert recorded("perplexity")["xai/grok-4.3"].cost == Cost(Decimal("1.25"), Decimal("2.5"), Decimal("0.2"))
    assert recorded("huggingface")["MiniMaxAI/MiniMax-M2.1"].cost == Cost(Decimal("0.3"), Decimal("1.2"))
    gemini = recorded("google", 1)["gemini-2.5-flash"]
    assert (gemini.context_window, gemini.max_tokens, gemini.reasoning) == (1_048_576, 65_536, True)
    assert "gpt-4o" in recorded("openai", 1)
    assert not [name for name in recorded("openai", 1) if "embedding" in name or "whisper" in name or "dall-e" in name]
    assert list(recorded("ollama")) == ["qwen3:4b", "gemma3:4b", "llava:latest", "llama3.2:latest"]
    assert {model.context_window for model in recorded("llamacpp", 1).values()} == {4096}


# -- formats without a recording ---------------------------------------------------


def test_lm_studios_own_list_tells_window_and_abilities() -> None:
    rows = [
        {
            "type": "llm", "key": "google/gemma-3-4b", "display_name": "Gemma 3 4B", "max_context_length": 131072,
            "loaded_instances": [{"id": "x", "config": {"context_length": 4096}}],
            "capabilities": {"vision": True, "trained_for_tool_use": False},
        },
        {"type": "embedding", "key": "nomic"},
    ]  # fmt: skip
    [model] = parse({"models": rows}, "lmstudio").values()

    assert (model.id, model.name, model.context_window) == ("google/gemma-3-4b", "Gemma 3 4B", 4096)
    assert (model.input, model.tools, model.privacy) == (("text", "image"), False, "local")
    assert list(parse({"data": [{"id": "old"}]}, "lmstudio")) == ["old"]


def test_litellm_tells_prices_per_token() -> None:
    info = {
        "mode": "chat", "max_input_tokens": 200000, "max_output_tokens": 64000, "input_cost_per_token": 3e-06,
        "output_cost_per_token": 1.5e-05, "supports_vision": True, "supports_function_calling": True,
    }  # fmt: skip
    rows = [{"model_name": "claude", "model_info": info}, {"model_name": "e", "model_info": {"mode": "embedding"}}]
    [model] = parse({"data": rows}, "litellm").values()

    assert (model.cost, model.context_window, model.tools) == (Cost(Decimal(3), Decimal(15)), 200000, True)
    assert list(parse({"data": [{"id": "plain"}]}, "litellm")) == ["plain"]


def test_together_lists_bare_rows_priced_per_million() -> None:
    rows = [
        {"id": "zai-org/GLM-4.7", "type": "chat", "context_length": 202752, "pricing": {"input": 0.45, "output": 2}},
        {"id": "flux", "type": "image"},
    ]
    [model] = parse(rows).values()

    assert (model.context_window, model.cost) == (202752, Cost(Decimal("0.45"), Decimal(2)))


def test_vercel_writes_prices_per_token_as_text() -> None:
    row = {
        "id": "anthropic/claude-sonnet-4.5", "type": "language", "context_window": 200000, "max_tokens": 64000,
        "tags": ["tool-use", "reasoning", "vision"],
        "pricing": {"input": "0.000003", "output": "0.000015", "input_cache_read": "0.0000003"},
    }  # fmt: skip
    [model] = parse({"data": [row, {"id": "x", "type": "embedding"}]}).values()

    assert model.cost == Cost(Decimal(3), Decimal(15), Decimal("0.3"))
    assert (model.max_tokens, model.tools, model.reasoning, model.input) == (64000, True, True, ("text", "image"))


def test_a_price_that_depends_is_no_price() -> None:
    [model] = parse({"data": [{"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}}]}).values()
    assert model.cost is UNSET


def test_cohere_lists_what_chats() -> None:
    rows = [
        {"name": "command-a", "endpoints": ["chat"], "context_length": 256000, "features": ["tools", "json_schema"]},
        {"name": "embed-v4", "endpoints": ["embed"]},
    ]
    listing = parse_listing(json.dumps({"models": rows, "next_page_token": "a b"}).encode(), "cohere")

    assert [(model.id, model.tools, model.reasoning) for model in listing.models] == [("command-a", True, False)]
    assert listing.more == "page_token=a%20b"


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (
            {"capabilities": ["completion", "tools", "thinking"], "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960}},
            (40960, 409600, True, True, ("text",)),
        ),
        ({"capabilities": ["completion", "vision"], "model_info": {}}, (8192, 81920, False, False, ("text", "image"))),
        ({}, (8192, 81920, UNSET, UNSET, UNSET)),
    ],
)  # fmt: skip
def test_ollama_tells_the_rest_of_a_model_when_asked(shown: object, told: tuple[object, ...]) -> None:
    found = parse_details(Model(id="m", privacy="local"), json.dumps(shown).encode())
    assert found is not None
    assert (found.context_window, found.max_tokens, found.tools, found.reasoning, found.input) == told
    assert found.privacy == "local"


def test_a_model_that_only_embeds_is_left_out_whatever_its_name() -> None:
    assert parse_details(Model(id="m"), b'{"capabilities": ["embedding"]}') is None


# -- what is none ------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"{}", b'{"data": 1}', b'{"data": ["a"]}', b'{"models": null}', b"\xff", b"null", b"3"]
)
def test_what_is_no_model_list_is_refused(form: str, body: bytes) -> None:
    with pytest.raises(BadReply, match=r"model list|list of models"):
        parse_listing(body, form)


ODD = [
    {},
    {"id": 3},
    {"id": "m", "pricing": [], "meta": 1, "providers": ["x"], "architecture": None, "created": "soon"},
]


@pytest.mark.parametrize("form", FORMATS)
def test_odd_rows_break_no_list(form: str) -> None:
    rows = [
        *ODD,
        {"id": "a", "name": "a", "key": "a", "model": "a", "model_name": "a", "capabilities": 1, "model_spec": 2},
    ]
    listing = parse_listing(json.dumps({"data": rows, "models": rows}).encode(), form)
    assert "a" in listing.ids


# What no honest server says, at every place where a list may say something.
HOSTILE: list[Any] = [
    True, -1, 1e308, 10**30, "1e999999999", "NaN", "9" * 5000, [[1]], [1, "a", {}], {"a": [1]}, "2026-13-99",
]  # fmt: skip
PLACES = (
    "name", "type", "mode", "created", "context_length", "max_tokens", "providers", "input_modalities", "tags",
    "supported_parameters", "supportedGenerationMethods", "endpoints", "features", "supported_endpoints", "deprecation",
    "capabilities", "model_info", "model_spec", "pricing", "architecture", "details", "next_page_token", "privacy",
)  # fmt: skip
INNER = (
    "type",
    "mode",
    "privacy",
    "prompt",
    "input",
    "usd",
    "input_cost_per_token",
    "vision",
    "limits",
    "max_input_tokens",
)


@pytest.mark.parametrize("form", FORMATS)
def test_a_hostile_value_costs_a_row_its_fact_and_never_the_list(form: str) -> None:
    base = dict.fromkeys(("id", "name", "key", "model", "model_name"), "m")
    for at, value in enumerate(HOSTILE):
        odd = [{place: value} for place in PLACES]
        odd += [{place: {inner: value, "pricing": {"input": {"usd": value}}}} for place in PLACES for inner in INNER]
        # Of each value a third of the places, each time others, or where one looks deeper all.
        for field in odd if DEPTH > 1 else odd[at % 3 :: 3]:
            rows = [{**base, **field}]
            body = {"data": rows, "models": rows, **field}
            try:
                listing = parse_listing(json.dumps(body).encode(), form)
            except BadReply:
                continue  # a list under another name is one more way to be wrong
            # What was read can be written down and read again.
            again = [msgspec.json.decode(msgspec.json.encode(row), type=Model) for row in listing.models]
            assert [row.id for row in again] == [row.id for row in listing.models]


@pytest.mark.parametrize(
    "name",
    ["a\x1b[31m", "b\nc", "null\x00", "\u202eevil", " ", "x" * 257, "c1\x9b31m"],
    ids=lambda name: ascii(name[:8]),
)
def test_a_name_that_nobody_could_type_or_see_is_no_model(name: str) -> None:
    assert list(parse({"data": [{"id": name}, {"id": "ok/ünï/模型"}]})) == ["ok/ünï/模型"]


def test_a_size_or_a_price_beyond_all_reason_is_as_good_as_not_said() -> None:
    row = parse({"data": [{"id": "m", "context_length": 10**30, "pricing": {"prompt": "1e400", "completion": 1e308}}]})[
        "m"
    ]
    assert (row.context_window, row.cost) == (UNSET, UNSET)
