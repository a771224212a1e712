"""Usage as a person uses it: what real calls took, over time, as a file; and the keys of callers."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from jackfield.ledger.database import sqlite_url
from jackfield.ledger.writer import Ledger
from tests.admin.ledgered import EVIL
from tests.gateway.command import Process
from tests.ledger.rows import row
from tests.page.conftest import OVERFLOW, WIDTHS, PageOf

DAY_MS = 86_400_000


def look_back(now_ms: int, last: str = "qwen/max") -> None:
    """Write three weeks of calls into the ledger, as a gateway does."""
    ledger = Ledger.open(sqlite_url(Path(os.environ["HOME"]) / ".jackfield" / "state.sqlite"))
    models = [
        "openai/gpt-5.2",
        "anthropic/claude-opus-4-5",
        "google/gemini-3-pro",
        "venice/llama-3.3-70b",
        "mistral/large",
        "groq/oss",
        "xai/grok",
        last,
    ]
    for day in range(21):
        for at, model in enumerate(models):
            for number in range(1 + (day * 7 + at * 3) % 6):
                ledger.note(row(
                    at_ms=now_ms - day * DAY_MS - number * 3_600_000, served=model, provider=model.partition("/")[0], key_id="k", key_name="ann",
                    input=900, output=300, cache_read=400, cost_nanos=(8 - at) * 3_000_000, total_ms=700 + 130 * at + 90 * number, first_ms=120 + 30 * at,
                ))  # fmt: skip
    assert ledger.close(10) == 0


def cell(page: Page, table: str, line: str, column: str) -> str:
    """Return what a table says, looked up by the names of row and column."""
    region = page.get_by_role("region", name=table, exact=True).get_by_role("table")
    expect(region.get_by_role("rowheader", name=line, exact=True)).to_be_visible()
    heads = [head.strip() for head in region.get_by_role("columnheader").all_inner_texts()]
    found = region.get_by_role("row").filter(has=page.get_by_role("rowheader", name=line, exact=True))
    return found.locator("th, td").nth(heads.index(column)).inner_text()


def test_real_calls_are_summed_drawn_and_told_as_a_table(used: Process, page_of: PageOf) -> None:
    page = page_of(used, "usage?days=1")
    expect(page.get_by_role("img", name=re.compile("Spend per hour"))).to_be_visible()
    expect(page.locator(".chart canvas")).to_have_count(2)
    assert cell(page, "In all", "box/good", "Requests") == "3"
    assert cell(page, "In all", "box/good", "Cost") == "$0.014"
    assert cell(page, "How long answers took", "box/good", "Answers") == "4"
    failed = page.get_by_role("region", name="What failed").get_by_role("table")
    expect(failed).to_contain_text("rate_limit")
    page.get_by_text("The numbers of spend").click()
    table = page.get_by_role("region", name="Spend per hour (UTC), by model").get_by_role("table")
    expect(table.get_by_role("columnheader", name="box/good")).to_be_visible()
    assert "$0.014" in table.inner_text()
    page.get_by_label("By", exact=True).select_option("key")
    assert cell(page, "In all", "owner", "Requests") == "7"
    failed.get_by_role("button", name=re.compile("Show the calls: rate_limit")).click()
    expect(page.get_by_role("heading", level=1, name="Routes")).to_be_visible()
    expect(page.get_by_role("list", name="The latest calls").locator("> li")).to_have_count(1)


def test_the_time_before_is_compared_and_dates_can_be_chosen(
    fresh: Process, page_of: PageOf, shot: Callable[..., None]
) -> None:
    look_back(fresh.admin("status")[1]["startedMs"])
    page = page_of(fresh, "usage?days=7", height=900)
    total = page.locator(".total").filter(has_text="Spend")
    expect(total).to_contain_text(re.compile("(more|less) than before|as before"))
    expect(page.get_by_role("list", name="What is drawn").first.get_by_role("listitem")).to_have_count(7)
    expect(page.get_by_text("all others").first).to_be_visible()
    shot(page, "usage-over-time", readme=True)
    page.get_by_label("Drawn", exact=True).select_option("lines")
    expect(page.locator(".swatch.as-line").first).to_be_visible()
    shot(page, "usage-lines")
    page.get_by_label("Time", exact=True).select_option("from … to …")
    page.get_by_label("From").fill("2020-01-01")
    expect(page.get_by_label("Per", exact=True)).to_have_value("day")
    page.get_by_label("To", exact=True).fill("2019-12-31")
    expect(page.get_by_text("This is before the first day.")).to_be_visible()
    page.get_by_label("To", exact=True).fill("2020-01-02")
    expect(page.get_by_text("Nothing was asked in this time")).to_be_visible()


def test_the_sums_are_saved_as_files_and_a_formula_is_a_text(fresh: Process, page_of: PageOf) -> None:
    look_back(fresh.admin("status")[1]["startedMs"], "=cmd/evil")
    page = page_of(fresh, "usage?days=30")
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text(encoding="utf-8"))))
    assert {each["name"] for each in rows if "cmd" in each["name"]} == {"'=cmd/evil"}
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON").click()
    as_json = json.loads(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert sum(each["requests"] for each in as_json) == sum(int(each["requests"]) for each in rows) > 100
    assert saved.value.suggested_filename.startswith("jackfield-usage-by-model-")


def test_a_key_is_made_shown_once_used_changed_and_ended(
    used: Process, page_of: PageOf, shot: Callable[..., None]
) -> None:
    page = page_of(used, "usage?tab=keys")
    expect(page.get_by_text("No key was made yet.")).to_be_visible()
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog", name="New key")
    dialog.get_by_label("Name").fill("not a name")
    dialog.get_by_label("Budget a day").fill("much")
    dialog.get_by_role("button", name="Make the key").click()
    expect(dialog.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Name").fill("ann")
    dialog.get_by_label("Budget a day").fill("0.05")
    dialog.get_by_label("Requests a minute").fill("1,000")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="The key ann")
    secret = dialog.get_by_role("region", name="The key").inner_text()
    assert secret.startswith("jf-")
    dialog.get_by_role("button", name="Copy the key").click()
    assert page.evaluate("() => navigator.clipboard.readText()") == secret
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="I have it").click()
    expect(dialog).to_be_hidden()
    assert secret not in page.content()

    head = {"authorization": f"Bearer {secret}"}
    body = json.dumps({"model": "box/good", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}).encode()
    used.wait_for(lambda: str(used.request("POST", "/v1/chat/completions", body, **head)[0]), "200")
    used.wait_for(lambda: used.admin("attempts?key=ann")[1], "box/good")
    page.reload()
    expect(page.get_by_role("meter", name="Budget of ann, day")).to_have_attribute(
        "aria-valuetext", "$0.0034 of $0.050"
    )
    expect(page.get_by_role("row").filter(has_text="ann")).to_contain_text("1,000 requests a minute")
    shot(page, "usage-keys")

    page.get_by_role("button", name="Change ann").click()
    dialog = page.get_by_role("dialog", name="Change the key ann")
    expect(dialog.get_by_label("Requests a minute")).to_have_value("1000")
    dialog.get_by_label("Budget a day").fill("0")
    dialog.get_by_role("button", name="Save the limits").click()
    expect(page.get_by_text("The key ann has its new limits.")).to_be_visible()
    used.wait_for(lambda: str(used.request("POST", "/v1/chat/completions", body, **head)[0]), "429")

    page.get_by_role("button", name="Revoke ann").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("row").filter(has_text="ann")).to_contain_text("active")
    page.get_by_role("button", name="Revoke ann").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("row").filter(has_text="ann")).to_contain_text("revoked")
    used.wait_for(lambda: str(used.request("POST", "/v1/chat/completions", body, **head)[0]), "401")


def test_a_name_taken_already_is_told_in_the_dialog(fresh: Process, page_of: PageOf) -> None:
    fresh.admin("keys", {"name": "ann"})
    page = page_of(fresh, "usage?tab=keys", forgive="status of 400")
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name").fill("ann")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("There is a key 'ann' already")


def test_a_models_name_is_text_here_and_nothing_is_told_as_nothing(used: Process, page_of: PageOf) -> None:
    page = page_of(used, "usage?days=1")
    expect(page.get_by_text(EVIL).first).to_be_visible()
    assert page.locator("img[src]").count() == 0
    assert page.title().startswith("Usage")


def test_an_unused_gateway_says_so(fresh: Process, page_of: PageOf) -> None:
    page = page_of(fresh, "usage")
    expect(page.get_by_text("Nothing was asked in this time")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_tab_has_a_grave_finding_or_is_wider_than_the_screen(
    used: Process, page_of: PageOf, check_axe: Callable[[Page], None], shot: Callable[..., None], theme: str
) -> None:
    for width in WIDTHS:
        page = page_of(used, "usage?days=1", width=width, theme=theme)
        for tab, words in (("Over time", "What failed"), ("Gateway keys", "the gateway's own token")):
            page.get_by_role("tab", name=tab).click()
            expect(page.get_by_text(words)).to_be_visible()
            expect(page.locator(".busy")).to_have_count(0)
            check_axe(page)
            assert page.evaluate(OVERFLOW) <= 0
            shot(page, f"usage-{tab.lower().replace(' ', '-')}-{theme}-{width}")
