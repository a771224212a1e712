"""The playground as a person uses it, in a real browser: asking, attaching, comparing, calling tools, looking at code."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from jackfield.message import ImageBlock, TextBlock
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.gateway.command import gateway_process
from tests.page.conftest import OVERFLOW, PageOf
from tests.page.playing import END, answer, ask, figures, piece, question, scripted, served, write
from tests.servers import Received, Reply, json_reply, sse_reply

# One pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type }));
  for (const kind of ["dragover", "drop"]) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
  }
}"""
PASTE = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, { type }));
  const event = new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true });
  document.getElementById("question").dispatchEvent(event);
}"""


def test_a_question_is_asked_and_its_answer_comes_with_its_figures(page_of: PageOf) -> None:
    said = {
        "text": "Hello **there**", "thinking": "A greeting.", "perTokenS": 0.05,
        "usage": {"input": 1200, "output": 40, "cacheRead": 300, "reasoning": 7},
    }  # fmt: skip
    with scripted(said) as (process, script):
        page = page_of(process, "playground")
        ask(page, "Hi")
        expect(answer(page)).to_contain_text("Hello there")
        expect(answer(page).locator("strong", has_text="there")).to_be_visible()
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
        told = figures(answer(page))
        assert (told["In"], told["From the cache"], told["Out"]) == ("1,200 tokens", "300 tokens", "40 tokens")
        assert (told["Of it thinking"], told["Cost"]) == ("7 tokens", "$0.0013")
        assert re.fullmatch(r"\d+ ms|[\d.]+ s", told["First token"])
        assert re.fullmatch(r"[\d.]+ tokens/s", told["Speed"])
        thought = answer(page).get_by_role("group").filter(has_text="Thinking")
        expect(thought.get_by_text("A greeting.")).to_be_hidden()
        thought.get_by_text("Thinking").click()
        expect(thought.get_by_text("A greeting.")).to_be_visible()
        expect(page.get_by_role("status").get_by_text("box/m answered: Hello **there**")).to_be_attached()
        assert script.requests[0].request.messages[0].content == (TextBlock("Hi"),)
        process.wait_for(process.page, 'wire="page"')


def test_several_turns_are_one_conversation_also_over_a_reload(page_of: PageOf) -> None:
    with scripted("First answer", "Second answer", "Third answer") as (process, script):
        page = page_of(process, "playground")
        ask(page, "One")
        expect(answer(page)).to_contain_text("First answer")
        ask(page, "Two")
        expect(answer(page)).to_contain_text("Second answer")
        page.get_by_label("System prompt").fill("Be brief")
        page.reload()
        expect(page.get_by_text("First answer")).to_be_visible()
        expect(page.get_by_label("System prompt")).to_have_value("Be brief")
        ask(page, "Three")
        expect(answer(page)).to_contain_text("Third answer")
        last = script.requests[-1].body["messages"]
        assert [(each["role"], each["content"]) for each in last] == [
            ("system", "Be brief"), ("user", "One"), ("assistant", "First answer"), ("user", "Two"),
            ("assistant", "Second answer"), ("user", "Three"),
        ]  # fmt: skip
        page.get_by_role("button", name="Start over").click()
        page.get_by_role("dialog").get_by_role("button", name="Start over").click()
        expect(page.get_by_text("Nothing asked yet")).to_be_visible()
        expect(question(page)).to_be_focused()


def test_a_model_is_found_by_few_letters(page_of: PageOf) -> None:
    with scripted("Hi") as (process, script):
        page = page_of(process, "playground")
        picker = page.get_by_role("combobox", name="Model", exact=True)
        expect(picker).to_have_value("default")
        picker.fill("oth7")
        expect(page.get_by_role("listbox", name="Choices").first.get_by_role("option")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(picker).to_have_value("box/other-7b")
        ask(page, "Hi")
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
        expect(answer(page)).to_contain_text("box/other-7b")
        assert script.requests[0].request.model == "other-7b"


def test_without_a_provider_the_way_to_one_is_shown(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process, "playground")
        expect(page.get_by_text("No model can be asked yet")).to_be_visible()
        page.get_by_role("main").get_by_role("link", name="Providers").click()
        expect(page.get_by_role("heading", level=1, name="Providers")).to_be_visible()


def test_without_a_default_a_model_is_wanted_before_anybody_is_asked(page_of: PageOf) -> None:
    script = Script(["Hi"])
    with open_server(script) as url:
        write(url, primary="")
        with gateway_process() as process:
            page = page_of(process, "playground")
            expect(page.get_by_text("Nothing asked yet")).to_be_visible()
            ask(page, "Hello")
            expect(page.get_by_role("alert")).to_contain_text("Choose a model first")
            expect(question(page)).to_have_value("Hello")
            page.get_by_role("combobox", name="Model", exact=True).fill("box/spare")
            page.keyboard.press("Enter")
            expect(page.get_by_text("Choose a model first")).to_have_count(0)
            page.get_by_role("button", name="Send").click()
            expect(answer(page)).to_contain_text("Hi")
    assert [each.request.model for each in script.requests] == ["spare"]


def test_the_only_model_there_is_is_chosen(page_of: PageOf) -> None:
    with open_server(Script(["Hi"])) as url:
        write(url, [{"id": "lonely"}], primary="")
        with gateway_process() as process:
            page = page_of(process, "playground")
            expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("box/lonely")
            ask(page, "Hello")
            expect(answer(page)).to_contain_text("Hi")


def test_a_model_of_the_address_is_chosen(page_of: PageOf) -> None:
    with scripted("Hi") as (process, _):
        page = page_of(process, "playground?model=box%2Fspare")
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("box/spare")


def test_what_is_set_beside_the_question_is_asked(page_of: PageOf) -> None:
    with scripted("Hi") as (process, script):
        page = page_of(process, "playground")
        page.get_by_label("System prompt").fill("Be kind")
        page.get_by_label("Temperature").fill("0.3")
        page.get_by_label("Longest answer").fill("64")
        page.get_by_label("Thinking").select_option("high")
        page.get_by_text("More", exact=True).click()
        page.get_by_label("Stop at").fill("END")
        page.get_by_label("Seed").fill("5")
        ask(page, "Hi")
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
        asked = script.requests[0].request
        assert (asked.system[0].text, asked.temperature, asked.max_tokens) == ("Be kind", 0.3, 64)
        assert (asked.thinking and asked.thinking.effort, asked.stop, asked.seed) == ("high", ("END",), 5)
        page.get_by_label("Temperature").fill("hot")
        expect(page.get_by_label("Temperature")).to_have_attribute("aria-invalid", "true")
        question(page).fill("Hi again")
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        expect(page.get_by_role("alert")).to_contain_text("A setting is wrong")
        page.get_by_role("button", name="Reset settings").click()
        expect(page.get_by_role("button", name="Send")).to_be_enabled()


def test_pictures_and_files_come_by_drop_by_paste_and_by_button(page_of: PageOf, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("The sea is green.", encoding="utf-8")
    strange = tmp_path / "strange.bin"
    strange.write_bytes(b"\x00\xff\x00\x01" * 40)
    with scripted("A picture", "again") as (process, script):
        page = page_of(process, "playground")
        page.get_by_role("combobox", name="Model", exact=True).fill("box/m")
        page.evaluate(DROP, ["dropped.png", "image/png", PIXEL])
        page.evaluate(PASTE, ["image.png", "image/png", PIXEL])
        page.get_by_label("Files to attach").set_input_files([note, strange])
        attached = page.get_by_role("list", name="Attached files")
        expect(attached.get_by_role("listitem")).to_have_count(3)
        expect(attached.get_by_role("img", name="Preview of dropped.png")).to_be_visible()
        pasted = attached.get_by_role("listitem").filter(has_text=re.compile(r"pasted-\d+\.png"))
        expect(pasted).to_have_count(1)
        expect(attached).to_contain_text("17 B")
        expect(page.get_by_role("alert")).to_contain_text("strange.bin is nothing a model reads")
        pasted.get_by_role("button", name="Remove").click()
        expect(attached.get_by_role("listitem")).to_have_count(2)
        ask(page, "What is it?")
        expect(answer(page)).to_contain_text("A picture")
        sent = script.requests[0].request.messages[0].content
        assert [type(block) for block in sent] == [ImageBlock, TextBlock, TextBlock]
        assert isinstance(sent[0], ImageBlock)
        assert base64.b64decode(sent[0].data or "") == base64.b64decode(PIXEL)
        assert "The sea is green." in getattr(sent[1], "text", "")
        page.reload()
        expect(page.get_by_text("not kept over the reload")).to_have_count(2)
        ask(page, "And now?")
        expect(answer(page)).to_contain_text("again")
        assert script.requests[-1].body["messages"][0]["content"] == "What is it?"


def test_more_than_a_request_holds_is_told_before_it_is_sent(page_of: PageOf, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(13_000_000))
    with scripted("Hi") as (process, _):
        page = page_of(process, "playground")
        page.get_by_label("Files to attach").set_input_files([large])
        expect(page.get_by_text("13.0 MB attached")).to_be_visible()
        page.get_by_label("Files to attach").set_input_files([large])
        expect(page.get_by_role("alert")).to_contain_text(
            "These files are 26.0 MB together; a request holds at most 23.0 MB"
        )
        expect(page.get_by_role("button", name="Send")).to_be_disabled()


def test_a_tool_is_called_a_person_answers_for_it_and_the_model_goes_on(page_of: PageOf) -> None:
    calls = [
        {"name": "weather", "arguments": {"city": "Lisbon"}, "id": "c1"},
        {"name": "time", "arguments": {}, "id": "c2"},
    ]
    with scripted({"toolCalls": calls, "perTokenS": 0.02}, {"when": {"toolResult": True}, "text": "It is 18 °C at noon."}) as (process, script):  # fmt: skip
        page = page_of(process, "playground")
        page.get_by_text("Tools", exact=True).click()
        page.get_by_role("button", name="Example").first.click()
        ask(page, "How is the weather?")
        expect(answer(page).get_by_label("Arguments of weather")).to_contain_text('"city": "Lisbon"')
        page.get_by_label("Result of weather").fill("18 °C")
        page.get_by_label("Result of time").fill("noon")
        page.get_by_role("button", name="Send results").click()
        expect(answer(page)).to_contain_text("It is 18 °C at noon.")
        assert script.requests[0].request.tools[0].name == "weather"
        turns = script.requests[-1].body["messages"]
        assert [each["function"]["name"] for each in turns[1]["tool_calls"]] == ["weather", "time"]
        assert [(each["tool_call_id"], each["content"]) for each in turns[2:]] == [("c1", "18 °C"), ("c2", "noon")]
        expect(page.get_by_role("button", name="Send results")).to_have_count(0)
        expect(page.locator(".results")).to_contain_text("18 °C")


def test_a_structured_answer_is_shown_pretty_and_judged(page_of: PageOf) -> None:
    with scripted('{"city":"Lisbon"}', '{"city":7,"x":1}', "not json") as (process, script):
        page = page_of(process, "playground")
        page.get_by_text("JSON answer", exact=True).click()
        page.get_by_role("button", name="Example").last.click()
        ask(page, "One")
        expect(answer(page)).to_contain_text("Valid JSON, fits the schema")
        assert answer(page).locator("pre").inner_text() == '{\n  "city": "Lisbon"\n}'
        assert script.requests[0].request.response_format is not None
        ask(page, "Two")
        expect(answer(page)).to_contain_text("JSON that does not fit the schema")
        expect(answer(page)).to_contain_text("city: is no string")
        expect(answer(page)).to_contain_text("x: is not in the schema")
        ask(page, "Three")
        expect(answer(page)).to_contain_text("This is not JSON")


def test_an_answer_is_stopped_by_button_and_by_escape_and_the_provider_with_it(page_of: PageOf) -> None:
    slow = {"text": "word " * 2000, "perTokenS": 0.03, "repeat": True}
    with scripted(slow) as (process, _):
        page = page_of(process, "playground")
        for way in ("button", "escape"):
            ask(page, "Go on for long")
            expect(answer(page)).to_contain_text("word word word")
            if way == "button":
                page.get_by_role("button", name="Stop").click()
            else:
                page.keyboard.press("Escape")
            expect(answer(page)).to_contain_text("Stopped by you")
            heard = answer(page).inner_text()
            time.sleep(0.3)
            assert answer(page).inner_text() == heard
            expect(page.get_by_role("button", name="Send")).to_be_visible()
        process.wait_for(process.page, 'model="box/m",outcome="cancelled"} 2')
        rows = process.wait_for(lambda: process.admin("usage?by=key&days=1")[1], '"page"')
        assert "page" in json.dumps(rows)


def test_an_answer_is_made_anew_also_by_another_model_and_each_is_kept(page_of: PageOf) -> None:
    with scripted("First try", "Second try", "By another") as (process, script):
        page = page_of(process, "playground")
        ask(page, "Hi")
        expect(answer(page)).to_contain_text("First try")
        page.get_by_role("button", name="Regenerate").click()
        expect(answer(page)).to_contain_text("Second try")
        page.get_by_role("button", name="Another model").click()
        page.get_by_role("combobox", name="Ask another model instead").fill("spare")
        page.keyboard.press("Enter")
        expect(answer(page)).to_contain_text("By another")
        expect(answer(page)).to_contain_text("box/spare")
        assert [len(each.body["messages"]) for each in script.requests] == [1, 1, 1]
        expect(page.get_by_text("Answer 3 of 3")).to_be_visible()
        page.get_by_role("button", name="Earlier answer").click()
        page.get_by_role("button", name="Earlier answer").click()
        expect(answer(page)).to_contain_text("First try")
        expect(page.get_by_role("button", name="Earlier answer")).to_be_disabled()


def test_two_models_answer_side_by_side_at_the_same_time(page_of: PageOf) -> None:
    go_on = threading.Event()

    def reply(received: Received) -> Reply:
        word = "left " if received.json()["model"] == "m" else "right "
        counts = {"id": "c", "model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 8}}
        return sse_reply(piece(word), go_on, piece(word * 7), END, counts, "[DONE]")

    with served(reply) as (process, server):
        page = page_of(process, "playground")
        page.get_by_label("Side by side").check()
        page.get_by_role("combobox", name="Second model").fill("box/spare")
        ask(page, "Both")
        left, right = page.get_by_role("region", name="Answer of default"), page.get_by_role("region", name="Answer of box/spare")  # fmt: skip
        expect(left).to_contain_text("left")
        expect(right).to_contain_text("right")
        go_on.set()
        expect(page.get_by_role("button", name="Regenerate")).to_have_count(2)
        assert figures(left.locator(".answer"))["Cost"] != figures(right.locator(".answer"))["Cost"]
        boxes = [each.bounding_box() for each in (left, right)]
        assert boxes[0]
        assert boxes[1]
        assert boxes[0]["y"] == boxes[1]["y"]
        ask(page, "Again")
        expect(page.get_by_role("button", name="Regenerate")).to_have_count(2)
        asked = [each.json() for each in server.journal if each.method == "POST"][2:]
        turns = {each["model"]: each["messages"][1]["content"].split()[0] for each in asked}
        assert turns == {"m": "left", "spare": "right"}


def test_who_stands_in_is_named_with_the_tries_that_failed(page_of: PageOf) -> None:
    go_on = threading.Event()

    def reply(received: Received) -> Reply:
        if received.json()["model"] == "m":
            return json_reply({"error": {"message": "slow down", "type": "rate_limit_error"}}, 429)
        return [go_on, *sse_reply(piece("I stand in"), END, "[DONE]")]

    with served(reply) as (process, _):
        page = page_of(process, "playground")
        page.get_by_text("More", exact=True).click()
        page.get_by_label("Fallbacks").fill("box/spare")
        ask(page, "Hi")
        expect(answer(page).locator(".tries")).to_contain_text("box/m: rate_limit")
        expect(answer(page)).to_contain_text("Asking on…")
        go_on.set()
        expect(answer(page)).to_contain_text("I stand in")
        expect(answer(page).locator(".answer-head")).to_have_text(re.compile(r"box/spare\s*asked: default"))
        answer(page).get_by_text("Answered after 1 failed try").click()
        expect(answer(page).get_by_role("listitem")).to_have_count(2)
        expect(answer(page).get_by_role("listitem").first).to_contain_text("slow down")


def test_the_request_is_shown_as_code_and_copied(page_of: PageOf) -> None:
    with scripted("Hi") as (process, _):
        page = page_of(process, "playground")
        question(page).fill("<script>alert('code')</script>")
        page.get_by_role("button", name="As code").click()
        dialog = page.get_by_role("dialog", name="This request as code")
        expect(dialog.get_by_role("region", name="Code: curl")).to_contain_text(
            f"http://127.0.0.1:{process.port}/v1/chat/completions"
        )
        dialog.get_by_role("button", name="Copy").click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == dialog.locator("pre").inner_text()
        assert "<script>alert('code')</script>" in copied
        assert "Bearer YOUR_GATEWAY_KEY" in copied
        for name in ("Python · jackfield", "Python · openai", "JavaScript · fetch", "JavaScript · openai"):
            dialog.get_by_role("tab", name=name).click()
            expect(dialog.get_by_role("region", name=f"Code: {name}")).to_contain_text("default")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()


def test_everything_is_done_by_the_keyboard(page_of: PageOf) -> None:
    with scripted("One", "Two", "Three") as (process, script):
        page = page_of(process, "playground")
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("default")
        page.get_by_role("button", name="Settings", exact=True).focus()
        page.keyboard.press("Space")
        expect(page.get_by_label("System prompt")).to_be_hidden()
        walked = []
        for _ in range(3):
            page.keyboard.press("Tab")
            walked.append(page.evaluate("() => document.activeElement.labels?.[0]?.textContent"))
        assert walked == ["Model", "Side by side", "Question"]
        page.keyboard.type("first")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("second")
        page.keyboard.press("Enter")
        expect(answer(page)).to_contain_text("One")
        assert script.requests[0].body["messages"][0]["content"] == "first\nsecond"
        page.get_by_role("button", name="Regenerate").focus()
        page.keyboard.press("Enter")
        expect(answer(page)).to_contain_text("Two")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_the_view_is_right_in_both_themes_on_a_phone_and_for_readers(
    theme: str, width: int, page_of: PageOf, check_axe: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    code = "```python\nprint('a long line that does not fit on a phone, for it is long')\n```"
    text = f"Some **words**, [a link](https://x.example/a).\n\n1. One\n2. Two\n\n{code}"
    call = {"toolCalls": [{"name": "weather", "arguments": {"city": "Lisbon"}, "id": "c1"}], "thinking": "Hm."}
    with scripted({"text": text, "thinking": "Let me see."}, call) as (process, _):
        page = page_of(process, "playground", width=width, theme=theme)
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("default")
        check_axe(page)
        ask(page, "How?")
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
        ask(page, "And the weather?")
        expect(page.get_by_label("Result of weather")).to_be_visible()
        if width < 400:
            page.get_by_role("button", name="Settings", exact=True).click()
        check_axe(page)
        assert page.evaluate(OVERFLOW) <= 0
        shot(page, f"playground-talk-{theme}-{width}")
        page.get_by_role("button", name="As code").click()
        check_axe(page)
        assert page.evaluate(OVERFLOW) <= 0
