"""`jackfield gateway --open`: the browser gets the way in, the terminal and the log do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.commands import run
from tests.gateway.command import gateway_process
from tests.patience import await_true


@pytest.fixture
def opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a browser that writes down what it is told to open."""
    script, seen = home / "browser", home / "opened"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.new && mv {seen}.new {seen}\n', encoding="utf-8")
    script.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(script))
    return seen


def test_open_shows_the_page_signed_in_and_tells_the_code_to_the_browser_alone(browser: Browser, opened: Path) -> None:
    with gateway_process("--open") as process:
        await_true(opened.exists, "the browser")
        url = opened.read_text(encoding="utf-8")
        page = browser.new_page()
        page.goto(url)
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.close()
    code = url.partition("#code=")[2]
    assert len(code) > 40
    assert code not in "\n".join(process.lines) + process.err


def test_without_a_screen_the_address_is_said() -> None:
    with gateway_process("--open") as process:
        pass
    assert f"open http://127.0.0.1:{process.admin_port} in one, and sign in with the admin token" in process.err
    assert "ssh" not in process.err


def test_over_ssh_the_way_to_the_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 52044 192.0.2.9 22")
    with gateway_process("--open") as process:
        pass
    port = process.admin_port
    assert f"ssh -N -L {port}:127.0.0.1:{port} USER@HOST" in process.err


def test_open_needs_a_page(home: Path) -> None:
    (home / ".jackfield").mkdir()
    (home / ".jackfield" / "jackfield.json").write_text('{"gateway": {"admin": {"enabled": false}}}', encoding="utf-8")
    result = run("gateway", "--port", "0", "--open")
    assert result.code == 2
    assert "there is no page to open" in result.err


# -- one that runs already ---


def test_beside_a_running_gateway_its_page_is_opened_and_no_second_one_is_started(opened: Path) -> None:
    with gateway_process() as process:
        result = run("gateway", "--open")
        assert (result.code, result.out) == (0, ""), result
        assert f"a gateway runs already at http://127.0.0.1:{process.port}" in result.err
        address, _, code = opened.read_text(encoding="utf-8").partition("/#code=")
        assert address == f"http://127.0.0.1:{process.admin_port}"
        assert code not in result.err
        assert process.admin("session", {"code": code}, authorization="")[0] == 200
        assert run("gateway", "--open", "--port", str(process.port)).code == 0
        elsewhere = run("gateway", "--open", "--port", str(process.admin_port))
        assert f"port {process.admin_port} of 127.0.0.1 is in use" in elsewhere.err, "that would be another one"
    assert not (opened.parent / ".jackfield" / "gateway.json").exists(), "what has ended stands in no way"


def test_a_running_gateway_with_another_token_is_named_and_gets_ours_in_no_way(opened: Path) -> None:
    with gateway_process() as process:
        result = run("gateway", "--open", env={"JACKFIELD_ADMIN_TOKEN": "of-another-shell"})
    assert result.code == 2
    assert "does not take the admin token that is set here" in result.err
    assert f"open http://127.0.0.1:{process.admin_port}" in result.err
    assert not opened.exists()


def test_a_running_gateway_without_a_page_is_named(home: Path, opened: Path) -> None:
    (home / ".jackfield").mkdir()
    (home / ".jackfield" / "jackfield.json").write_text('{"gateway": {"admin": {"enabled": false}}}', encoding="utf-8")
    with gateway_process() as process:
        result = run("gateway", "--open")
    assert result.code == 2
    assert f"a gateway runs already at http://127.0.0.1:{process.port}" in result.err
    assert "has no page" in result.err
