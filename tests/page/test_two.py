"""Two who change the config at once, as every view has it: the second is told and decides, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.gateway.command import gateway_process
from tests.page.conftest import PageOf

FORGIVEN = "status of 409"
FIRST = '{\n  // ours\n  "logging": {"level": "info"}\n}\n'
OTHERS = '{\n  // theirs\n  "logging": {"level": "warn"}\n}\n'
# What a view does: it has shown the config, and sends a change of what it has shown.
LOOK = """async () => {
  window.api = await import("/api.js");
  window.shown = await window.api.ask("config/text");
  return window.api.refresh();
}"""
SAVE = """(text) => {
  const files = [{path: window.shown.files[0].path, text}];
  window.ending = window.api.edit("config/text", {files}, "POST").then(() => "saved", (error) => error.message);
}"""


@pytest.fixture
def config(home: Path) -> Path:
    path = home / ".jackfield" / "jackfield.json"
    path.parent.mkdir()
    path.write_text(FIRST, encoding="utf-8")
    return path


def clash(page: Page, config: Path) -> None:
    """Change the config elsewhere between a view's look and its saving."""
    status = page.evaluate(LOOK)
    page.route("**/admin/api/status", lambda route: route.fulfill(json=status))  # it has not looked again yet
    config.write_text(OTHERS, encoding="utf-8")
    page.evaluate(SAVE, FIRST.replace("info", "error"))


def test_the_second_is_shown_what_the_first_did_and_may_leave_it(page_of: PageOf, config: Path) -> None:
    with gateway_process() as process:
        page = page_of(process, forgive=FORGIVEN)
        clash(page, config)
        dialog = page.get_by_role("dialog", name="The config was changed elsewhere")
        expect(dialog.get_by_label("What was changed elsewhere")).to_contain_text("theirs")
        page.keyboard.press("Escape")
        assert page.evaluate("() => window.ending").startswith("not saved")
        assert config.read_text(encoding="utf-8") == OTHERS


def test_the_second_may_put_its_change_on_top(page_of: PageOf, config: Path) -> None:
    with gateway_process() as process:
        page = page_of(process, forgive=FORGIVEN)
        clash(page, config)
        page.get_by_role("dialog").get_by_role("button", name="Apply mine to the new one").click()
        assert page.evaluate("() => window.ending") == "saved"
        assert '"error"' in config.read_text(encoding="utf-8")


def test_who_is_first_is_told_nothing(page_of: PageOf, config: Path) -> None:
    with gateway_process() as process:
        page = page_of(process)
        page.evaluate(LOOK)
        page.evaluate(SAVE, FIRST.replace("info", "error"))
        assert page.evaluate("() => window.ending") == "saved"
        page.evaluate("() => window.api.refresh()")
        expect(page.get_by_text("changed elsewhere")).to_have_count(0)
