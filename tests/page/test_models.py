"""The models: found, filtered, compared, chosen, named and allowed, as a person does it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.admin.setting import change, config, hash_now, path
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.page.conftest import PageOf, Work
from tests.servers import json_reply, serve

EVIL = '<img src=x onerror="document.title=1">"><script>document.title=2</script>'


@pytest.fixture
def process(home, monkeypatch) -> Iterator[Process]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-openai-0123456789")
    write_config(config())
    with gateway_process() as found:
        yield found


def names(page: Page) -> Locator:
    """Return the models the table shows, from the top."""
    return page.get_by_role("region", name="Models", exact=True).locator("tbody th button")


def choose(page: Page, ref: str, what: str) -> None:
    """Open a model, press a button, close it."""
    page.get_by_role("button", name=ref, exact=True).click()
    dialog = page.get_by_role("dialog", name=ref)
    dialog.get_by_role("button", name=what, exact=True).click()
    expect(page.locator(".toast").last).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_few_letters_find_a_model_and_columns_sort(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models")
    expect(page.get_by_role("button", name="box/house-70b", exact=True)).to_be_visible()
    page.get_by_label("Search models").fill("gpt54m")
    expect(page.get_by_role("button", name="openai/gpt-5.4-mini", exact=True)).to_be_visible()
    expect(names(page).first).to_have_text("openai/gpt-5.4-mini")
    page.get_by_label("Search models").fill("no such thing")
    expect(page.get_by_text("Nothing fits “no such thing”")).to_be_visible()
    page.get_by_label("Search models").fill("")
    page.get_by_role("button", name="$/M out").click()
    expect(page.get_by_role("columnheader", name="$/M out")).to_have_attribute("aria-sort", "ascending")
    expect(names(page).first).to_have_text(re.compile("^box/"))
    page.get_by_role("button", name="$/M out").click()
    expect(names(page).first).to_contain_text("pro")


def test_other_views_styles_leave_the_table_alone(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models")
    name = page.get_by_role("button", name="box/house-70b", exact=True)
    expect(name).to_be_visible()
    before = name.bounding_box()
    for view in ["Routes", "Playground", "Usage", "Models"]:
        page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
        page.wait_for_load_state("networkidle")
    expect(name).to_be_visible()
    assert before
    assert name.bounding_box() == before


def test_an_address_holds_a_search(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models?needle=house8")
    expect(page.get_by_label("Search models")).to_have_value("house8")
    expect(names(page)).to_have_text(["box/house-8b"])


def test_filters_leave_what_fits(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models")
    page.get_by_label("Provider", exact=True).select_option("box")
    expect(page.get_by_role("button", name="box/house-8b", exact=True)).to_be_visible()
    expect(names(page)).to_have_text(["box/house-70b", "box/house-8b", "box/tiny"])
    page.get_by_label("Images").check()
    expect(names(page)).to_have_text(["box/house-8b"])
    page.get_by_label("Images").uncheck()
    page.get_by_label("Context", exact=True).select_option("128000")
    expect(names(page)).to_have_text(["box/house-70b"])
    page.get_by_label("Context", exact=True).select_option("")
    page.get_by_label("$0 per token").check()
    expect(names(page)).to_have_text(["box/house-8b", "box/tiny"])
    page.get_by_label("$0 per token").uncheck()
    page.get_by_label("Reasoning").check()
    expect(names(page)).to_have_text(["box/house-8b"])
    page.get_by_label("Reasoning").uncheck()
    page.get_by_label("Price of output").select_option("0.5")
    expect(names(page)).to_have_text(["box/house-8b", "box/tiny"])


def test_the_whole_catalog_is_quick_and_ended_models_hide(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models")
    page.get_by_label("All of the catalog").check()
    expect(page.get_by_role("button", name="Show more")).to_be_visible()
    expect(names(page)).to_have_count(100)
    work = Work(page)
    page.evaluate(
        """async () => {
          const field = document.querySelector("input[type=search]");
          for (const text of ["c", "cl", "cla", "clau", "claude", "claude sonnet"]) {
            field.value = text;
            field.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
          }
        }"""
    )
    assert work.spent_s() < 3  # six letters; a person notices beyond a tenth of a second each
    expect(page.get_by_text("Key missing").first).to_be_visible()
    page.get_by_label("Search models").fill("")
    known = page.get_by_role("status").filter(has_text="4,").first
    before = known.inner_text()
    page.get_by_label("Ended ones too").check()
    expect(known).not_to_have_text(before)


def test_a_default_and_fallbacks_are_chosen_moved_and_removed(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models")
    choose(page, "openai/gpt-5.2", "Add as fallback")
    fallbacks = page.get_by_role("list", name="Fallbacks: Asked by default").locator("li")
    expect(fallbacks).to_have_text(["box/house-8b", "box/tiny", "openai/gpt-5.2"])
    page.get_by_role("button", name="Ask openai/gpt-5.2 earlier").press("Enter")
    expect(fallbacks).to_have_text(["box/house-8b", "openai/gpt-5.2", "box/tiny"])
    page.get_by_role("button", name="Remove fallback box/tiny").click()
    expect(fallbacks).to_have_text(["box/house-8b", "openai/gpt-5.2"])
    choose(page, "openai/gpt-5.2", "Make default")
    expect(page.locator(".chosen-first")).to_contain_text("openai/gpt-5.2")
    expect(fallbacks).to_have_text(["box/house-8b", "openai/gpt-5.2"])
    choose(page, "box/house-8b", "Use for images")
    expect(page.get_by_role("heading", name="Asked about images")).to_be_visible()
    assert "// quick" in path().read_text("utf-8")


def test_short_names_are_given_and_taken(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models", forgive="status of 400")
    page.get_by_role("button", name="box/house-70b", exact=True).click()
    page.get_by_label("Short name").fill("a b")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("'a b' is no alias")
    page.get_by_label("Short name").fill("big")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Has: big")).to_be_visible()
    page.keyboard.press("Escape")
    aliases = page.get_by_role("list", name="Aliases")
    expect(aliases).to_contain_text("big box/house-70b")
    page.get_by_role("button", name="Remove alias home").click()
    expect(aliases).not_to_contain_text("home")


def test_the_allowlist_is_switched_and_filled(process: Process, page_of: PageOf) -> None:
    page = page_of(process, "models")
    switch = page.get_by_label("Only listed models may be used")
    switch.check()
    expect(page.get_by_text("Only listed models may be used now.")).to_be_visible()
    row = page.get_by_role("row").filter(has=page.get_by_role("button", name="openai/gpt-5.2", exact=True))
    expect(row).to_contain_text("Not allowed")
    choose(page, "openai/gpt-5.2", "Allow")
    expect(row).not_to_contain_text("Not allowed")
    assert "box/house-8b" in json.dumps(process.admin("models")[1]["allow"]["patterns"])
    switch.click()
    page.get_by_role("dialog").get_by_role("button", name="Allow every model").click()
    expect(switch).not_to_be_checked()


def test_models_are_compared_side_by_side(process: Process, page_of: PageOf, check_axe) -> None:
    page = page_of(process, "models")
    for ref in ("box/house-70b", "box/house-8b", "openai/gpt-5.2", "openai/gpt-5.4"):
        page.get_by_label(f"Compare {ref}", exact=True).check()
    expect(page.get_by_label("Compare box/tiny", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Compare (4)").click()
    dialog = page.get_by_role("dialog", name="Compare 4 models")
    expect(dialog.get_by_role("row", name="Price out")).to_contain_text("$1.20 per million tokens")
    expect(dialog.get_by_role("row", name="Context")).to_contain_text("400,000 tokens")
    check_axe(page)
    dialog.get_by_role("button", name="Try box/house-8b").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Playground")


def test_lists_are_refreshed_and_a_failure_keeps_the_last_one(home, page_of: PageOf) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serve(json_reply({"data": [{"id": "fresh-1"}]})))
        entry = {"baseUrl": f"{server.url}/v1", "apiKey": "sk-canary-0123456789abcd"}
        write_config(json.dumps({"models": {"providers": {"box": entry}}}))
        with gateway_process() as process:
            page = page_of(process, "models")
            page.get_by_role("button", name="Refresh lists").click()
            expect(page.get_by_text("1 of 1 lists are fresh")).to_be_visible()
            expect(page.get_by_role("button", name="box/fresh-1", exact=True)).to_be_visible()
            stack.close()
            page.get_by_role("button", name="Refresh lists").click()
            expect(page.get_by_text("The last list is kept.")).to_be_visible()
            expect(page.get_by_text("Some lists of models could not be had")).to_be_visible()
            expect(page.get_by_role("button", name="box/fresh-1", exact=True)).to_be_visible()


def test_script_in_a_models_name_is_text(home, page_of: PageOf) -> None:
    entry = {
        "baseUrl": "http://127.0.0.1:1/v1",
        "apiKey": "K",
        "models": [{"id": f"m{EVIL}", "name": EVIL, "status": EVIL}],
    }
    write_config(json.dumps({"models": {"providers": {"box": entry}, "aliases": {f"a{EVIL}": f"box/m{EVIL}"}}}))
    with gateway_process() as process:
        page = page_of(process, "models")
        page.get_by_label("Ended ones too").check()
        page.get_by_role("button", name=f"box/m{EVIL}", exact=True).click()
        expect(page.get_by_role("dialog").get_by_text(EVIL).first).to_be_visible()
        assert page.title() == "Models · Jackfield"
        assert page.locator("img, main script").count() == 0


def test_two_at_once_the_second_is_told_and_nothing_is_lost(process: Process, page_of: PageOf) -> None:
    one = page_of(process, "models")
    two = page_of(process, "models", forgive="status of 409")
    two.route("**/admin/api/status", lambda route: route.abort())  # so that it does not hear of it by itself
    expect(two.get_by_role("button", name="box/tiny", exact=True)).to_be_visible()
    two.unroute("**/admin/api/status")
    two.route(
        "**/admin/api/status",
        lambda route: route.fulfill(json={"version": "", "workers": 1, "openRequests": 0, "configHash": ""}),
    )
    choose(one, "box/house-8b", "Make default")
    two.get_by_role("button", name="Remove fallback box/tiny").click()
    dialog = two.get_by_role("dialog", name="The config was changed elsewhere")
    expect(dialog).to_contain_text('+      model: { primary: "box/house-8b"')
    dialog.get_by_role("button", name="Apply mine to the new one").click()
    expect(two.get_by_role("list", name="Fallbacks: Asked by default").locator("li")).to_have_text(["box/house-8b"])
    said = process.admin("models")[1]["choice"]["text"]
    assert (said["primary"]["ref"], len(said["fallbacks"])) == ("box/house-8b", 1)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])
def test_it_can_be_used_by_everybody(
    process: Process, page_of: PageOf, check_axe, shot, width: int, theme: str
) -> None:
    change(process, "models/allow", {"do": "on"}, hash_now(process))
    page = page_of(process, "models", width=width, theme=theme)
    expect(page.get_by_role("button", name="openai/gpt-5.2", exact=True)).to_be_visible()
    check_axe(page)
    shot(page, f"models-{theme}-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="box/house-8b", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="box/house-8b")).to_be_visible()
    expect(page.get_by_text("Known from")).to_be_visible()
    check_axe(page)
    shot(page, f"model-{theme}-{width}")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="box/house-8b", exact=True)).to_be_focused()
