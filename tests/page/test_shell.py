"""What is around every view: going from one to the other, by mouse and by keyboard, in both themes, on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.gateway.command import Process, gateway_process
from tests.page.conftest import OVERFLOW, PageOf

VIEWS = ["Providers", "Models", "Playground", "Routes", "Usage", "Config"]
TAB_ORDER = ["Skip to the content", "Jackfield", *VIEWS, "Theme: as the system", "Sign out"]
FOCUSED = "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"


def test_each_view_has_its_address_its_title_and_its_heading(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        views = page.get_by_role("navigation", name="Views")
        for name in VIEWS[1:]:
            views.get_by_role("link", name=name).click()
            expect(page.get_by_role("heading", level=1, name=name)).to_be_focused()
            expect(page).to_have_title(f"{name} · Jackfield")
            expect(views.locator("[aria-current=page]")).to_have_text(name)
            assert page.url.endswith(f"#/{name.lower()}")
        page.go_back()
        expect(page.get_by_role("heading", level=1, name="Usage")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", level=1, name="Usage")).to_be_visible()


def test_the_shell_is_walked_through_by_the_keyboard_in_reading_order(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        walked = []
        for _ in TAB_ORDER:
            page.keyboard.press("Tab")
            walked.append(page.evaluate(FOCUSED))
        assert walked == TAB_ORDER


def test_the_first_key_skips_to_the_content(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        assert page.url.endswith("#/providers")


def test_a_dialog_takes_the_focus_and_gives_it_back(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process, is_signed_in=False)
        dialog = page.get_by_role("dialog")
        if dialog.is_visible():  # a view that asked has opened it
            page.keyboard.press("Escape")
        opener = page.get_by_role("banner").get_by_role("button", name="Sign in")
        opener.focus()
        page.keyboard.press("Enter")
        expect(dialog.get_by_label("Admin token")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        expect(dialog.get_by_role("button", name="Close")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()


def test_a_chosen_theme_stays(page_of: PageOf) -> None:
    with gateway_process() as process:
        page = page_of(process)
        assert _ground(page) == "rgb(246, 245, 241)"
        page.get_by_role("button", name="Theme: as the system").click()
        page.get_by_role("button", name="Theme: light").click()
        expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
        assert _ground(page) == "rgb(23, 22, 21)"
        page.reload()
        expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
        assert _ground(page) == "rgb(23, 22, 21)"


# Each view's own tests look at it filled, in both themes.
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (768, "dark"), (360, "light")])
def test_every_view_fits_and_can_be_used_by_all(
    page_of: PageOf, check_axe: Callable[[Page], None], shot: Callable[..., None], width: int, theme: str
) -> None:
    with gateway_process() as process:
        page = page_of(process, width=width, theme=theme)
        for name in VIEWS:
            page.get_by_role("navigation", name="Views").get_by_role("link", name=name).click()
            expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
            page.wait_for_load_state("networkidle")
            check_axe(page)
            assert page.evaluate(OVERFLOW) <= 0, f"{name} is wider than {width} px"
            shot(page, f"{name.lower()}-{theme}-{width}")


def _ground(page: Page) -> str:
    return str(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))


def test_what_is_written_before_anybody_watches_is_drawn_too(fresh: Process, page_of: PageOf) -> None:
    page = page_of(fresh)
    page.evaluate(
        """async () => {
          const [{ html, render, useStore }, { makeStore }] = await Promise.all([import("/ui/core.js"), import("/store.js")]);
          const [store, place] = [makeStore("before"), document.createElement("div")];
          const Shown = () => html`<p>${useStore(store)}</p>`;
          place.id = "drawn";
          document.body.append(place);
          render(html`<${Shown} />`, place);
          store.write("after");
        }"""
    )
    expect(page.locator("#drawn")).to_have_text("after")
