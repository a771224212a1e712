"""Conversations that every provider would refuse, and what of them is sent."""

from __future__ import annotations

import json

import pytest

from jackfield.message import Message, TextBlock, ToolCall, ToolResult
from jackfield.providers.turns import NO_RESULT, find_gaps, mend_turns

GO, THANKS = Message.user("go"), Message.user("thanks")


def call(name: str) -> ToolCall:
    return ToolCall(name, "look", '{"q":1}')


def result(name: str, text: str = "seen") -> ToolResult:
    return ToolResult(name, [TextBlock(text)])


def lost(name: str) -> ToolResult:
    return ToolResult(name, [TextBlock(NO_RESULT)], is_error=True, name="look")


def test_a_conversation_in_order_stays_as_it_is() -> None:
    turns = (
        GO,
        Message.assistant("one moment", call("a"), call("b")),
        Message.user(result("a"), result("b")),
        Message.assistant("done"),
        Message.user(""),
        Message("user", []),
    )

    assert mend_turns(turns) == turns
    assert find_gaps(turns) == ()


def test_a_call_nobody_answered_gets_a_result_that_says_so() -> None:
    asked = Message.assistant(call("a"), call("b"))
    turns = (GO, asked, Message.user(result("a"), "and now?"))

    assert mend_turns(turns) == (GO, asked, Message.user(result("a"), lost("b"), TextBlock("and now?")))
    assert find_gaps(turns) == ("tool call b: it has no result, which the model is told",)


@pytest.mark.parametrize("after", [(), (Message.assistant("hm"), THANKS)])
def test_a_call_without_a_users_turn_gets_one(after: tuple[Message, ...]) -> None:
    asked = Message.assistant(call("a"))

    assert mend_turns((GO, asked, *after)) == (GO, asked, Message.user(lost("a")), *after)


def test_a_result_of_no_call_is_left_out_by_name() -> None:
    turns = (Message.user(result("gone")), Message.user(result("gone"), "so?"))

    assert mend_turns(turns) == (Message.user("so?"),)
    assert find_gaps(turns) == ("tool result gone: it answers no call",) * 2


def test_a_second_result_of_one_call_is_left_out() -> None:
    turns = (GO, Message.assistant(call("a")), Message.user(result("a"), result("a", "again")))

    assert mend_turns(turns)[-1] == Message.user(result("a"))


def test_a_result_that_came_late_moves_to_its_call() -> None:
    asked, hm = Message.assistant(call("a")), Message.assistant("hm")
    turns = (GO, asked, Message.user("wait"), hm, Message.user(result("a")), THANKS)

    assert mend_turns(turns) == (GO, asked, Message.user(result("a"), "wait"), hm, THANKS)
    assert find_gaps(turns) == ()


def test_results_of_several_turns_come_together_before_the_users_words() -> None:
    asked = Message.assistant(call("a"), call("b"))
    turns = (GO, asked, Message.user(result("a"), "first"), Message.user(result("b"), "second"))

    assert mend_turns(turns)[2:] == (Message.user(result("a"), result("b"), TextBlock("first")), Message.user("second"))


def test_ids_that_begin_anew_each_turn_are_matched_turn_by_turn() -> None:
    asked = Message.assistant(call("call_0"))
    turns = (GO, asked, Message.user("never mind"), asked, Message.user(result("call_0")))

    assert mend_turns(turns)[2:] == (
        Message.user(lost("call_0"), "never mind"), asked, Message.user(result("call_0"))
    )  # fmt: skip


def test_an_empty_turn_of_the_model_is_left_out() -> None:
    assert mend_turns((GO, Message.assistant(), THANKS)) == (GO, THANKS)


@pytest.mark.parametrize("text", ['{"q": oops', "[1]", '"words"'])
def test_arguments_that_are_no_object_are_sent_as_one_that_holds_them(text: str) -> None:
    sent = mend_turns((Message.assistant(ToolCall("a", "look", text)),))[0].content[0]

    assert isinstance(sent, ToolCall)
    assert json.loads(sent.arguments) == {"arguments": text}


def test_input_of_another_kind_of_call_stays_as_it_is() -> None:
    custom = ToolCall("a", "patch", "*** Begin", opaque={"openai-completions": {"type": "custom"}})

    assert mend_turns((Message.assistant(custom),))[0].content == (custom,)


def test_null_for_arguments_means_none_and_no_object_stands_under_one_key() -> None:
    said = Message.assistant(ToolCall("a", "look", " null "), ToolCall("b", "look", "[1]"), ToolCall("c", "look", ""))
    _, mended, _ = mend_turns([GO, said, Message.user(result("a"), result("b"), result("c"))])
    arguments = [block.arguments for block in mended.content if isinstance(block, ToolCall)]
    assert arguments == ["{}", '{"arguments":"[1]"}', ""]
