"""Coming in: by the link of `--open`, by the token, and what happens to who has neither."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.gateway.command import gateway_process
from tests.page.conftest import PageOf, address, code_of

REFUSED = "status of 401"


def test_a_link_with_a_code_opens_the_page_and_leaves_no_trace_in_the_address(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        expect(page.get_by_text("Running")).to_be_visible()
        assert page.url == f"{address(process)}/#/providers"
        page.reload()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_link_works_once_and_then_asks_for_the_token(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process, is_signed_in=False, forgive=REFUSED)
        code = code_of(process)
        page.goto(f"{address(process)}/?first#code={code}")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        with page.expect_navigation():
            page.get_by_role("button", name="Sign out").click()
        page.goto(f"{address(process)}/?second#code={code}")
        expect(page.get_by_role("alert")).to_contain_text("This link was used already, or is too old.")
        assert "code" not in page.url
        page.get_by_label("Admin token").fill(process.kept("admin-token"))
        page.keyboard.press("Enter")
        expect(page.get_by_text("Running")).to_be_visible()


def test_a_wrong_token_is_told_and_the_right_one_opens_the_page(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process, is_signed_in=False, forgive=REFUSED)
        # The first view asks for what only the owner may see, which opens it.
        dialog = page.get_by_role("dialog", name="Sign in")
        field = dialog.get_by_label("Admin token")
        expect(field).to_be_focused()
        field.fill("not-it")
        dialog.get_by_role("button", name="Sign in").click()
        expect(dialog.get_by_role("alert")).to_contain_text("This is not the admin token.")
        field.fill(process.kept("admin-token"))
        dialog.get_by_role("button", name="Sign in").click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_text("Running")).to_be_visible()
