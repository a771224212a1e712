"""`jackfield gateway --open`: the browser gets the way in, the terminal and the log do not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.commands import run
from tests.gateway.command import gateway_process


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
        until = time.monotonic() + 20
        while not opened.exists() and time.monotonic() < until:
            time.sleep(0.05)
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
