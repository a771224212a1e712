"""The one table of features: what is left out goes whole, and what stays is untouched."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from jackfield.message import (
    ChatRequest,
    DocumentBlock,
    Message,
    ResponseFormat,
    TextBlock,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from jackfield.model import Compat
from jackfield.protocols import load
from jackfield.protocols.features import LEFT_OUT, SAID_AS, every_block, find_losses
from jackfield.protocols.spare import spare
from jackfield.protocols.structured import AS_INSTRUCTION
from tests.protocols.examples import EXAMPLES, SCHEMA, WEATHER

NONE = Compat()
PLAIN = ChatRequest(model="m", messages=[Message.user("Hi")])
MARK = {"type": "ephemeral"}


# Neither holds anything that could be left out.
ORDERS = ("model first", "words beside calls")


@pytest.mark.parametrize("feature", [name for name in EXAMPLES if name not in ORDERS])
def test_a_request_without_a_feature_is_what_is_left_when_it_is_left_out(feature: str) -> None:
    example, gone = EXAMPLES[feature], {feature: LEFT_OUT}
    assert spare(example.request, "x", gone, NONE) == spare(example.without, "x", gone, NONE)


@pytest.mark.parametrize(
    ("fields", "feature", "left"),
    [
        ({"system": [TextBlock("Be brief")]}, "system", {"system": ()}),
        ({"tool_choice": ToolChoice("tool", "f")}, "tool_choice.tool", {"tool_choice": ToolChoice("required")}),
        ({"response_format": ResponseFormat(SCHEMA)}, "response_format.schema", {"response_format": None}),
        ({"response_format": ResponseFormat(SCHEMA)}, "response_format.json", {}),
    ],
)
def test_only_what_the_table_names_goes(fields: dict[str, Any], feature: str, left: dict[str, Any]) -> None:
    request = replace(PLAIN, **fields)
    assert spare(request, "x", {feature: LEFT_OUT}, NONE) == replace(request, **left)


def test_marks_inside_a_tools_result_go_with_the_others() -> None:
    result = ToolResult("a", [TextBlock("x", MARK), DocumentBlock("text/plain", "y", cache_control=MARK)])
    request = replace(PLAIN, messages=[Message.user(result)])
    left = spare(request, "x", {"cache_control": LEFT_OUT}, NONE)
    assert not any(getattr(block, "cache_control", None) for block in every_block(left))
    assert len(list(every_block(left))) == 3


def test_a_fate_that_is_another_word_for_the_same_is_no_loss() -> None:
    request = replace(PLAIN, temperature=1, seed=7)
    limits = {"temperature": f"{SAID_AS}warmth", "seed": "as luck"}
    assert find_losses(request, "x", limits, NONE) == ("seed: as luck",)


def test_a_server_may_do_less_than_its_protocol_and_more() -> None:
    limits = {"cache_control": LEFT_OUT}
    marked = replace(PLAIN, messages=[Message.user(TextBlock("Hi", MARK))], stop=["END"])
    assert find_losses(marked, "x", limits, Compat(supports_cache_control=True)) == ()
    assert find_losses(marked, "x", limits, Compat(supports_stop=False)) == (
        "stop: left out",
        "cache_control: left out",
    )


@pytest.mark.parametrize("name", ["anthropic-messages", "openai-completions"])
def test_a_form_that_a_server_cannot_hold_the_answer_to_is_an_instruction(name: str) -> None:
    protocol, compat = load(name), Compat(supports_response_format=False)
    request = replace(PLAIN, response_format=ResponseFormat(SCHEMA), max_tokens=9)
    body = str(protocol.render_request(request, compat))
    assert "It must fit this JSON Schema" in body
    assert "json_schema" not in body
    assert protocol.find_losses(request, compat) == (f"response_format.schema: {AS_INSTRUCTION}",)


@pytest.mark.parametrize("name", ["anthropic-messages", "openai-completions"])
def test_a_choice_of_tools_without_tools_is_named(name: str) -> None:
    request = replace(PLAIN, tool_choice=ToolChoice("required"), max_tokens=9)
    assert load(name).find_losses(request) == ("tool_choice: there are no tools",)
    assert "tool_choice" not in load(name).render_request(request)


def test_tools_that_only_another_wire_runs_go_and_the_others_stay() -> None:
    foreign = Tool("shell", opaque={"telegraph": {"type": "shell"}})
    request = replace(PLAIN, tools=[WEATHER, foreign], messages=[Message.assistant(ToolCall("a", "weather", "{}"))])
    assert spare(request, "x", {}, NONE).tools == (WEATHER,)
    assert spare(request, "telegraph", {}, NONE) is request
