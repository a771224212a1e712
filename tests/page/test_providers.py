"""Providers on the page, as a person sets them up: keys come, go, take turns, rest, and are tried."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.admin.test_providers import KEY, OTHER, REFUSED, WHOLE, config, store
from tests.admin.test_providers_custom import authored_text
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.page.conftest import PageOf
from tests.servers import Server, json_reply, serve

SPENT = json_reply({"error": {"message": "no credit is left", "code": "insufficient_quota"}}, 402)


@pytest.fixture
def server(home) -> Iterator[Server]:
    with serve(json_reply(WHOLE)) as found:
        write_config("// kept\n" + config(found.url))
        yield found


@pytest.fixture
def process(server) -> Iterator[Process]:
    with gateway_process() as found:
        yield found


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def set_up(page: Page, name: str) -> Locator:
    """Find a provider in the catalog and open its dialog."""
    page.get_by_label("Search providers").fill(name)
    page.get_by_role("button", name=f"Set up {name}", exact=True).click()
    return page.get_by_role("dialog", name=f"Connect {name}")


def test_a_provider_is_found_and_a_key_added_replaced_and_removed(page_of: PageOf, process: Process) -> None:
    before = authored_text()
    page = page_of(process, "providers")
    dialog = set_up(page, "Venice AI")
    expect(dialog.get_by_text("VENICE_API_KEY")).to_be_visible()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Paste the key here")).to_be_visible()
    field = dialog.get_by_label("API key")
    expect(field).to_have_attribute("type", "password")
    field.fill(f'export VENICE_API_KEY="{KEY}"')
    page.keyboard.press("Enter")
    venice = card(page, "Venice AI")
    expect(venice.get_by_text("Ready, not tested")).to_be_visible()
    expect(venice.get_by_text("sk-c…cdef")).to_be_visible()
    assert store()["profiles"]["venice:default"]["key"] == KEY
    expect(page.get_by_role("button", name="Set up Venice AI", exact=True)).to_have_count(0)

    venice.get_by_role("button", name="Replace venice:default of Venice AI").click()
    page.get_by_label("New key for Venice AI").fill(OTHER)
    page.get_by_role("button", name="Replace", exact=True).click()
    expect(venice.get_by_text("sk-o…wxyz")).to_be_visible()
    assert store()["profiles"]["venice:default"]["key"] == OTHER

    venice.get_by_role("button", name="Remove venice:default of Venice AI").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert store()["profiles"]
    venice.get_by_role("button", name="Remove venice:default of Venice AI").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(venice).to_have_count(0)
    assert store()["profiles"] == {}
    assert KEY not in page.content()
    assert OTHER not in page.content()
    # Adding and removing a key leaves the config, and the default model with it, alone.
    assert authored_text() == before


def test_a_second_key_is_kept_beside_the_first(page_of: PageOf, process: Process) -> None:
    process.admin("providers/key", {"provider": "venice", "key": KEY})
    page = page_of(process, "providers")
    venice = card(page, "Venice AI")
    venice.get_by_role("button", name="Add credential for Venice AI").click()
    dialog = page.get_by_role("dialog", name="Connect Venice AI")
    expect(dialog.get_by_text("There is venice:default already")).to_be_visible()
    dialog.get_by_label("API key").fill(OTHER)
    dialog.get_by_role("button", name="Save").click()
    expect(venice.get_by_text("venice:account-2")).to_be_visible()
    venice.get_by_role("button", name="Use venice:account-2 of Venice AI earlier").click()
    expect(venice.get_by_text("Used in the order you gave.")).to_be_visible()
    expect(venice.get_by_role("listitem").first).to_contain_text("venice:account-2")
    assert store()["order"] == {"venice": ["venice:account-2", "venice:default"]}
    venice.get_by_role("button", name="Forget the order of Venice AI").click()
    expect(venice.get_by_text("Used in the order you gave.")).to_have_count(0)


def test_a_test_shows_the_latency_and_then_a_refused_key(page_of: PageOf, process: Process, server: Server) -> None:
    process.admin("providers/key", {"provider": "box", "key": KEY})
    page = page_of(process, "providers")
    box = card(page, "box")
    box.get_by_role("button", name="Test connection to box").click()
    expect(box.get_by_text("box/m answered in")).to_be_visible()
    expect(box.get_by_text("Works,")).to_be_visible()
    server.replies = [REFUSED]
    box.get_by_role("button", name="Test connection to box").click()
    expect(box.get_by_text("The key is refused.")).to_be_visible()
    expect(box.get_by_text("Incorrect API key provided")).to_be_visible()
    expect(box.get_by_text("The key is refused", exact=True)).to_be_visible()


def test_what_rests_says_until_when_and_is_let_go(page_of: PageOf, process: Process, server: Server) -> None:
    process.admin("providers/key", {"provider": "box", "key": KEY})
    server.replies = [SPENT]
    process.ask("box/m")
    page = page_of(process, "providers")
    box = card(page, "box")
    expect(box.get_by_text("no credit is left", exact=False).first).to_be_visible()
    expect(box.get_by_text(re.compile(r"^Rests until (\d+ \w+, )?\d\d:\d\d: no credit is left$"))).to_be_visible()
    box.get_by_role("button", name="Clear the rest of box:default of box").click()
    expect(box.get_by_text("Rests until")).to_have_count(0)
    server.replies = [json_reply(WHOLE)]
    assert process.ask("box/m")["choices"]


def test_where_a_key_comes_from_is_told_and_the_environments_is_read_only(
    page_of: PageOf, home, server: Server, monkeypatch
) -> None:
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    write_config("// kept\n" + config(server.url, apiKey=OTHER))
    with gateway_process() as process:
        page = page_of(process, "providers")
        venice = card(page, "Venice AI")
        expect(venice.get_by_text("VENICE_API_KEY", exact=True)).to_be_visible()
        expect(venice.get_by_text("Environment, read-only")).to_be_visible()
        expect(venice.get_by_role("button", name="Remove")).to_have_count(0)
        box = card(page, "box")
        box.get_by_role("button", name="Replace Config of box").click()
        page.get_by_label("New key for box").fill(f"{KEY}-2")
        page.get_by_role("button", name="Replace", exact=True).click()
        expect(page.get_by_text("The key of box is replaced.")).to_be_visible()
        text = authored_text()
        assert text.startswith("// kept\n")
        assert json.loads(text.split("\n", 1)[1])["models"]["providers"]["box"]["apiKey"] == f"{KEY}-2"
        assert store()["profiles"] == {}
        assert OTHER not in page.content()


def test_a_token_that_ends_soon_is_told(page_of: PageOf, process: Process) -> None:
    soon = int(time.time() * 1000) + 3 * 3_600_000
    process.admin("providers/key", {"provider": "box", "key": KEY, "expiresMs": soon})
    page = page_of(process, "providers")
    expect(card(page, "box").get_by_text("Sign-in ends in 2 h")).to_be_visible()


def test_script_in_a_providers_name_or_in_what_it_says_is_text(page_of: PageOf, home) -> None:
    evil = "<img src=x onerror=alert(1)>"
    with serve(json_reply({"error": {"message": f"no {evil}"}}, 403)) as server:
        write_config(config(server.url, name=evil, apiKey=KEY))
        with gateway_process() as process:
            page = page_of(process, "providers")
            found = card(page, evil)
            found.get_by_role("button", name=f"Test connection to {evil}").click()
            expect(found.get_by_text(f"no {evil}")).to_be_visible()
            found.get_by_role("button", name=f"Remove {evil}").click()
            expect(page.get_by_role("dialog", name=f"Remove {evil}?")).to_be_visible()
            assert page.locator("img").count() == 0


def test_a_provider_without_a_key_says_so(page_of: PageOf, home) -> None:
    said = json.loads(config("http://127.0.0.1:1"))
    said["agents"]["defaults"]["model"]["primary"] = "venice/llama-3.3-70b"
    write_config(json.dumps(said))
    with gateway_process() as process:
        venice = card(page_of(process, "providers"), "Venice AI")
        expect(venice.get_by_text("Key missing")).to_be_visible()
        expect(venice.get_by_role("button", name="Test connection to Venice AI")).to_be_disabled()


def test_without_a_default_model_one_is_led_to_the_models(page_of: PageOf, home) -> None:
    write_config("{}")
    with gateway_process() as process:
        page = page_of(process, "providers")
        expect(page.get_by_text("No provider is set up yet")).to_be_visible()
        dialog = set_up(page, "Venice AI")
        dialog.get_by_label("API key").fill(KEY)
        dialog.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Choose one").click()
        expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_it_is_fit_to_look_at(
    page_of: PageOf, process: Process, shot: Any, check_axe: Any, theme: str, width: int
) -> None:
    for name in ("work", "home"):
        process.admin("providers/key", {"provider": "box", "key": f"{KEY}{name}", "profileId": name})
    process.admin("providers/key", {"provider": "venice", "key": KEY})
    process.admin("providers/test", {"provider": "box"})
    page = page_of(process, "providers", theme=theme, width=width, height=900)
    expect(card(page, "Venice AI")).to_be_visible()
    expect(page.get_by_role("button", name="Set up Anthropic", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shot(page, f"providers-set-up-{theme}-{width}")
    check_axe(page)
    dialog = set_up(page, "Anthropic")
    dialog.get_by_label("How").select_option(label="Anthropic token (paste setup-token)")
    expect(dialog.get_by_label("Token")).to_be_visible()
    shot(page, f"providers-connect-{theme}-{width}")
    check_axe(page)
