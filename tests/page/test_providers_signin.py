"""Signing in from the page, at a certified server: a page that sends the browser back, a code for another device."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.admin.test_providers import config, store
from tests.admin.test_providers_signins import ROW
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.page.conftest import PageOf
from tests.page.test_providers import card, set_up
from tests.peers.test_oidc import Browser, issuer  # noqa: F401  a fixture
from tests.plugins.folder import plugin_home, write_row
from tests.servers import Received, json_reply, serve


def prepare(home: Any, url: str, row: str = ROW) -> None:
    write_row(plugin_home(home), row.format(issuer=url), "acme")
    said = json.loads(config("http://127.0.0.1:1"))
    write_config(json.dumps({**said, "plugins": {"entries": {"acme": {"enabled": True}}}}))


@pytest.fixture
def process(home, issuer: str) -> Iterator[Process]:  # noqa: F811
    prepare(home, issuer)
    with gateway_process() as found:
        yield found


def choose(page: Page, way: str) -> Locator:
    dialog = set_up(page, "Acme")
    dialog.get_by_label("How").select_option(label=way)
    dialog.get_by_role("button", name="Sign in").click()
    return dialog


def finish(elsewhere: Page) -> None:
    """Say who one is, and yes to the rest."""
    elsewhere.locator("input[name=login]").fill("alice")
    elsewhere.locator("input[name=password]").fill("x")
    elsewhere.locator("button[type=submit]").click()
    elsewhere.get_by_role("button", name="Continue").click()


class Landed(Exception):
    """The browser is sent to the last page."""


class _Stop(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if "/callback?" in newurl:
            raise Landed(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def far_away() -> Browser:
    """Return a person's browser that does not reach the gateway's machine."""
    found = Browser()
    found._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(), _Stop())
    return found


def kept() -> dict:
    return store()["profiles"]["acme:default"]


def check_kept(page: Page) -> None:
    expect(card(page, "Acme").get_by_text("acme:default")).to_be_visible()
    expect(card(page, "Acme").get_by_text("Sign-in · renews itself")).to_be_visible()
    assert kept()["type"] == "oauth"
    assert kept()["access"] not in page.content()
    assert kept()["refresh"] not in page.content()


def test_a_page_sends_the_browser_back_and_the_sign_in_is_kept(
    page_of: PageOf, process: Process, shot: Any, check_axe: Any
) -> None:
    before = json.dumps(process.admin("config")[1]["config"])
    page = page_of(process, "providers")
    dialog = choose(page, "Acme in the browser")
    link = dialog.get_by_role("link", name="Open the sign-in page")
    expect(link).to_be_visible()
    shot(page, "providers-page")
    check_axe(page)
    with page.context.expect_page() as opened:
        link.click()
    finish(opened.value)
    expect(opened.value.get_by_text("Heard. You can close this page")).to_be_visible()
    expect(page.get_by_text("Signed in. Kept as acme:default.")).to_be_visible()
    expect(dialog).to_be_hidden()
    check_kept(page)
    assert json.dumps(process.admin("config")[1]["config"]) == before


def test_the_address_landed_on_is_pasted(page_of: PageOf, process: Process) -> None:
    page = page_of(process, "providers")
    dialog = choose(page, "Acme in the browser")
    link = dialog.get_by_role("link", name="Open the sign-in page")
    # As on another machine: nobody hears the last page.
    with pytest.raises(Landed) as landed:
        far_away().walk(link.get_attribute("href") or "")
    dialog.get_by_label("Address you land on").fill(str(landed.value))
    dialog.get_by_role("button", name="Use this address").click()
    expect(page.get_by_text("Signed in. Kept as acme:default.")).to_be_visible()
    check_kept(page)


def test_an_address_of_another_sign_in_is_refused(page_of: PageOf, process: Process) -> None:
    page = page_of(process, "providers")
    dialog = choose(page, "Acme in the browser")
    dialog.get_by_label("Address you land on").fill("http://127.0.0.1/callback?code=c&state=foreign")
    dialog.get_by_role("button", name="Use this address").click()
    expect(dialog.get_by_role("alert")).to_contain_text("it answers another sign-in than this one")
    expect(dialog.get_by_role("button", name="Sign in again")).to_be_visible()
    assert store()["profiles"] == {}


def test_a_code_is_shown_big_and_entered_elsewhere(
    page_of: PageOf, process: Process, shot: Any, check_axe: Any
) -> None:
    page = page_of(process, "providers")
    dialog = choose(page, "Acme with a code")
    code = dialog.get_by_label("Code", exact=True)
    expect(code).to_have_text(re.compile(r"\w{4}-\w{4}"))
    expect(dialog.get_by_text("The code ends in")).to_be_visible()
    dialog.get_by_role("button", name="Copy the code").click()
    assert page.evaluate("navigator.clipboard.readText()") == code.inner_text()
    shot(page, "providers-code")
    check_axe(page)
    with page.context.expect_page() as opened:
        dialog.get_by_role("link", name="/device").click()
    elsewhere = opened.value
    elsewhere.get_by_role("button", name=re.compile("Continue|Confirm", re.IGNORECASE)).click()
    finish(elsewhere)
    expect(page.get_by_text("Signed in. Kept as acme:default.")).to_be_visible()
    check_kept(page)


def test_a_sign_in_is_cancelled_and_its_answer_is_not_awaited(page_of: PageOf, process: Process) -> None:
    page = page_of(process, "providers")
    dialog = choose(page, "Acme with a code")
    expect(dialog.get_by_label("Code", exact=True)).to_be_visible()
    assert len(process.admin("signins")[1]["signins"]) == 1
    dialog.get_by_role("button", name="Cancel the sign-in").click()
    expect(dialog.get_by_text("The sign-in was cancelled. Nothing is kept of it.")).to_be_visible()
    assert process.admin("signins")[1]["signins"] == []
    dialog.get_by_role("button", name="Sign in again").click()
    expect(dialog.get_by_label("Code", exact=True)).to_be_visible()
    # Whoever closes the dialog does not wait, either.
    page.keyboard.press("Escape")
    process.wait_for(lambda: process.admin("signins")[1], '"signins": []')


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (json_reply({"error": "access_denied"}, 400), "consent was refused"),
        (json_reply({"error": "expired_token"}, 400), "the code has expired before it was entered"),
        (json_reply({"error": "invalid_client", "error_description": "no such client"}, 401), "no such client"),
    ],
)
def test_a_code_that_comes_to_nothing_says_why(page_of: PageOf, home: Any, answer: list, words: str) -> None:
    code = {
        "device_code": "d", "user_code": "ABCD-EFGH", "verification_uri": "https://acme.example/device",
        "interval": 1, "expires_in": 60,
    }  # fmt: skip

    pending = [json_reply({"error": "authorization_pending"}, 400)] * 2

    def reply(received: Received) -> list:
        if received.target.endswith("/device/auth"):
            return json_reply(code)
        return pending.pop() if pending else answer

    with serve(reply) as server:
        prepare(home, server.url)
        with gateway_process() as process:
            dialog = choose(page_of(process, "providers"), "Acme with a code")
            expect(dialog.get_by_text("ABCD-EFGH")).to_be_visible()
            expect(dialog.get_by_role("alert")).to_contain_text(words)
            assert store()["profiles"] == {}


def test_a_missing_client_id_is_told_as_the_command_line_tells_it(page_of: PageOf, home: Any) -> None:
    prepare(home, "https://acme.example", ROW.replace('clientId = "cli"\n', ""))
    with gateway_process() as process:
        dialog = choose(page_of(process, "providers", forgive="status of 400"), "Acme in the browser")
        expect(dialog.get_by_role("alert")).to_contain_text(
            "Signing in to acme needs an OAuth client id, and none is known."
        )
        expect(dialog.get_by_role("alert")).to_contain_text(
            "Set JACKFIELD_ACME_OAUTH_CLIENT_ID to the id of a client that you may use."
        )
