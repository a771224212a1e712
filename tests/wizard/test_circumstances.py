"""The wizard where something is missing: a network, a desktop, room on the screen, a person."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.commands import run, write_config
from tests.plugins.folder import ROW, plugin_home, write_row
from tests.servers import Received, Reply, free_port, json_reply, serve
from tests.wizard.internet import answer, internet
from tests.wizard.terminal import (
    CHECK,
    CTRL_C,
    DOWN,
    DRAWN,
    DUMB,
    ENTER,
    ESC,
    MODEL,
    NO_CHECK,
    UP,
    WRITE,
    Step,
    drive,
    folder,
    load,
    primary,
    profiles,
    snapshot,
)
from tests.wizard.ways import client, find, key, landing, sign_in

SECRET = ("typed unseen", "vapi_right-0123456789" + ENTER)
PAGE_WAY = """
[[auth]]
choice = "acme-page"
kind = "oauth"
label = "Acme page"
[auth.flow]
engine = "pkce"
clientId = "acme-client"
authorizeUrl = "{url}/authorize"
tokenUrl = "{url}/token"
[[models]]"""
BROWSER = """#!/usr/bin/env python3
import sys, urllib.parse, urllib.request
asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(sys.argv[1]).query))
open({seen!r}, "w", encoding="utf-8").write(sys.argv[1])
fields = urllib.parse.urlencode({{"code": "c1", "state": asked["state"]}})
urllib.request.urlopen(f"{{asked['redirect_uri']}}?{{fields}}").read()
"""


def write_browser() -> tuple[dict[str, str], Path]:
    """Write a browser that follows every page to its end; return what makes it this machine's, and what it was shown."""
    home = Path(os.environ["HOME"]).parent
    program, seen = home / "browser", home / "seen.txt"
    program.write_text(BROWSER.format(seen=str(seen)), encoding="utf-8")
    program.chmod(0o755)
    return {"DISPLAY": ":0", "BROWSER": str(program)}, seen


def enable_page(url: str) -> None:
    write_row(
        plugin_home(folder().parent),
        ROW.replace("[[models]]", PAGE_WAY.format(url=url)).replace("http://127.0.0.1:9", url),
    )
    assert run("plugins", "enable", "acme").code == 0


# -- a browser ---------------------------------------------------------------------


def test_the_page_that_the_browser_lands_on_goes_on_by_itself() -> None:
    env, seen = write_browser()
    with serve(answer) as server:
        enable_page(server.url)
        steps: list[Step] = [("Address", ENTER), MODEL, CHECK, ("it answers", ""), WRITE]
        ended = drive("onboard", "--auth-choice", "acme-page", steps=steps, env=env)
    assert (ended.code, list(profiles())) == (0, ["acme:default"]), ended.shown
    assert seen.read_text(encoding="utf-8") in ended.shown


def test_a_sign_in_whose_token_is_refused_can_be_done_again() -> None:
    tokens = iter(("wrong-0123456789", "right-0123456789"))

    def reply(received: Received) -> Reply:
        if received.target == "/token":
            return json_reply({"access_token": next(tokens), "refresh_token": "r", "expires_in": 3600})
        return answer(received)

    paste = ("paste the address", landing())
    with serve(reply) as server:
        enable_page(server.url)
        steps: list[Step] = [("Address", ENTER), paste, MODEL, CHECK]
        again: list[Step] = [
            ("invalid api key[^?]*What now", "sign in again" + ENTER),
            paste,
            ("it answers", ""),
            WRITE,
        ]
        ended = drive("onboard", "--auth-choice", "acme-page", steps=[*steps, *again])
    assert (ended.code, profiles()["acme:default"]["access"]) == (0, "right-0123456789"), ended.shown
    assert "-0123456789" not in ended.shown


