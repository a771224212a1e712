"""Counting tokens: the providers' own counters, both ways, and the estimate where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jackfield.errors import BadReply, ConfigError, InvalidRequest
from jackfield.message import (
    ChatRequest,
    ChatResponse,
    ImageBlock,
    Message,
    TextBlock,
    ThinkingBlock,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from jackfield.protocols import PACKAGES, counting
from jackfield.protocols.estimate import estimate_input, estimate_output, estimate_text, fill_usage

# Provider of the recordings → whose requests its counter takes.
API_OF = {
    "anthropic": "anthropic-messages",
    "openai": "openai-responses",
    "google": "google-generative-ai",
    "google-vertex": "google-vertex",
}
TOOL = Tool("look", "Look something up", {"type": "object", "properties": {"what": {"type": "string"}}})
HELLO = ChatRequest(model="m", system=[TextBlock("Be brief.")], messages=[Message.user("Hello")], tools=[TOOL])


def cases(shared_wire: Path) -> list[tuple[str, str, Path]]:
    """Return each recording with its api, as far as the api is spoken here."""
    found = [(API_OF[path.parent.name], path.name, path) for path in sorted(shared_wire.glob("count-tokens/*/*"))]
    return [case for case in found if case[0] in PACKAGES]


@pytest.mark.wire
def test_every_recorded_count_is_read(shared_wire: Path) -> None:
    for api, name, path in cases(shared_wire):
        expect = json.loads((path / "expect.json").read_text(encoding="utf-8"))
        body = (path / "response.json").read_bytes()
        if "error" in expect:
            with pytest.raises(BadReply):
                counting.parse_response(body, api)
        else:
            assert counting.parse_response(body, api) == expect["count"], name


@pytest.mark.wire
def test_every_recorded_request_to_count_survives_reading_and_writing(shared_wire: Path) -> None:
    for api, name, path in cases(shared_wire):
        body = json.loads((path / "request.json").read_text(encoding="utf-8"))
        model = json.loads((path / "meta.json").read_text(encoding="utf-8"))["model"]
        request = counting.parse_request(body, api)
        again = counting.render_request(ChatRequest(**{**fields(request), "model": model}), api)
        assert plain(again) == plain(body), name


def fields(request: ChatRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in request.__struct_fields__}


APART = ("model", "generationConfig")


def plain(body: dict[str, Any]) -> Any:
    """Return a body without what spells the same thing twice: defaults, one text as a string, two forms of a count."""
    body = body.get("generateContentRequest", body)
    # The URL names Gemini's model; how long an answer may be has no part in a question's size.
    body = {name: value for name, value in body.items() if "contents" not in body or name not in APART}
    return _plain({name: value for name, value in body.items() if value not in ([], {"type": "auto"}, "auto")})


def _plain(value: Any) -> Any:
    match value:
        case {"role": "user", "parts": parts}:
            return {"parts": _plain(parts)}
        case {"role": "user", "content": [{"type": "input_text", "text": str(text)}]}:
            return {"role": "user", "content": text}
        case [{"type": "text", "text": str(text)} as only] if len(only) == 2:
            return text
        case dict():
            kept = {name: _plain(each) for name, each in value.items()}
            kept = {name: each for name, each in kept.items() if each not in ("", None, False)}
            return {
                name: each for name, each in kept.items() if (name, each) not in (("type", "message"), ("ttl", "5m"))
            }
        case list():
            return [_plain(each) for each in value]
        case str() if value.isupper():
            return value.lower()
        case _:
            return value


@pytest.mark.parametrize("api", [api for api in counting.COUNTERS if api in PACKAGES])
def test_what_makes_a_request_long_is_sent_and_nothing_else(api: str) -> None:
    asked = ChatRequest(**{**fields(HELLO), "max_tokens": 7, "temperature": 0.3, "stream": True, "user": "me"})
    text = json.dumps(counting.render_request(asked, api))
    words = ("Hello", "Be brief.", "Look something up")[: 3 if counting.COUNTERS[api].is_whole else 2]
    assert all(word in text for word in words)
    assert not any(f'"{word}"' in text for word in ("stream", "max_tokens", "max_output_tokens", "inferenceConfig"))


@pytest.mark.parametrize("api", [api for api in counting.COUNTERS if api in PACKAGES])
def test_a_count_is_written_as_it_is_read(api: str) -> None:
    assert counting.parse_response(json.dumps(counting.render_response(641, api)), api) == 641


@pytest.mark.parametrize(
    "body", [{}, {"input_tokens": None}, {"input_tokens": "9"}, {"input_tokens": -1}, {"other": 1}]
)
def test_a_count_that_is_none_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadReply, match="no input_tokens"):
        counting.parse_response(json.dumps(body), "anthropic-messages")


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"\xff"])
def test_a_request_to_count_that_is_no_object_is_the_callers_fault(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        counting.parse_request(body, "anthropic-messages")


def test_an_unknown_counter_is_named() -> None:
    with pytest.raises(ConfigError, match="'abacus'"):
        counting.find_counter("abacus")


# -- the estimate ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("a", 1, 1),
        ("What is the capital of France?", 6, 9),
        ("The quick brown fox jumps over the lazy dog. " * 20, 160, 260),
        ("今天天气很好，我们去公园散步吧。" * 10, 90, 190),
        ("def f(x):\n    return [y ** 2 for y in range(x)]\n" * 10, 150, 300),
        ("3.14159265358979", 5, 14),
        ("Привет, как у тебя дела сегодня?", 8, 20),
        (" " * 1000, 0, 5),
        ("\n" * 100, 1, 5),
    ],
)
def test_texts_are_estimated_near_what_tokenizers_count(text: str, least: int, most: int) -> None:
    assert least <= estimate_text(text) <= most


def test_a_long_text_is_sampled_and_comes_to_the_same() -> None:
    text = "Every good boy deserves favour, and 12 apples.\n" * 4000
    assert abs(estimate_text(text) - 4000 * estimate_text(text[:47])) < 0.1 * estimate_text(text)


def test_everything_in_a_request_counts() -> None:
    bare = ChatRequest(model="m", messages=[Message.user("Hello")])
    longer = [
        ChatRequest(model="m", messages=[Message.user("Hello"), Message.assistant("Hi")]),
        ChatRequest(model="m", system=[TextBlock("Be brief.")], messages=bare.messages),
        ChatRequest(model="m", messages=bare.messages, tools=[TOOL]),
        ChatRequest(model="m", messages=[Message.user("Hello", ImageBlock("image/png", "AAAA"))]),
        ChatRequest(model="m", messages=[Message.user("Hello", ToolResult("1", [TextBlock("Sunny")]))]),
        ChatRequest(model="m", messages=[Message.assistant("Hello", ToolCall("1", "look", '{"what": "it"}'))]),
        ChatRequest(model="m", messages=[Message.assistant("Hello", ThinkingBlock("They greet me."))]),
    ]
    assert all(estimate_input(each) > estimate_input(bare) for each in longer)


def test_tools_and_pictures_weigh_what_they_weigh_on_each_wire() -> None:
    assert estimate_input(HELLO, "anthropic-messages") > 400 > estimate_input(HELLO, "openai-completions")
    seen = ChatRequest(model="m", messages=[Message.user(ImageBlock("image/png", "AAAA"))])
    assert estimate_input(seen, "google-generative-ai") < 300 < estimate_input(seen, "anthropic-messages")


def test_only_what_is_missing_is_filled_and_the_cache_is_not_counted_twice() -> None:
    reply = ChatResponse(content=[TextBlock("Hello there")], usage=Usage(output=9, cache_read=5))
    asked = ChatRequest(model="m", messages=[Message.user("word " * 100)])
    filled = fill_usage(reply, asked, "")
    assert (filled.output, filled.cache_read, filled.estimated) == (9, 5, True)
    assert filled.input == estimate_input(asked) - 5
    known = ChatResponse(usage=Usage(0, 0))
    assert fill_usage(known, asked, "") == Usage(0, 0)
    assert estimate_output(reply) in (2, 3)
