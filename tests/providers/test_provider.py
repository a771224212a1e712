"""From a catalog row, a request and a credential to what goes on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from jackfield import __version__
from jackfield.credential import RequestAuth, Secret
from jackfield.errors import ConfigError, InvalidRequest
from jackfield.message import ChatRequest, ImageBlock, Message, TextBlock, Thinking, ThinkingBlock, Tool, ToolCall
from jackfield.model import Api, Compat, Model, Network, ProviderInfo, Timeouts
from jackfield.providers.provider import find_losses, load_protocol, render
from jackfield.providers.thoughts import drop_foreign_thoughts
from jackfield.transport.request import HttpRequest

KEY = RequestAuth(secret=Secret("sk-1234567890"), source="env: X_API_KEY")
NONE = RequestAuth(secret=None, source="none")
OPENAI = ProviderInfo(id="x", base_url="https://h/v1")
ANTHROPIC = ProviderInfo(id="a", api="anthropic-messages", base_url="https://h")
HELLO = ChatRequest(model="x/m", messages=[Message.user("Hello")])


def body(sent: HttpRequest) -> dict[str, Any]:
    return dict(json.loads(sent.body))


def revealed(sent: HttpRequest) -> Mapping[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in sent.headers.items()}


def ask(info: ProviderInfo = OPENAI, model: Model | None = None, auth: RequestAuth = KEY, **fields: Any) -> HttpRequest:
    asked = ChatRequest(model="x/m", **{"messages": [Message.user("Hello")], **fields})
    return render(asked, info, model or Model(id="m"), auth)


# -- where and how -----------------------------------------------------------------


def test_url_body_timers_and_way_come_from_the_row() -> None:
    info = ProviderInfo(
        id="x", base_url="https://h/v1", timeouts=Timeouts(idle=5, total=9), network=Network(proxy="http://p:1")
    )
    sent = ask(info, Model(id="m", upstream="vendor/M", timeouts=Timeouts(idle=7)), stream=True)

    assert (sent.method, sent.url, sent.stream) == ("POST", "https://h/v1/chat/completions", True)
    assert (body(sent)["model"], body(sent)["messages"]) == ("vendor/M", [{"role": "user", "content": "Hello"}])
    assert sent.timeouts == Timeouts(idle=7, total=9)
    assert sent.network == Network(proxy="http://p:1")
    assert sent.key("timeouts.idle") == "models.providers.x.timeouts.idle"


def test_what_no_json_can_hold_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest, match=r"half a character, U\+D83D"):
        ask(messages=[Message.user("half \ud83d")])


def test_a_model_that_thinks_or_is_loaded_first_gets_more_time_for_its_first_word() -> None:
    thinker = Model(id="m", reasoning=True)
    assert ask(stream=True).timeouts == Timeouts()
    assert ask(OPENAI, thinker, stream=True).timeouts.first_token == 300
    local = ProviderInfo(id="x", base_url="https://h", local=True, timeouts=Timeouts(first_token=7))
    assert ask(local, stream=True).timeouts.first_token == 7
    assert ask(OPENAI, thinker).limits() == ask().limits(), "a whole reply's first byte comes with its last word"


def test_a_models_own_api_and_address_beat_its_providers() -> None:
    sent = ask(OPENAI, Model(id="m", api="anthropic-messages", base_url="https://other/anthropic"))

    assert sent.url == "https://other/anthropic/v1/messages"
    assert "x-api-key" in sent.headers


def test_an_endpoint_of_the_config_is_called_as_written() -> None:
    assert ask(ProviderInfo(id="x", endpoint="https://h/odd?x=1")).url == "https://h/odd?x=1"


def test_an_api_without_a_protocol_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="'telegraph'"):
        load_protocol(ProviderInfo(id="c", api="telegraph"), Model(id="m"))  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("api", "url"),
    [
        ("openai-chatgpt-responses", "https://h/codex/responses"),
        ("github-copilot", "https://h/v1/chat/completions"),
    ],
)
def test_newer_names_of_an_api_mean_the_wire_they_name(api: Api, url: str) -> None:
    assert ask(ProviderInfo(id="x", api=api, base_url="https://h")).url == url


# -- headers -----------------------------------------------------------------------


def test_a_key_travels_in_its_wires_own_header_and_does_not_print() -> None:
    openai, anthropic = ask(OPENAI), ask(ANTHROPIC)

    assert revealed(openai)["authorization"] == "Bearer sk-1234567890"
    assert revealed(anthropic)["x-api-key"] == "sk-1234567890"
    assert revealed(anthropic)["anthropic-version"] == "2023-06-01"
    assert "authorization" not in anthropic.headers
    assert "sk-1234" not in repr(openai) + repr(anthropic)


def test_a_setup_token_travels_as_bearer_with_its_beta() -> None:
    token = RequestAuth(secret=Secret("sk-ant-oat01-abcdef"), source="profile: anthropic:default", type="token")
    headers = revealed(ask(ANTHROPIC, auth=token))

    assert headers["authorization"] == "Bearer sk-ant-oat01-abcdef"
    assert "oauth" in headers["anthropic-beta"]
    assert "x-api-key" not in headers


def test_no_beta_is_sent_unasked() -> None:
    assert "anthropic-beta" not in ask(ANTHROPIC).headers


def test_auth_header_forces_bearer_and_keeps_the_wires_version() -> None:
    headers = revealed(ask(ProviderInfo(id="a", api="anthropic-messages", base_url="https://h", auth_header=True)))

    assert headers["authorization"] == "Bearer sk-1234567890"
    assert headers["anthropic-version"] == "2023-06-01"
    assert "x-api-key" not in headers


@pytest.mark.parametrize("info", [OPENAI, ANTHROPIC])
def test_without_a_key_no_header_pretends_one(info: ProviderInfo) -> None:
    headers = ask(info, auth=NONE).headers

    assert "authorization" not in headers
    assert "x-api-key" not in headers
    assert ("anthropic-version" in headers) is (info is ANTHROPIC)


def test_headers_of_the_config_win_the_models_over_the_providers_and_an_empty_one_removes() -> None:
    info = ProviderInfo(id="x", base_url="https://h", headers={"X-Title": "a", "X-Env": Secret("s3cret"), "Accept": ""})
    sent = ask(info, Model(id="m", headers={"x-title": "b", "Authorization": "Custom 1"}))

    assert revealed(sent) == {
        "content-type": "application/json",
        "user-agent": f"jackfield/{__version__}",
        "authorization": "Custom 1",
        "x-title": "b",
        "x-env": "s3cret",
    }
    assert "s3cret" not in repr(sent)


def test_a_stream_is_asked_for_as_one() -> None:
    assert "text/event-stream" in revealed(ask(stream=True))["accept"]
    assert revealed(ask())["accept"] == "application/json"
    assert body(ask(stream=True))["stream"] is True


# -- defaults ----------------------------------------------------------------------


def test_the_call_beats_the_model_which_beats_the_provider() -> None:
    info = ProviderInfo(
        id="x", base_url="https://h", params={"temperature": 0.1, "topP": 0.2, "seed": 1, "top_k": 5, "extra": 1}
    )
    model = Model(id="m", params={"topP": 0.3, "seed": 2, "extra": 2})
    said = body(ask(info, model, seed=3, extras={"extra": 3}))

    assert (said["temperature"], said["top_p"], said["seed"], said["top_k"], said["extra"]) == (0.1, 0.3, 3, 5, 3)


def test_a_pseudo_id_is_its_model_thinking_harder_unless_the_call_says_how() -> None:
    model = Model(id="o3-mini-high", upstream="o3-mini", effort="high", reasoning=True)

    assert (body(ask(model=model))["model"], body(ask(model=model))["reasoning_effort"]) == ("o3-mini", "high")
    assert body(ask(model=model, thinking=Thinking(effort="low")))["reasoning_effort"] == "low"


def test_compat_of_the_model_is_laid_over_the_providers() -> None:
    info = ProviderInfo(id="x", base_url="https://h", compat=Compat(supports_temperature=False))
    said = body(
        ask(info, Model(id="m", compat=Compat(max_tokens_field="max_completion_tokens")), max_tokens=5, temperature=1.0)
    )

    assert said["max_completion_tokens"] == 5
    assert "temperature" not in said


@pytest.mark.parametrize(
    ("asked", "model", "sent"),
    [
        (None, Model(id="m", max_tokens=4000), None),
        (9000, Model(id="m", max_tokens=4000), 4000),
        (100, Model(id="m", max_tokens=4000), 100),
        (9000, Model(id="m"), 9000),
        (9000, Model(id="m", max_tokens=-1), 9000),
        (9000, Model(id="m", context_window=2048), 2048),
        (9000, Model(id="m", params={"maxTokens": 7}), 9000),
        (None, Model(id="m", params={"maxTokens": 7}), 7),
    ],
)
def test_an_answers_limit_is_the_callers_within_what_the_model_can(
    asked: int | None, model: Model, sent: int | None
) -> None:
    assert body(ask(OPENAI, model, max_tokens=asked)).get("max_tokens") == sent


@pytest.mark.parametrize(
    ("model", "sent"),
    [(Model(id="m", max_tokens=64000), 64000), (Model(id="m"), 8192), (Model(id="m", context_window=1000), 1000)],
)
def test_a_wire_that_demands_a_limit_gets_the_models(model: Model, sent: int) -> None:
    assert body(ask(ANTHROPIC, model))["max_tokens"] == sent


# -- what another model left in the conversation -----------------------------------


def test_thinking_that_another_model_signed_goes_whole_and_the_rest_stays() -> None:
    signed = ThinkingBlock("hm", signature="sig")
    turn = (
        signed,
        ThinkingBlock("", signature="enc", redacted=True),
        ThinkingBlock("plain"),
        TextBlock("Hi"),
        ToolCall("1", "f", "{}"),
    )
    own, unknown = Message("assistant", turn, model="a/m"), Message("assistant", turn)
    foreign = Message("assistant", turn, model="b/m")

    kept = drop_foreign_thoughts([own, unknown, foreign], "a/m")

    assert kept[:2] == (own, unknown)
    assert kept[2].content == turn[2:]


def test_a_turn_of_nothing_but_foreign_thinking_goes() -> None:
    foreign = Message("assistant", [ThinkingBlock("hm", signature="sig")], model="b/m")

    assert drop_foreign_thoughts([Message.user("Hello"), foreign], "a/m") == (Message.user("Hello"),)


def test_a_foreign_signature_never_reaches_the_wire() -> None:
    history = [
        Message.user("Hello"),
        Message("assistant", [ThinkingBlock("hm", signature="c2ln"), TextBlock("Hi")], model="other/m"),
        Message.user("And now?"),
    ]

    assert b"c2ln" not in ask(ANTHROPIC, messages=history).body
    own = [history[0], Message("assistant", history[1].content, model="a/m"), history[2]]
    assert b"c2ln" in ask(ANTHROPIC, messages=own).body


# -- what providers refuse ---------------------------------------------------------


@pytest.mark.parametrize("info", [OPENAI, ANTHROPIC])
def test_a_model_known_not_to_reason_is_not_asked_how_hard(info: ProviderInfo) -> None:
    plain = Model(id="m", reasoning=False)
    high, off = (replace(HELLO, thinking=Thinking(effort)) for effort in ("high", "off"))

    assert body(render(high, info, plain, KEY)) == body(render(HELLO, info, plain, KEY))
    assert find_losses(high, info, plain) == ("thinking.effort: left out: the model does not reason",)
    assert find_losses(off, info, plain) == ()


def test_an_interrupted_tool_call_does_not_spoil_the_conversation_and_is_named() -> None:
    turns = [Message.user("go"), Message.assistant(ToolCall("c", "look", "{}")), Message.user("never mind")]
    sent = body(ask(messages=turns))["messages"]

    assert [turn["role"] for turn in sent] == ["user", "assistant", "tool", "user"]
    assert find_losses(replace(HELLO, messages=turns), OPENAI, Model(id="m")) == (
        "tool call c: it has no result, which the model is told",
    )


def test_a_signature_that_hangs_on_words_or_calls_goes_to_its_issuer_alone() -> None:
    wire = "google-generative-ai"
    held = {wire: {"thoughtSignature": "c2ln", "videoMetadata": {"fps": 1}}}
    turn = [TextBlock("Hm", opaque=held), ToolCall("1", "f", "{}", opaque={wire: {"thoughtSignature": "c2ln"}})]
    own, foreign = (Message("assistant", turn, model=ref) for ref in ("google/g", "opencode/g"))

    kept = drop_foreign_thoughts([own, foreign], "google/g")

    assert kept[0] == own
    assert kept[1].content == (TextBlock("Hm", opaque={wire: {"videoMetadata": {"fps": 1}}}), ToolCall("1", "f", "{}"))


# -- what the row rules out --------------------------------------------------------


def test_what_the_row_rules_out_is_left_out_and_named() -> None:
    asked = replace(
        HELLO,
        messages=[
            Message.user("Look", ImageBlock("image/png", "aGk=")),
            Message.assistant("I see"),
            Message.user("And?"),
        ],
        tools=[Tool("f")],
        seed=7,
    )
    plain = Model(id="m", input=("text",), tools=False, compat=Compat(unsupported_fields=("seed",)))
    sent = body(render(asked, OPENAI, plain, KEY))

    assert "tools" not in sent
    assert "seed" not in sent
    assert "image left out" in json.dumps(sent["messages"][0])
    assert "aGk=" not in json.dumps(sent)
    assert find_losses(asked, OPENAI, plain) == (
        "tools: left out: the model calls no tools",
        "image: left out: the model reads no image",
        "seed: left out: the server refuses it",
    )


def test_a_row_that_says_nothing_rules_nothing_out() -> None:
    asked = replace(HELLO, messages=[Message.user(ImageBlock("image/png", "aGk="))], tools=[Tool("f")], seed=7)

    assert find_losses(asked, OPENAI, Model(id="m")) == ()
    assert {"tools", "seed"} <= body(render(asked, OPENAI, Model(id="m"), KEY)).keys()