@pytest.mark.parametrize("remote", ["SSH_CONNECTION", "SSH_TTY", "CODESPACES"])
def test_on_a_remote_machine_no_browser_is_opened_and_the_address_is_there_to_copy(remote: str) -> None:
    env, seen = write_browser()
    steps = [(f"{remote} is set", ""), *sign_in(find("openai-codex")), ("Default model", CTRL_C)]
    with internet() as net:
        env = {**net.environ, **env, **client(find("openai-codex")), remote: "1"}
        ended = drive("onboard", "--auth-choice", "openai-codex", steps=steps, env=env)
    assert ended.code == 130, ended.shown
    assert "https://auth.openai.com/oauth/authorize?" in ended.shown
    assert not seen.exists()


def test_a_code_for_another_device_opens_no_browser_on_a_remote_machine_either() -> None:
    env, seen = write_browser()
    choice = find("github-copilot")
    with internet() as net:
        env = {**net.environ, **env, **client(choice), "SSH_CONNECTION": "1"}
        steps = [*sign_in(choice), ("Default model", CTRL_C)]
        ended = drive("onboard", "--auth-choice", choice.id, steps=steps, env=env)
    assert (ended.code, seen.exists()) == (130, False)


# -- no network --------------------------------------------------------------------


@pytest.mark.parametrize("choice_id", ["venice-api-key", "openai-codex", "qwen-portal", "minimax-portal", "chutes"])
def test_without_a_network_it_says_so_and_may_be_left_or_tried_again(choice_id: str) -> None:
    choice = find(choice_id)
    typed: list[Step] = [("typed unseen", key(choice, "right") + ENTER), MODEL, CHECK]
    by_hand = [step for step in sign_in(choice) if step[1]]  # a code cannot even be asked for
    first = typed if choice.method.kind == "api-key" else by_hand
    gone = "cannot reach https://.*proxy 127.0.0.1.*does not answer[^?]*What now"
    again = [(gone, "again" + ENTER), *(by_hand if choice.method.kind != "api-key" else []), (gone, ENTER)]
    env = {"HTTPS_PROXY": f"http://127.0.0.1:{free_port()}", **client(choice)}
    ended = drive("onboard", "--auth-choice", choice_id, steps=[*first, *again], env=env)
    assert (ended.code, "nothing was written" in ended.shown) == (0, True), ended.shown
    assert snapshot() == {}


def test_offline_the_check_is_left_out_and_said() -> None:
    ended = drive("--offline", "onboard", "--auth-choice", "venice-api-key", steps=[SECRET, MODEL, WRITE])
    assert (ended.code, primary()) == (0, "venice/llama-3.3-70b"), ended.shown
    assert "offline: no model is asked" in ended.shown


def test_offline_a_sign_in_says_why_it_cannot_be() -> None:
    choice = find("qwen-portal")
    steps = [("--offline allows this machine only[^?]*What now", ENTER)]
    ended = drive("--offline", "onboard", "--auth-choice", "qwen-portal", steps=steps, env=client(choice))
    assert (ended.code, snapshot()) == (0, {}), ended.shown


def test_a_key_that_fails_may_be_saved_all_the_same() -> None:
    wrong: Step = ("typed unseen", "vapi_wrong-0123456789" + ENTER)
    steps = [wrong, MODEL, CHECK, ("What now", "save anyway" + ENTER), WRITE]
    with internet() as net:
        ended = drive("onboard", "--auth-choice", "venice-api-key", steps=steps, env=net.environ)
    assert (ended.code, profiles()["venice:default"]["key"]) == (0, "vapi_wrong-0123456789"), ended.shown


# -- the screen --------------------------------------------------------------------


@pytest.mark.parametrize("size", [(12, 40), (24, 80), (50, 200)])
def test_arrows_and_search_work_on_screens_of_any_size(size: tuple[int, int]) -> None:
    steps: list[Step] = [
        ("Provider", "anthr" + ENTER),
        ("How do you sign in", DOWN + DOWN + DOWN + UP + DOWN + UP + ENTER),
        ("API key .typed unseen", "sk-ant-api03-0123456789" + ENTER),
        ("Default model", "sonnet-4-5" + DOWN + UP + DOWN + ENTER),
        NO_CHECK,
        WRITE,
    ]
    ended = drive("onboard", steps=steps, term=DRAWN, size=size)
    assert (ended.code, primary()) == (0, "anthropic/claude-sonnet-4-5"), ended.shown


