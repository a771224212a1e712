"""The bag of defaults, in the spellings configs use."""

from __future__ import annotations

import pytest

from jackfield.errors import ConfigError
from jackfield.message import ChatRequest, JsonObject, Thinking
from jackfield.providers.params import apply_params

ASKED = ChatRequest(model="m", stream=True, extras={"own": 1})


@pytest.mark.parametrize(
    ("params", "field", "value"),
    [
        ({"maxTokens": 5}, "max_tokens", 5),
        ({"max_tokens": 5}, "max_tokens", 5),
        ({"temperature": 1}, "temperature", 1.0),
        ({"stop": "END"}, "stop", ("END",)),
        ({"stop": ["a", "b"]}, "stop", ("a", "b")),
        ({"parallelToolCalls": False}, "parallel_tools", False),
        ({"thinking": "high"}, "thinking", Thinking(effort="high")),
        ({"stream": False}, "stream", False),
        ({"stream": True}, "stream", True),
    ],
)
def test_a_known_name_sets_its_field(params: JsonObject, field: str, value: object) -> None:
    applied = apply_params(ASKED, params)

    assert getattr(applied, field) == value
    assert applied.extras == {"own": 1}


def test_a_field_that_the_call_sets_stays() -> None:
    asked = ChatRequest(model="m", max_tokens=1, temperature=0.0, stop=["x"], thinking=Thinking(effort="off"))

    assert apply_params(asked, {"maxTokens": 5, "temperature": 1, "stop": "y", "thinking": "high"}) == asked


@pytest.mark.parametrize(
    ("params", "extras"),
    [
        ({"top_a": 4, "own": 2}, {"own": 1, "top_a": 4}),
        ({"numCtx": 8192, "keepAlive": "5m"}, {"own": 1, "num_ctx": 8192, "keep_alive": "5m"}),
        ({"extra_body": {"a": 1}, "extraBody": {"b": 2, "own": 3}}, {"own": 1, "a": 1, "b": 2}),
        ({"thinking": {"type": "enabled"}}, {"own": 1, "thinking": {"type": "enabled"}}),
        (
            {"transport": "sse", "cacheControlTtl": "1h", "cacheRetention": "long", "context1m": True, "alias": "x"},
            {"own": 1},
        ),
    ],
)
def test_what_is_not_a_field_is_passed_on_and_what_no_server_knows_is_not(
    params: JsonObject, extras: JsonObject
) -> None:
    assert apply_params(ASKED, params).extras == extras


def test_a_value_of_the_wrong_type_is_the_configs_fault() -> None:
    with pytest.raises(ConfigError, match=r"params .*temperature"):
        apply_params(ASKED, {"temperature": "hot"})
