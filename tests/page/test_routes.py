"""Routes as a person uses it: a plan drawn, rests ended, the latest calls looked through; all of real calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.admin.ledgered import EVIL, configure, use
from tests.gateway.command import Process, gateway_process
from tests.page.conftest import OVERFLOW, WIDTHS, PageOf


@pytest.fixture
def unasked(home: Path) -> Iterator[Process]:
    """A gateway that is set up, and whose models nobody has asked."""
    configure("http://127.0.0.1:1")
    with gateway_process() as process:
        yield process


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def test_a_made_up_request_shows_who_is_asked_and_who_is_not_with_the_reason(unasked: Process, page_of: PageOf) -> None:
    page = page_of(unasked, "routes")
    expect(page.get_by_role("list", name="Who is asked, in this order")).to_contain_text("box/good")
    page.get_by_label("Model or route").fill("team")
    page.get_by_label("Fallbacks").fill("spare/big")
    page.get_by_label("Tokens in").fill("20,000")
    page.get_by_label("a picture").check()
    page.get_by_role("button", name="Show the plan").click()
    asked = page.get_by_role("list", name="Who is asked, in this order")
    expect(asked.get_by_role("listitem")).to_have_count(1)
    expect(asked).to_contain_text("spare/big")
    left = page.get_by_role("list", name="Who is not asked")
    expect(left.get_by_role("listitem")).to_have_count(3)
    expect(left.get_by_role("listitem").first).to_contain_text("too small")
    expect(page.get_by_role("region", name="Who is asked")).to_contain_text("The caller gets what came, and an error.")
    page.get_by_label("Tokens in").fill("lots")
    expect(page.get_by_label("Tokens in")).to_have_attribute("aria-invalid", "true")


def test_the_plan_is_asked_for_by_the_keyboard_alone(unasked: Process, page_of: PageOf) -> None:
    page = page_of(unasked, "routes")
    page.get_by_label("Model or route").focus()
    page.keyboard.type("big")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show the plan").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Who is asked, in this order")).to_contain_text("spare/big")


def test_a_pasted_request_is_planned_and_a_wrong_one_is_told(unasked: Process, page_of: PageOf) -> None:
    page = page_of(unasked, "routes", forgive="status of 400")
    open_tab(page, "Pasted")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_text("Paste a request first.")).to_be_visible()
    body = {"model": "spare/big", "input": [{"role": "user", "content": "Hello"}]}
    page.get_by_label("Body").fill(json.dumps(body))
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("list", name="Who is asked, in this order")).to_contain_text("spare/big")
    page.get_by_label("Body").fill(json.dumps({**body, "previous_response_id": "resp_1"}))
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("alert")).to_contain_text("previous_response_id")
    page.get_by_label("Body").fill("{ no JSON")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("alert")).to_contain_text("JSON")


def test_a_rest_counts_down_and_is_ended_by_try_now(used: Process, page_of: PageOf, shot: Callable[..., None]) -> None:
    page = page_of(used, "routes?tab=health")
    row = page.get_by_role("row").filter(has_text="box/refused")
    expect(row).to_contain_text("rate_limit (429)")
    before = row.locator(".countdown").inner_text()
    expect(row.locator(".countdown")).not_to_have_text(before)
    expect(page.get_by_role("row").filter(has_text="box/broken")).to_contain_text(EVIL)
    budget = page.get_by_role("meter", name="Budget: today")
    expect(budget).to_have_attribute("aria-valuetext", re.compile(r"^\$0\.01\d of \$50\.00$"))
    quota = page.get_by_role("meter", name="requests of box")
    expect(quota).to_have_attribute("aria-valuetext", "75 %")
    expect(page.get_by_role("row").filter(has=quota)).to_contain_text("in 59 min")
    shot(page, "routes-health")
    page.get_by_role("button", name="Try now: box/refused").click()
    expect(page.get_by_text("box/refused may be asked again now.")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Try all now").click()
    expect(page.get_by_text("Nothing rests: no failure is remembered.")).to_be_visible()
    assert used.admin("health")[1]["rests"] == []


def test_a_skipped_candidate_says_when_it_is_back(used: Process, page_of: PageOf, shot: Callable[..., None]) -> None:
    page = page_of(used, "routes?model=team", height=1000)
    left = page.get_by_role("list", name="Who is not asked").get_by_role("listitem").filter(has_text="box/refused")
    expect(left).to_contain_text("rests")
    expect(left).to_contain_text("back in")
    shot(page, "routes-plan")


def test_a_call_that_went_elsewhere_is_a_row_with_its_tries(
    used: Process, page_of: PageOf, shot: Callable[..., None]
) -> None:
    page = page_of(used, "routes?tab=calls", height=1100)
    calls = page.get_by_role("list", name="The latest calls")
    expect(calls.locator("> li")).to_have_count(7)
    row = calls.locator("> li").filter(has_text="→ box/good")
    expect(row.get_by_role("list", name="Tries").get_by_role("listitem")).to_have_count(3)
    assert row.locator(".try.failed").count() == 2
    assert row.locator(".try-first").count() == 1
    bars = [float(each.get_attribute("x") or 0) for each in row.locator(".try-bar").all()]
    assert bars == sorted(bars)
    shot(page, "routes-calls")
    page.get_by_role("button", name="team").click()
    dialog = page.get_by_role("dialog", name="Call to team")
    expect(dialog).to_contain_text("went-elsewhere")
    expect(dialog).to_contain_text("Try 3")
    expect(dialog).to_contain_text("503")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="team")).to_be_focused()


def test_calls_are_narrowed_to_an_outcome_and_a_model(used: Process, page_of: PageOf) -> None:
    page = page_of(used, "routes?tab=calls")
    rows = page.get_by_role("list", name="The latest calls").locator("> li")
    page.get_by_label("Outcome").select_option("left by the caller")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("box/slow")
    page.get_by_label("Outcome").select_option("any")
    page.get_by_label("Model").fill("box/good")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(4)
    page.get_by_label("Model").fill("no/such")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No call fits")).to_be_visible()


def test_new_calls_wait_while_somebody_reads_and_come_when_asked_for(used: Process, page_of: PageOf) -> None:
    page = page_of(used, "routes?tab=calls", height=500)
    rows = page.get_by_role("list", name="The latest calls").locator("> li")
    expect(rows).to_have_count(7)
    read = rows.nth(3)
    read.scroll_into_view_if_needed()
    read.hover()
    place = read.bounding_box()
    use(used)
    button = page.get_by_role("button", name="Show 7 new calls")
    expect(button).to_be_attached()
    assert read.bounding_box() == place
    button.click()
    expect(rows).to_have_count(14)
    page.mouse.move(5, 5)
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    used.ask("box/good")
    expect(rows).to_have_count(15)


def test_words_of_others_are_text_here(used: Process, page_of: PageOf) -> None:
    for tab in ("calls", "health"):
        page = page_of(used, f"routes?tab={tab}")
        expect(page.get_by_text(EVIL).first).to_be_visible()
        assert page.title().startswith("Routes")
        assert page.locator("img").count() == 0


def test_where_nothing_happened_yet_it_says_so(fresh: Process, page_of: PageOf) -> None:
    page = page_of(fresh, "routes")
    expect(page.get_by_text("There is no default model yet")).to_be_visible()
    open_tab(page, "Health")
    for words in ("Nothing rests: no failure", "No reply has told of a quota", "No limit is set"):
        expect(page.get_by_text(words)).to_be_visible()
    open_tab(page, "Calls")
    expect(page.get_by_text("No call yet")).to_be_visible()
    expect(page.get_by_text("Calls appear here when they are over.")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_tab_has_a_grave_finding_or_is_wider_than_the_screen(
    used: Process, page_of: PageOf, check_axe: Callable[[Page], None], shot: Callable[..., None], theme: str
) -> None:
    for width in WIDTHS:
        page = page_of(used, "routes?model=team", width=width, theme=theme)
        for tab in ("Plan", "Health", "Calls"):
            open_tab(page, tab)
            expect(
                page.get_by_text({"Plan": "Who is not asked", "Health": "box/refused", "Calls": "box/slow"}[tab]).first
            ).to_be_visible()
            check_axe(page)
            assert page.evaluate(OVERFLOW) <= 0
            shot(page, f"routes-{tab.lower()}-{theme}-{width}")