def test_a_search_that_finds_nothing_can_be_taken_back() -> None:
    steps: list[Step] = [("Provider", "venicx" + "\x7f" + "e" + ENTER), ("Venice API key", CTRL_C)]
    assert drive("onboard", steps=steps, term=DRAWN).code == 130
    steps = [("Provider", "venicx" + ENTER), ("nothing matches 'venicx'", ""), ("Provider", "venice" + ENTER)]
    assert drive("onboard", steps=[*steps, ("Venice API key", CTRL_C)], term=DUMB).code == 130


@pytest.mark.parametrize("term", [DUMB, "", "unknown"])
def test_a_terminal_that_can_draw_nothing_gets_numbers_and_no_escapes(term: str) -> None:
    steps: list[Step] = [("Provider", "venice" + ENTER), SECRET, MODEL, NO_CHECK, ("Write this", "n" + ENTER)]
    ended = drive("onboard", steps=steps, term=term)
    assert (ended.code, "a number, or words to search" in ended.shown) == (0, True)
    assert ESC not in ended.shown


# -- a person ----------------------------------------------------------------------


@pytest.mark.parametrize("choice_id", ["venice-api-key", "openai-codex", "qwen-portal", "token", "google-vertex"])
def test_without_a_terminal_nobody_is_asked_and_nothing_is_written(choice_id: str) -> None:
    refused = run("onboard", "--auth-choice", choice_id)
    assert (refused.code, refused.err.startswith("error: "), "hint: " in refused.err) == (1, True, True)
    assert snapshot() == {}


def test_configure_keeps_what_is_set_and_asks_on() -> None:
    write_config('{ "agents": { "defaults": { "model": { "primary": "groq/a" } } } }')
    steps: list[Step] = [
        ("What do you want to change", "Model/auth" + ENTER),
        ("Provider", "venice" + ENTER),
        SECRET,
        ("Keep current .groq/a.*Default model", ENTER),
        CHECK,
        ("it answers", ""),
        WRITE,
        ("Anything else", "Done" + ENTER),
    ]
    with internet() as net:
        ended = drive("configure", steps=steps, env=net.environ)
    assert (ended.code, list(profiles())) == (0, ["venice:default"]), ended.shown
    assert load("jackfield.json") == {"agents": {"defaults": {"model": {"primary": "groq/a"}}}}


@pytest.mark.parametrize(("choice_id", "question"), [("custom-api-key", "Base URL"), ("ollama", "Address")])
def test_an_address_that_is_none_is_asked_for_again(choice_id: str, question: str) -> None:
    steps: list[Step] = [(question, "nonsense" + ENTER), (f"'nonsense' is no base URL.*http://.*{question}", CTRL_C)]
    assert drive("onboard", "--auth-choice", choice_id, steps=steps).code == 130


def test_what_there_is_nothing_to_write_of_is_not_asked_about() -> None:
    steps: list[Step] = [("Address", ENTER), ("Default model", ENTER)]
    ended = drive("onboard", "--auth-choice", "ollama", steps=steps)
    assert (ended.code, "there is nothing to write" in ended.shown, snapshot()) == (0, True, {}), ended.shown
    assert "next: jackfield models list --provider ollama" in ended.shown


def test_a_key_of_the_environment_is_offered_and_another_one_may_be_given() -> None:
    env = {"VENICE_API_KEY": "vapi_environment-01234"}
    steps: list[Step] = [
        (r"Use existing VENICE_API_KEY \(env, vapi…1234\)", "n" + ENTER),
        SECRET,
        MODEL,
        NO_CHECK,
        WRITE,
    ]
    ended = drive("onboard", "--auth-choice", "venice-api-key", steps=steps, env=env)
    assert (ended.code, json.dumps(profiles()).count("vapi_right")) == (0, 1), ended.shown
    assert "vapi_environment" not in ended.shown
