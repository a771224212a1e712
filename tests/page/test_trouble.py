"""What the page shows when the gateway is away, or another than it was, and how it comes back by itself."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import expect

from tests.gateway.command import gateway_process
from tests.page.conftest import PageOf

AWAY = "ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INCOMPLETE_CHUNKED"
ASK = "async () => (await import('/api.js')).ask('status')"


def test_a_gateway_that_ends_is_told_and_the_page_recovers_when_it_is_back(page_of: PageOf) -> None:
    with gateway_process() as first:
        page = page_of(first, forgive=AWAY)
        expect(page.get_by_text("Running")).to_be_visible()
        port = str(first.admin_port)
    expect(page.get_by_role("alert")).to_contain_text("The gateway does not answer; trying again.")
    expect(page.get_by_text("Not reachable")).to_be_visible()
    with gateway_process("--admin-port", port):
        expect(page.get_by_text("Running")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


def test_a_view_that_is_opened_while_the_gateway_is_away_comes_when_it_is_back(page_of: PageOf) -> None:
    with gateway_process() as first:
        page = page_of(first, forgive=AWAY)
        port = str(first.admin_port)
    page.get_by_role("link", name="Usage").click()
    expect(page.get_by_text("This view comes by itself when the gateway is back.")).to_be_visible()
    with gateway_process("--admin-port", port):
        expect(page.get_by_role("tab", name="Gateway keys")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


def test_a_session_that_ended_is_asked_for_anew_and_what_was_asked_is_answered_after_it(page_of: PageOf) -> None:
    with gateway_process() as first:
        page = page_of(first, "playground", forgive=f"{AWAY}|status of 401")
        page.get_by_role("textbox", name="Question").fill("half a question")
        port = str(first.admin_port)
    (Path(os.environ["HOME"]) / ".jackfield" / "admin-token").write_text("jf-another-token", encoding="utf-8")
    with gateway_process("--admin-port", port):
        page.evaluate(f"({ASK})().then((status) => {{ window.found = status.version; }}); 0")
        dialog = page.get_by_role("dialog", name="Sign in again")
        expect(dialog).to_contain_text("Nothing on the page is lost.")
        dialog.get_by_label("Admin token").fill("jf-another-token")
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        page.wait_for_function("() => window.found")
        expect(page.get_by_role("textbox", name="Question")).to_have_value("half a question")


def test_a_config_that_another_changed_is_told_quietly(page_of: PageOf, home: Path) -> None:
    with gateway_process() as process:
        page = page_of(process)
        expect(page.get_by_text("Running")).to_be_visible()
        (home / ".jackfield" / "jackfield.json").write_text('{"logging": {"level": "warn"}}', encoding="utf-8")
        expect(page.get_by_role("status").get_by_text("The config was changed elsewhere.")).to_be_visible()


def test_a_config_that_cannot_be_used_is_told_with_the_way_to_mend_it(page_of: PageOf, home: Path) -> None:
    with gateway_process() as process:
        page = page_of(process, width=360)
        (home / ".jackfield" / "jackfield.json").write_text("{ nothing", encoding="utf-8")
        expect(page.get_by_role("alert")).to_contain_text("The config on disk cannot be used")
        assert page.get_by_role("alert").evaluate("(banner) => banner.scrollWidth <= innerWidth")
        page.get_by_role("alert").get_by_role("link", name="Mend it").click()
        expect(page.get_by_role("heading", level=1, name="Config")).to_be_visible()


def test_a_view_that_does_not_come_says_so_and_leaves_the_others(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process, forgive="ERR_FAILED")
        page.route("**/views/usage.js", lambda route: route.abort())
        page.get_by_role("link", name="Usage").click()
        expect(page.get_by_role("alert")).to_contain_text("This view failed.")
        page.unroute("**/views/usage.js")
        page.get_by_role("button", name="Load the page anew").click()
        expect(page.get_by_role("heading", level=1, name="Usage")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
