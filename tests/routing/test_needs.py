"""What a request needs, what is known of a model, and what is in doubt."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from jackfield.config.schema import AllowList
from jackfield.errors import InvalidRequest, NotAllowed
from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    Message,
    ResponseFormat,
    TextBlock,
    Tool,
    ToolChoice,
    ToolResult,
)
from jackfield.model import Compat, Model
from jackfield.routing.needs import larger, weigh
from tests.routing.house import configure, planned, refs, skips

PICTURE = ImageBlock("image/png", "iVBORw==")
SOUND = AudioBlock("audio/wav", "UklGRg==")
PAPER = DocumentBlock("application/pdf", "JVBERi0=")
WORDS = "word " * 100_000  # as many tokens
SCHEMA = ResponseFormat({"type": "object"})


def asking(*blocks: Block, **fields: object) -> ChatRequest:
    return ChatRequest(model="", messages=[Message("user", [*blocks, TextBlock("Well?")])], **fields)  # type: ignore[arg-type]  # any field


def row(name: str = "m", **fields: object) -> Model:
    return Model(id=name, **fields)  # type: ignore[arg-type]  # any field


def test_what_cannot_take_the_request_is_left_out_before_any_call() -> None:
    config = configure(
        ("a/blind", row("blind", input=("text",), context_window=1_000_000)),
        ("b/short", row("short", input=("text", "image"), context_window=32_768)),
        ("c/able", row("able", input=("text", "image"), context_window=200_000)),
    )
    made = planned(config, asking(PICTURE, TextBlock(WORDS)))
    assert refs(made) == ["c/able"]
    assert skips(made) == [("a/blind", "no_images"), ("b/short", "context_window")]
    assert made.skipped[0].reason == "it takes no images"
    assert "do not fit into its window of 32,768" in made.skipped[1].reason


@pytest.mark.parametrize(
    ("request_", "known", "lacking", "cause"),
    [
        (asking(tools=[Tool("t")]), {"tools": True}, {"tools": False}, "no_tools"),
        (asking(tools=[Tool("t")]), {"tools": True}, {"compat": Compat(supports_tools=False)}, "no_tools"),
        (asking(response_format=SCHEMA), {}, {"compat": Compat(supports_response_format=False)}, "no_schema"),
        (asking(SOUND), {"input": ("text", "audio")}, {"input": ("text",)}, "no_audio"),
        (asking(PICTURE), {"input": ("text", "image")}, {"input": ("text",)}, "no_images"),
    ],
)
def test_what_a_model_is_known_to_lack_leaves_it_out(
    request_: ChatRequest, known: dict[str, object], lacking: dict[str, object], cause: str
) -> None:
    made = planned(configure(("a/m", row(**lacking)), ("b/m", row(**known))), request_)
    assert refs(made) == ["b/m"]
    assert skips(made) == [("a/m", cause)]
    assert made.candidates[0].doubts == ()


@pytest.mark.parametrize(
    ("request_", "known"),
    [
        (asking(tools=[Tool("t")]), {"tools": True}),
        (asking(PICTURE), {"input": ("text", "image")}),
        (asking(PAPER), {"input": ("text", "document")}),
        (asking(TextBlock(WORDS)), {"context_window": 200_000}),
    ],
)
def test_who_says_nothing_of_what_is_needed_goes_last(request_: ChatRequest, known: dict[str, object]) -> None:
    config = configure("a/m", ("b/m", row(**known)), "c/m", ("d/m", row(**known)))
    made = planned(config, request_)
    assert refs(made) == ["b/m", "d/m", "a/m", "c/m"]
    assert [bool(each.doubts) for each in made.candidates] == [False, False, True, True]


def test_nothing_is_in_doubt_of_what_is_not_needed() -> None:
    made = planned(configure("a/m", ("b/m", row(input=("text", "image"), tools=True, context_window=9_000))), asking())
    assert refs(made) == ["a/m", "b/m"]
    assert not any(each.doubts for each in made.candidates)


@pytest.mark.parametrize(
    "request_",
    [
        asking(response_format=ResponseFormat()),  # any JSON is asked for in words where a server has no switch
        asking(tools=[Tool("t")], tool_choice=ToolChoice("none")),
        asking(DocumentBlock("text/plain", "words")),
    ],
)
def test_what_every_model_can_be_asked_leaves_nobody_out(request_: ChatRequest) -> None:
    lacking = row(tools=False, input=("text",), compat=Compat(supports_response_format=False))
    made = planned(configure(("a/m", lacking), "b/m"), request_)
    assert refs(made) == ["a/m", "b/m"]
    assert not any(each.doubts for each in made.candidates)


def test_the_wanted_answer_takes_its_part_of_the_window() -> None:
    config = configure(("a/m", row(context_window=110_000 + 5_000)), ("b/m", row(context_window=200_000)))
    assert refs(planned(config, asking(TextBlock(WORDS), max_tokens=1_000)))[0] == "a/m"
    made = planned(config, asking(TextBlock(WORDS), max_tokens=20_000))
    assert refs(made) == ["b/m"]
    assert "and an answer of 20,000" in made.skipped[0].reason


def test_no_more_is_reserved_for_an_answer_than_the_model_writes() -> None:
    config = configure(("a/m", row(context_window=9_000, max_tokens=4_000)), "b/m")
    assert refs(planned(config, asking(max_tokens=64_000))) == ["a/m", "b/m"]


def test_when_no_window_is_large_enough_the_largest_is_asked_since_an_estimate_is_no_count() -> None:
    config = configure(("a/m", row(context_window=32_000)), ("b/m", row(context_window=64_000)))
    made = planned(config, asking(TextBlock(WORDS)))
    assert refs(made) == ["b/m"]
    assert made.candidates[0].last_resort
    assert "nothing else is left, though about" in made.candidates[0].reason
    assert skips(made) == [("a/m", "context_window")]


def test_a_named_model_that_calls_no_tools_is_asked_all_the_same() -> None:
    made = planned(configure(("a/m", row(tools=False))), asking(tools=[Tool("t")]))
    assert refs(made) == ["a/m"]
    assert made.candidates[0].last_resort


# -- pictures ------------------------------------------------------------------------

BLIND, EYES = row("blind", input=("text",)), row("eyes", input=("text", "image"))


def test_image_models_come_first_and_the_chain_after_them_where_it_can_see() -> None:
    config = configure(("a/blind", BLIND), ("b/eyes", EYES), ("c/eyes", EYES), image_primary="c/eyes")
    made = planned(config, asking(PICTURE))
    assert refs(made) == ["c/eyes", "b/eyes"]
    assert skips(made) == [("a/blind", "no_images")]


def test_without_an_image_model_the_rest_of_the_chain_looks_at_the_picture() -> None:
    made = planned(configure(("a/blind", BLIND), ("b/eyes", EYES)), asking(PICTURE))
    assert refs(made) == ["b/eyes"]


def test_nobody_answers_about_a_picture_he_cannot_see() -> None:
    with pytest.raises(InvalidRequest, match="a/blind, b/blind takes no images"):
        planned(configure(("a/blind", BLIND), ("b/blind", BLIND)), asking(PICTURE))


def test_a_picture_in_a_tools_result_counts_and_one_of_an_earlier_turn_does_not() -> None:
    seen = ToolResult("1", [TextBlock("see"), PICTURE])
    assert weigh(asking(seen)).files == ("image",)
    past = [Message("user", [PICTURE]), Message.assistant("A cat."), Message.user("Thanks")]
    assert weigh(ChatRequest(model="", messages=past)).files == ()


# -- rules ---------------------------------------------------------------------------


@pytest.mark.parametrize(("patterns", "allowed"), [(("quick",), "b/m"), (("b/*",), "b/m"), (("B/M",), "b/m")])
def test_an_allowlist_of_one_admits_that_one_under_its_names(patterns: Sequence[str], allowed: str) -> None:
    allow = AllowList(tuple(patterns), "modelPolicy.allow (jackfield.json:3)")
    config = configure("a/m", "b/m", allow=allow, aliases={"quick": "b/m"})
    assert refs(planned(config, ChatRequest(model="quick"))) == [allowed]
    with pytest.raises(NotAllowed, match=r"'a/m' is not allowed by modelPolicy\.allow \(jackfield\.json:3\)") as caught:
        planned(config, ChatRequest(model="a/m"))
    assert patterns[0] in caught.value.hint
    assert refs(planned(config)) == ["a/m", "b/m"], "what the owner configured is no caller's wish"


def test_no_allowlist_admits_everything() -> None:
    assert refs(planned(configure("a/m", allow=None), ChatRequest(model="a/m"))) == ["a/m"]


# -- after an overflow -----------------------------------------------------------------


def test_only_a_larger_or_unknown_window_may_take_what_was_too_long() -> None:
    rows = [("a/m", row(context_window=100)), ("b/m", row(context_window=200)), "c/m", ("d/m", row(context_window=100))]
    small, large, unknown, same = planned(configure(*rows)).candidates
    assert larger(large, small)
    assert larger(unknown, small)
    assert larger(small, unknown)
    assert not larger(same, small)
    assert not larger(small, large)
    assert not larger(unknown, unknown)
