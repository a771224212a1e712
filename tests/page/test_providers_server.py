"""A server of one's own on the page: its address told while it is typed, its models fetched, tried, saved, edited, removed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.admin.test_providers import KEY, OTHER, REFUSED, WHOLE, config, store
from tests.admin.test_providers_custom import authored_text, keys_at, read_authored
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.page.conftest import PageOf
from tests.page.test_providers import card
from tests.servers import Received, Server, json_reply, serve

EVIL = "<img src=x onerror=alert(1)>"
LIST = {"data": [{"id": "gpt-4o-mini", "context_length": 64000}, {"id": "tiny"}, {"id": EVIL}]}


def answer(received: Received) -> list:
    """Answer who brings the right key."""
    if received.headers.get("authorization") not in {f"Bearer {KEY}", f"Bearer {OTHER}"}:
        return REFUSED
    return json_reply(LIST if received.target.endswith("/models") else WHOLE)


@pytest.fixture
def server(home) -> Iterator[Server]:
    with serve(answer) as found:
        write_config("// mine\n" + config("http://127.0.0.1:1"))
        yield found


@pytest.fixture
def process(server) -> Iterator[Process]:
    with gateway_process() as found:
        yield found


def open_form(page: Page) -> Locator:
    page.get_by_role("button", name="Add your own server").click()
    return page.get_by_role("dialog", name="Add your own server")


def test_a_server_is_typed_fetched_tried_saved_and_used(page_of: PageOf, process: Process, server: Server) -> None:
    page = page_of(process, "providers")
    form = open_form(page)
    for label in (
        "API provider",
        "Base URL",
        "API key",
        "Model",
        "Max output tokens",
        "Context window",
        "Input price",
        "Output price",
    ):
        expect(form.get_by_label(label, exact=True)).to_be_visible()
    expect(form.get_by_label("Image support")).to_be_checked()
    expect(form.get_by_label("Computer use")).not_to_be_checked()
    url = form.get_by_role("status", name="Request URL")
    form.get_by_label("Base URL").fill("htp:/x")
    expect(url).to_contain_text("Invalid base URL")
    form.get_by_label("Base URL").fill(f"{server.url}/v1/chat/completions")
    expect(url).to_contain_text(f"Requests go to {server.url}/v1/chat/completions.")
    form.get_by_label("Base URL").fill(server.url)
    expect(url).to_contain_text(
        f"Requests go to {server.url}/v1/chat/completions. Models are listed at {server.url}/v1/models."
    )
    form.get_by_label("Provider ID").fill("mine")

    form.get_by_label("API key").fill("sk-wrong-0123456789")
    form.get_by_role("button", name="Fetch models").click()
    expect(form.get_by_text("No list:")).to_contain_text("Incorrect API key provided")
    form.get_by_label("Model", exact=True).fill("typed")
    page.keyboard.press("Tab")
    form.get_by_role("button", name="Test").click()
    expect(form.get_by_text("The key is refused.")).to_be_visible()

    form.get_by_label("API key").fill(KEY)
    form.get_by_label("Model", exact=True).click()
    expect(form.get_by_text("3 models are listed")).to_be_visible()
    form.get_by_label("Model", exact=True).fill("gpt4o")
    form.get_by_role("option", name="gpt-4o-mini").click()
    expect(form.get_by_label("Context window")).to_have_value("64000")
    form.get_by_role("button", name="Test").click()
    expect(form.get_by_text("mine/gpt-4o-mini answered in")).to_be_visible()
    assert "mine" not in read_authored()["models"]["providers"]
    assert store()["profiles"] == {}

    form.get_by_label("Input price").fill("-1")
    form.get_by_label("Output price").fill("-2")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_text("Dollars per million tokens, 0 or more")).to_have_count(2)
    expect(form.get_by_label("Input price")).to_be_focused()
    page.keyboard.type("9")
    expect(form.get_by_label("Input price")).to_be_focused()
    form.get_by_label("Input price").fill("0.15")
    form.get_by_label("Output price").fill("0.6")
    form.get_by_label("Computer use").check()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Its model is mine/gpt-4o-mini.")).to_be_visible()
    expect(card(page, "mine").get_by_text("sk-c…cdef")).to_be_visible()
    assert authored_text().startswith("// mine\n")
    assert read_authored()["models"]["providers"]["mine"] == {
        "baseUrl": server.url, "api": "openai-completions",
        "models": [{
            "id": "gpt-4o-mini", "input": ["text", "image"], "contextWindow": 64000,
            "cost": {"input": 0.15, "output": 0.6}, "computerUse": True,
        }],
    }  # fmt: skip
    assert store()["profiles"]["mine:default"]["key"] == KEY
    assert KEY not in page.content()
    assert process.ask("mine/gpt-4o-mini")["choices"]
    assert read_authored()["agents"]["defaults"]["model"]["primary"] == "box/m"


def test_script_in_a_models_name_is_text(page_of: PageOf, process: Process, server: Server) -> None:
    page = page_of(process, "providers")
    form = open_form(page)
    form.get_by_label("Base URL").fill(server.url)
    form.get_by_label("Provider ID").fill("mine")
    form.get_by_label("API key").fill(KEY)
    form.get_by_label("Model", exact=True).fill("img")
    form.get_by_role("option", name=EVIL).click()
    expect(form.get_by_label("Model", exact=True)).to_have_value(EVIL)
    form.get_by_role("button", name="Test").click()
    expect(form.get_by_text(f"mine/{EVIL} answered in")).to_be_visible()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"Saved. Its model is mine/{EVIL}.")).to_be_visible()
    assert page.locator("img").count() == 0


def test_an_edited_server_keeps_its_key_and_a_moved_one_asks_for_it_anew(
    page_of: PageOf, process: Process, server: Server
) -> None:
    body = {"id": "mine", "baseUrl": server.url, "model": "tiny", "key": KEY, "images": True}
    assert process.admin("custom", body, if_match=process.admin("status")[1]["configHash"])[0] == 200
    page = page_of(process, "providers", forgive="status of 400")
    with serve(answer) as other:
        card(page, "mine").get_by_role("button", name="Edit mine").click()
        form = page.get_by_role("dialog", name="Edit mine")
        expect(form.get_by_label("Provider ID")).to_have_value("mine")
        expect(form.get_by_label("Provider ID")).not_to_be_editable()
        form.get_by_label("Max output tokens").fill("99")
        form.get_by_role("button", name="Save").click()
        expect(form).to_be_hidden()
        assert read_authored()["models"]["providers"]["mine"]["models"] == [
            {"id": "tiny", "input": ["text", "image"], "maxTokens": 99}
        ]
        assert store()["profiles"]["mine:default"]["key"] == KEY

        card(page, "mine").get_by_role("button", name="Edit mine").click()
        form.get_by_label("Base URL").fill(other.url)
        form.get_by_role("button", name="Fetch models").click()
        expect(form.get_by_text("was not sent")).to_be_visible()
        form.get_by_role("button", name="Save").click()
        expect(form.get_by_role("alert")).to_contain_text("The key that is stored is for")
        assert [key for key in keys_at(other) if key] == []
        form.get_by_label("API key").fill(OTHER)
        form.get_by_role("button", name="Save").click()
        expect(form).to_be_hidden()
        process.ask("mine/tiny")
        assert [key for key in keys_at(other) if key] == [f"Bearer {OTHER}"]


def test_a_server_is_removed_when_that_is_confirmed(page_of: PageOf, process: Process, server: Server) -> None:
    body = {"id": "mine", "baseUrl": server.url, "model": "tiny", "key": KEY}
    process.admin("custom", body, if_match=process.admin("status")[1]["configHash"])
    page = page_of(process, "providers")
    card(page, "mine").get_by_role("button", name="Remove mine", exact=True).click()
    page.get_by_role("dialog", name="Remove mine?").get_by_role("button", name="Cancel").click()
    assert "mine" in read_authored()["models"]["providers"]
    card(page, "mine").get_by_role("button", name="Remove mine", exact=True).click()
    page.get_by_role("dialog", name="Remove mine?").get_by_role("button", name="Remove").click()
    expect(card(page, "mine")).to_have_count(0)
    assert ("mine" in read_authored()["models"]["providers"], store()["profiles"]) == (False, {})
    expect(card(page, "box")).to_be_visible()


def test_the_form_is_filled_in_by_keyboard_alone(page_of: PageOf, process: Process, server: Server) -> None:
    page = page_of(process, "providers")
    press, type_ = page.keyboard.press, page.keyboard.type
    page.get_by_role("heading", level=1).focus()
    press("Tab")
    expect(page.get_by_role("button", name="Add your own server")).to_be_focused()
    press("Enter")
    form = page.get_by_role("dialog", name="Add your own server")
    expect(form.get_by_label("Base URL")).to_be_focused()
    type_(server.url)
    press("Shift+Tab")
    type_("mine")
    press("Tab")
    press("Tab")
    expect(form.get_by_label("API key")).to_be_focused()
    type_(KEY)
    press("Tab")
    expect(form.get_by_text("3 models are listed")).to_be_visible()
    type_("gpt4")
    press("ArrowDown")
    press("Enter")
    expect(form.get_by_label("Model", exact=True)).to_have_value("gpt-4o-mini")
    for _ in range(3):
        press("Tab")
    expect(form.get_by_label("Context window")).to_be_focused()
    press("Tab")
    press("Space")
    expect(form.get_by_label("Image support")).not_to_be_checked()
    press("Enter")
    expect(page.get_by_text("Saved. Its model is mine/gpt-4o-mini.")).to_be_visible()
    expect(page.get_by_role("button", name="Add your own server")).to_be_focused()
    assert read_authored()["models"]["providers"]["mine"]["models"][0]["input"] == ["text"]
    press("Enter")
    press("Escape")
    expect(form).to_be_hidden()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_the_form_is_fit_to_look_at(
    page_of: PageOf, process: Process, server: Server, shot: Any, check_axe: Any, theme: str, width: int
) -> None:
    page = page_of(process, "providers", theme=theme, width=width, height=900)
    form = open_form(page)
    form.get_by_label("Base URL").fill(server.url)
    form.get_by_label("API key").fill(KEY)
    form.get_by_label("Model", exact=True).fill("t")
    expect(form.get_by_text("3 models are listed")).to_be_visible()
    shot(page, f"providers-list-{theme}-{width}")
    check_axe(page)
    form.get_by_role("option", name="tiny").click()
    form.get_by_role("button", name="Test").click()
    expect(form.get_by_text("answered in")).to_be_in_viewport()
    assert form.evaluate("(box) => box.scrollWidth <= box.clientWidth")
    shot(page, f"providers-form-{theme}-{width}")
    check_axe(page)


def test_a_real_model_server_is_set_up_and_answers(page_of: PageOf, process: Process) -> None:
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    command = [sys.executable, "-m", "jackfield", "demo", "--serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", env=os.environ
    ) as served:
        try:
            assert served.stdout
            text = ""
            while not text.endswith("\n}\n"):
                text += served.stdout.readline()
            [told] = json.loads(text[text.index("\n{\n") :])["models"]["providers"].values()
            page = page_of(process, "providers")
            form = open_form(page)
            form.get_by_label("Base URL").fill(told["baseUrl"])
            form.get_by_label("Provider ID").fill("llama")
            if told.get("apiKey"):
                form.get_by_label("API key").fill(told["apiKey"])
            form.get_by_label("Model", exact=True).click()
            expect(form.get_by_text("1 model is listed")).to_be_visible()
            form.get_by_role("listbox").get_by_role("option").click()
            form.get_by_role("button", name="Test").click()
            expect(form.get_by_text("answered in")).to_be_visible()
            form.get_by_role("button", name="Save").click()
            expect(page.get_by_text("Saved. Its model is llama/")).to_be_visible()
            [row] = read_authored()["models"]["providers"]["llama"]["models"]
            assert process.ask(f"llama/{row['id']}")["choices"][0]["message"]["content"]
        finally:
            served.terminate()
