"""The playground when something goes wrong or means harm: streams that break, a gateway that ends, sessions, reloads, scripts."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from jackfield.demo.server import open_server as open_llama
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.commands import write_config
from tests.gateway.command import gateway_process
from tests.page.conftest import WAIT_MS, PageOf, Work
from tests.page.playing import END, answer, ask, piece, question, scripted, served, write
from tests.patience import PATIENCE_S
from tests.servers import HANG, Received, Reply, json_reply, serve, sse_reply

AWAY = "ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED|ERR_SOCKET"
# One pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SLOW = {"text": "word " * 400, "perTokenS": 0.05}
# Counts how long the page was not able to draw.
WATCH = """() => {
  window.frames = 0;
  window.drawn = 0;
  new MutationObserver(() => { window.drawn += 1; }).observe(document.body, { subtree: true, childList: true, characterData: true });
  const look = () => {
    window.frames += 1;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def chats(*replies: Reply) -> Callable[[Received], Reply]:
    """Give chats these replies, one each; other views of the page ask for the list of models."""
    left = list(replies)
    return lambda received: left.pop(0) if received.method == "POST" else json_reply({"data": []})


def try_again(page: Page) -> None:
    page.get_by_role("button", name="Try again").click()


def test_a_stream_that_breaks_keeps_its_words_and_is_tried_again(page_of: PageOf) -> None:
    with scripted({"text": "one two three four five", "cutAfter": 3}, "All of it") as (process, script):
        page = page_of(process, "playground")
        ask(page, "Count")
        expect(answer(page)).to_contain_text("Failed")
        expect(answer(page)).to_contain_text("one two three")
        expect(page.get_by_role("alert").filter(has_text="broke off")).to_be_visible()
        try_again(page)
        expect(answer(page)).to_contain_text("All of it")
        assert len(script.requests[-1].body["messages"]) == 1


def test_nobody_answers_and_each_try_is_told_with_what_to_do(page_of: PageOf) -> None:
    with scripted({"error": "auth", "message": "bad key", "repeat": True}) as (process, _):
        page = page_of(process, "playground")
        ask(page, "Hi")
        expect(answer(page)).to_contain_text("Failed")
        expect(page.get_by_role("alert").filter(has_text="bad key")).to_be_visible()
        answer(page).get_by_text("1 try failed").click()
        expect(answer(page).get_by_role("listitem")).to_contain_text("box/m: auth")


def test_what_follows_a_failed_answer_is_asked_with_what_was_heard(page_of: PageOf) -> None:
    with scripted({"text": "one two three", "cutAfter": 2}, "Fine") as (process, script):
        page = page_of(process, "playground")
        ask(page, "Count")
        expect(answer(page)).to_contain_text("Failed")
        ask(page, "Go on")
        expect(answer(page)).to_contain_text("Fine")
        roles = [(each["role"], each["content"].strip()) for each in script.requests[-1].body["messages"]]
        assert roles == [("user", "Count"), ("assistant", "one two"), ("user", "Go on")]


def test_a_reload_during_a_stream_ends_it_keeps_its_words_and_says_so(page_of: PageOf) -> None:
    with serve(
        chats(sse_reply(piece("Half an "), piece("answer"), HANG), sse_reply(piece("Whole"), END, "[DONE]"))
    ) as server:
        write(server.url)
        with gateway_process() as process:
            page = page_of(process, "playground")
            ask(page, "Hi")
            expect(answer(page)).to_contain_text("Half an answer")
            page.reload()
            assert server.dropped.wait(PATIENCE_S)
            expect(answer(page)).to_contain_text("Half an answer")
            expect(answer(page)).to_contain_text("The page was loaded anew before the answer was whole.")
            try_again(page)
            expect(answer(page)).to_contain_text("Whole")
            process.wait_for(process.page, 'outcome="cancelled"')


def test_a_look_at_another_view_leaves_the_stream_alone(page_of: PageOf) -> None:
    go_on = threading.Event()
    with served(lambda _: sse_reply(piece("word "), go_on, piece("word " * 29), END, "[DONE]")) as (process, _):
        page = page_of(process, "playground")
        ask(page, "Hi")
        expect(answer(page)).to_contain_text("word")
        page.goto(page.url.replace("playground", "config"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Config")
        go_on.set()
        page.goto(page.url.replace("config", "playground"))
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
        assert answer(page).locator(".words").inner_text().count("word") == 30


@pytest.mark.parametrize("is_told", [False, True], ids=["killed", "told twice to end"])
def test_a_gateway_that_ends_during_a_stream_is_told_and_the_answer_tried_again_on_the_next(
    is_told: bool, page_of: PageOf
) -> None:
    script = Script([SLOW, "After the restart"])
    with open_server(script) as url:
        write(url)
        with gateway_process() as first:
            page = page_of(first, "playground", forgive=AWAY)
            ask(page, "Hi")
            expect(answer(page)).to_contain_text("word word")
            port = str(first.admin_port)
            if is_told:
                os.kill(first.pid, signal.SIGTERM)
                expect(page.get_by_text("Ending")).to_be_visible()
                expect(answer(page)).to_contain_text("Answering")
            os.kill(first.pid, signal.SIGTERM if is_told else signal.SIGKILL)
            expect(answer(page)).to_contain_text("Failed")
            expect(answer(page)).to_contain_text("The connection broke before the answer was whole.")
            expect(answer(page)).to_contain_text("word word")
        with gateway_process("--admin-port", port):
            expect(page.get_by_text("Running")).to_be_visible()
            try_again(page)
            expect(answer(page)).to_contain_text("After the restart")


def test_a_stream_that_ends_well_without_an_end_is_told(page_of: PageOf) -> None:
    with scripted("Whole") as (process, _):
        page = page_of(process, "playground")
        lines = [{"type": "start", "model": "box/m"}, {"type": "text", "index": 0, "text": "Half"}]
        said = "".join(f"{json.dumps(line)}\n" for line in lines)
        page.route("**/admin/api/chat?*", lambda route: route.fulfill(body=said, content_type="application/x-ndjson"))
        ask(page, "Hi")
        expect(answer(page)).to_contain_text("The answer ended before its end.")
        expect(answer(page)).to_contain_text("Half")
        page.unroute("**/admin/api/chat?*")
        try_again(page)
        expect(answer(page)).to_contain_text("Whole")


def test_a_session_that_ended_lets_the_stream_end_and_asks_before_the_next(page_of: PageOf) -> None:
    go_on = threading.Event()
    replies = [sse_reply(piece("word "), go_on, piece("word " * 19), END, "[DONE]")]
    replies += [sse_reply(piece("After signing in"), END, "[DONE]")]
    with served(lambda _: replies.pop(0)) as (process, _):
        page = page_of(process, "playground", forgive="status of 401")
        ask(page, "Hi")
        expect(answer(page)).to_contain_text("word")
        page.evaluate("async () => (await import('/api.js')).session.write('session.1.x.y')")
        go_on.set()
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
        ask(page, "More")
        dialog = page.get_by_role("dialog", name="Sign in again")
        dialog.get_by_label("Admin token").fill(process.kept("admin-token"))
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(answer(page)).to_contain_text("After signing in")
        expect(answer(page, 0)).to_contain_text("word word")


def test_who_does_not_sign_in_keeps_the_question(page_of: PageOf) -> None:
    with scripted("Hello") as (process, _):
        page = page_of(process, "playground", forgive="status of 401")
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("default")
        page.evaluate("async () => (await import('/api.js')).closeSession()")
        ask(page, "Keep me")
        page.get_by_role("dialog").get_by_role("button", name="Not now").click()
        expect(answer(page)).to_contain_text("Nobody is signed in.")
        expect(page.get_by_text("Keep me")).to_be_visible()
        try_again(page)
        page.get_by_role("dialog").get_by_label("Admin token").fill(process.kept("admin-token"))
        page.keyboard.press("Enter")
        expect(answer(page)).to_contain_text("Hello")


EVIL = """<script>window.owned = 1</script>

<img src=x onerror="window.owned = 2"> <svg onload="window.owned = 3"> <iframe srcdoc="<script>parent.owned = 4</script>"></iframe>

[click](javascript:window.owned=5) [data](data:text/html,<script>parent.owned=6</script>) ![pic](https://tracker.example/p.png)

[https://bank.example](https://evil.example/login)

```html
</code></pre><script>window.owned = 7</script>
```

- <b onmouseover="window.owned = 8">over</b>
"""


def test_a_script_in_an_answer_is_text(page_of: PageOf) -> None:
    with scripted({"text": EVIL, "thinking": "<img src=x onerror='window.owned = 9'>"}) as (process, _):
        page = page_of(process, "playground")
        ask(page, "<script>window.owned = 10</script>")
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
        expect(answer(page)).to_contain_text("<script>window.owned = 1</script>")
        expect(answer(page)).to_contain_text('<img src=x onerror="window.owned = 2">')
        expect(answer(page)).to_contain_text("[click](javascript:window.owned=5)")
        expect(answer(page)).to_contain_text("(evil.example)")
        answer(page).get_by_text("Thinking").click()
        expect(answer(page).locator(".thought")).to_have_text("<img src=x onerror='window.owned = 9'>")
        for kind in ("script", "iframe", "img", "b", "svg:not(.icon)"):
            assert answer(page).locator(kind).count() == 0
        for link in answer(page).get_by_role("link").all():
            assert (link.get_attribute("href") or "").startswith("https://")
            assert (link.get_attribute("rel") or "").startswith("noopener")
            assert link.get_attribute("target") == "_blank"
        page.reload()
        expect(answer(page)).to_contain_text("<script>window.owned = 1</script>")
        assert page.evaluate("window.owned") is None


def test_a_script_in_a_name_in_an_error_and_in_a_tools_call_is_text(page_of: PageOf) -> None:
    evil = "<img src=x onerror=window.owned=1>"
    call = {"toolCalls": [{"name": evil, "arguments": {evil: evil}, "id": "c1"}]}
    script = Script([call, {"when": {"toolResult": True}, "error": "invalid_request", "message": evil}])
    with open_server(script) as url:
        write(url, [{"id": "m"}, {"id": evil}])
        with gateway_process() as process:
            page = page_of(process, "playground")
            picker = page.get_by_role("combobox", name="Model", exact=True)
            expect(picker).to_have_value("default")
            picker.fill("onerror")
            page.keyboard.press("Enter")
            expect(picker).to_have_value(f"box/{evil}")
            ask(page, "Hi")
            expect(answer(page)).to_contain_text(f"Calls {evil}")
            page.get_by_label(f"Result of {evil}").fill(evil)
            page.get_by_role("button", name="Send result").click()
            expect(page.get_by_role("alert").filter(has_text=evil)).to_be_visible()
            assert page.locator(".turns img").count() == 0
            assert page.evaluate("window.owned") is None


def test_an_answer_in_ten_thousand_pieces_is_drawn_smoothly(page_of: PageOf) -> None:
    pieces = [
        piece(f"word{number} " if number % 40 else f"\n\nParagraph **{number}** with `code` ")
        for number in range(10_000)
    ]
    paced = [step for at in range(0, 10_000, 2) for step in (*map(_event, pieces[at : at + 2]), 0.001)]
    with serve(chats(sse_reply(*paced, _event(END), "[DONE]"))) as server:
        write(server.url)
        with gateway_process() as process:
            page = page_of(process, "playground")
            expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value("default")
            page.evaluate(WATCH)
            work = Work(page)
            ask(page, "Go on")
            expect(answer(page)).to_contain_text("word9999", timeout=WAIT_MS)
            assert answer(page).locator(".words p").count() == 250
            frames, drawn = page.evaluate("[window.frames, window.drawn]")
            assert work.spent_s() / drawn < 0.05
            # Nothing is drawn that nobody sees.
            assert drawn < 1.5 * frames
            assert frames > 40
            end = page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
            assert end < 80


def _event(value: dict[str, Any]) -> str:
    return json.dumps(value)


def test_the_page_follows_the_words_until_somebody_scrolls_up(page_of: PageOf) -> None:
    steps = [step for number in range(120) for step in (_event(piece(f"Paragraph {number}\n\n")), 0.03)]
    with serve(chats(sse_reply(*steps, _event(END), "[DONE]"))) as server:
        write(server.url)
        with gateway_process() as process:
            page = page_of(process, "playground", height=600)
            ask(page, "Go on")
            expect(answer(page)).to_contain_text("Paragraph 30")
            assert page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY") < 80
            page.mouse.move(400, 200)
            page.mouse.wheel(0, -400)
            page.wait_for_timeout(200)
            at = page.evaluate("scrollY")
            expect(answer(page)).to_contain_text("Paragraph 80")
            assert page.evaluate("scrollY") == at
            page.get_by_role("button", name="To the end").click()
            expect(answer(page)).to_contain_text("Paragraph 119")
            expect(page.get_by_role("button", name="Regenerate")).to_be_in_viewport()


def test_each_word_is_not_told_to_who_hears_the_page(page_of: PageOf) -> None:
    with scripted({"text": "word " * 20, "perTokenS": 0.05}) as (process, _):
        page = page_of(process, "playground")
        question(page).fill("Hi")
        page.evaluate(
            """() => { window.told = []; new MutationObserver((all) => all.forEach((each) => {
              const live = each.target.parentElement?.closest("[aria-live]") ?? (each.target.closest?.("[aria-live]"));
              if (live) { window.told.push(live.textContent); }
            })).observe(document.body, { subtree: true, childList: true, characterData: true }); }"""
        )
        question(page).press("Enter")
        expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
        told = [each for each in dict.fromkeys(page.evaluate("window.told")) if each]
        assert told[0] == "Waiting for the answer."
        assert told[-1].startswith("box/m answered: word word")
        assert len(told) == 2


def test_a_real_model_server_answers_thinks_calls_a_tool_and_fits_a_schema(page_of: PageOf, home: Path) -> None:
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    with open_llama() as llama:
        write_config(llama.config_text())
        with gateway_process() as process:
            page = page_of(process, "playground")
            ask(page, "Hello")
            expect(answer(page)).to_contain_text(
                "Hello from Jackfield. This answer came out of a real model server on your own machine."
            )
            page.get_by_role("combobox", name="Thinking").select_option("high")
            ask(page, "Think first")
            expect(answer(page).get_by_role("group").filter(has_text="Thinking")).to_be_visible()
            expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
            expect(answer(page).locator(".thought")).to_contain_text("One short thought before speaking")
            page.get_by_role("combobox", name="Thinking").select_option("")
            page.get_by_text("Tools", exact=True).click()
            page.get_by_role("button", name="Example").first.click()
            ask(page, "How is the weather?")
            page.get_by_label("Result of weather").fill("18 °C")
            page.get_by_role("button", name="Send result").click()
            expect(answer(page)).to_contain_text("The tool's reply has reached me.")
            page.get_by_label("Functions").fill("")
            page.get_by_text("JSON answer", exact=True).click()
            page.get_by_role("button", name="Example").last.click()
            ask(page, "Where?")
            expect(answer(page)).to_contain_text("Valid JSON, fits the schema")
            expect(answer(page)).to_contain_text('"city": "Lisbon"')
            page.get_by_role("button", name="Reset settings").click()
            page.get_by_label("Side by side").check()
            ask(page, "Both")
            expect(page.get_by_role("button", name="Regenerate")).to_have_count(2)


def test_a_picture_in_an_answer_is_shown_and_one_from_elsewhere_only_named(page_of: PageOf) -> None:
    def drawn(url: str) -> dict[str, Any]:
        images = [{"type": "image_url", "image_url": {"url": url}}]
        return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"images": images}}]}

    steps = (drawn(f"data:image/png;base64,{PIXEL}"), drawn("https://tracker.example/p.png"), END, "[DONE]")
    with serve(chats(sse_reply(*steps))) as server:
        write(server.url)
        with gateway_process() as process:
            page = page_of(process, "playground")
            ask(page, "Draw")
            expect(answer(page).get_by_role("img", name="Picture in the answer")).to_be_visible()
            assert answer(page).get_by_role("img").count() == 1
            expect(answer(page).get_by_role("link", name="https://tracker.example/p.png")).to_be_visible()
