"""Names of functions on wires that take only some."""

from __future__ import annotations

import re

import pytest

from jackfield.message import ChatRequest, Message, Tool, ToolCall
from jackfield.providers.names import FORMS, find_renamed, legal_name, with_legal_names

WILD = ["a.b", "mcp:x/y", "1st", "-x", "naïve", "読む", "a" * 65, "a" * 200, "two words", "…"]


@pytest.mark.parametrize("api", sorted(FORMS))
def test_a_replaced_name_is_legal_and_its_own(api: str) -> None:
    legal = [legal_name(name, api) for name in WILD]
    assert all(FORMS[api].fullmatch(name) for name in legal)
    assert len(set(legal)) == len(WILD)
    assert [legal_name(name, api) for name in legal] == legal


def test_a_legal_name_stays_and_a_request_of_such_names_is_the_same_object() -> None:
    request = ChatRequest(
        model="m", tools=[Tool("get_weather-2")], messages=[Message.assistant(ToolCall("i", "now", "{}"))]
    )
    for api in FORMS:
        assert with_legal_names(request, api) is request
        assert not find_renamed(request, api)


def test_gemini_takes_dots_and_colons_and_ollama_anything() -> None:
    assert legal_name("mcp:files.read", "google-generative-ai") == "mcp:files.read"
    assert legal_name("a b/c", "ollama") == "a b/c"
    assert re.fullmatch("mcp_files_read_[0-9a-f]{8}", legal_name("mcp:files.read", "anthropic-messages"))
