"""The page on a phone: what is wide elsewhere is within reach, and nothing hides beyond the edge."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.gateway.command import Process, gateway_process
from tests.page.conftest import OVERFLOW, PageOf
from tests.page.playing import write

PHONE = 360


@pytest.mark.parametrize(
    ("view", "table", "names"),
    [
        ("routes?tab=health", "Rests", ["State", "Back", "Why", "Failed", "Now"]),
        ("routes?tab=health", "Budgets", ["Spent", "Reserved for calls under way", "Left"]),
        ("usage?tab=keys", "Gateway keys", ["State", "Today", "This month", "Limits", "Used last"]),
        ("usage", "What failed", ["Provider", "Model", "Times", "Last", "Calls"]),
    ],
)
def test_a_row_is_a_list_of_names_and_values(page_of: PageOf, used: Process, view, table, names) -> None:
    page = page_of(used, view, width=PHONE)
    region = page.locator(f'.table-scroll[aria-label="{table}"]')
    row = region.get_by_role("row").first
    expect(row.get_by_role("rowheader")).to_be_visible()
    shown = [cell for cell in row.get_by_role("cell").all() if cell.is_visible()]
    assert [cell.get_attribute("data-name") for cell in shown] == names
    for cell in shown:
        box = cell.bounding_box()
        assert box
        assert box["x"] + box["width"] <= PHONE
    assert region.evaluate("each => each.scrollWidth - each.clientWidth") == 0
    expect(region.get_by_role("columnheader")).to_have_count(0)


def test_a_provider_that_rests_says_so_once_and_within_its_card(page_of: PageOf, home: Path) -> None:
    write("http://127.0.0.1:1", [{"id": "m"}])
    with gateway_process() as process:
        process.ask("box/m")
        page = page_of(process, "providers", width=PHONE)
        badge = page.get_by_text("the server cannot be reached")
        box = badge.bounding_box()
        assert box
        assert box["x"] + box["width"] <= PHONE - 16
        assert page.evaluate(OVERFLOW) <= 0
        expect(page.get_by_text("Rests until")).to_have_count(1)
        expect(page.get_by_role("button", name="Clear")).to_have_count(1)
