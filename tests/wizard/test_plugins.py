"""Choices that plugins bring: in the menus once they are enabled, left and written like all others."""

from __future__ import annotations

import json

import pytest

from tests.commands import run, write_config
from tests.plugins.folder import ROW, plugin_home, write_code, write_row
from tests.servers import json_reply, serve
from tests.wizard.internet import COMPLETION
from tests.wizard.terminal import (
    CHECK,
    CTRL_C,
    ENTER,
    MODEL,
    NO_CHECK,
    WRITE,
    Step,
    drive,
    folder,
    load,
    primary,
    profiles,
    snapshot,
)

KEY_WAY = '[[auth]]\nchoice = "acme-key"\nlabel = "Acme key"\n[[models]]'
OWN_WAY = '[[auth]]\nchoice = "acme-desk"\nkind = "oauth"\nlabel = "Acme desk"\nplugin = "desk"\n[[models]]'
CODE = """
from jackfield.credential import Profile, Secret
def sign_in(provider, talk):
    name, badge = talk.ask("Your name"), talk.ask_secret("Your badge")
    return Profile(id=f"{provider}:{name}", provider=provider, type="token", secret=Secret(badge))
"""
DESK: list[Step] = [("Your name", "ada" + ENTER), ("Your badge", "badge-0123456789" + ENTER)]


def write_rows(way: str, url: str = "http://127.0.0.1:9") -> None:
    row = ROW.replace("[[models]]", way).replace("http://127.0.0.1:9", url).replace("keyOptional = true\n", "")
    write_row(plugin_home(folder().parent), row)


def enable(*names: str) -> None:
    assert [run("plugins", "enable", name).code for name in names] == [0] * len(names)


def test_a_row_of_a_plugin_is_a_choice_once_it_is_enabled() -> None:
    with serve(lambda call: json_reply({"data": []} if call.method == "GET" else COMPLETION)) as server:
        write_rows(KEY_WAY, server.url)
        nothing = drive(
            "onboard", steps=[("Provider", "acme" + ENTER), ("nothing matches 'acme'", ""), ("Provider", CTRL_C)]
        )
        enable("acme")
        steps: list[Step] = [
            ("Provider", "acme" + ENTER),
            ("Address of the server", ENTER),
            ("Acme key .typed unseen", "acme-0123456789" + ENTER),
            MODEL,
            CHECK,
            ("it answers", ""),
            WRITE,
        ]
        ended = drive("onboard", steps=steps)
        sent = server.journal[-1].headers["authorization"]
    assert (nothing.code, ended.code, primary()) == (130, 0, "acme/small"), ended.shown
    assert (sent, profiles()["acme:default"]["key"]) == ("Bearer acme-0123456789", "acme-0123456789")


def test_code_of_a_plugin_signs_in_and_is_not_run_before_it_is_enabled() -> None:
    write_rows(OWN_WAY)
    write_code(plugin_home(folder().parent), CODE, "desk")
    enable("acme")
    first: list[Step] = [("Provider", "acme" + ENTER)]
    refused = drive("onboard", steps=first)
    assert (refused.code, "jackfield plugins enable desk" in refused.shown) == (1, True), refused.shown
    enable("desk")
    ended = drive("onboard", steps=[*first, ("Address", ENTER), *DESK, MODEL, NO_CHECK, WRITE])
    assert (ended.code, profiles()["acme:ada"]["token"]) == (0, "badge-0123456789"), ended.shown
    assert "badge-0123456789" not in ended.shown


@pytest.mark.parametrize("done", [0, 1])
def test_the_questions_of_a_plugin_can_be_left(done: int) -> None:
    write_rows(OWN_WAY)
    write_code(plugin_home(folder().parent), CODE, "desk")
    enable("acme", "desk")
    before = {name: data for name, data in snapshot().items() if not name.endswith(".pyc")}
    steps = [("Address", ENTER), *DESK[:done], (DESK[done][0], CTRL_C)]
    ended = drive("onboard", "--auth-choice", "acme-desk", steps=steps)
    assert (ended.code, "left out" in ended.shown, "nothing was written" in ended.shown) == (130, False, True)
    assert {name: data for name, data in snapshot().items() if not name.endswith(".pyc")} == before


def test_a_bundled_plugin_is_named_and_enabled_only_on_the_yes() -> None:
    steps: list[Step] = [
        ("Provider", "Copilot" + ENTER),
        (r"Copilot Proxy \(local\) \(enables the plugin copilot-proxy\).*How do you", "1" + ENTER),
        ("Address", ENTER),
        ("Default model", "manually" + ENTER),
        ("Model id", "gpt-4o" + ENTER),
        NO_CHECK,
        (r"\+[^+]*copilot-proxy.*Write this", "n" + ENTER),
    ]
    ended = drive("onboard", steps=steps)
    assert (ended.code, snapshot()) == (0, {}), ended.shown
    ended = drive("onboard", steps=[*steps[:-1], WRITE])
    assert (ended.code, primary()) == (0, "copilot-proxy/gpt-4o"), ended.shown
    assert load("jackfield.json")["plugins"] == {"entries": {"copilot-proxy": {"enabled": True}}}


@pytest.mark.parametrize(
    ("rules", "said"), [({"deny": ["copilot-proxy"]}, "plugins.deny"), ({"enabled": False}, "plugins.enabled true")]
)
def test_a_plugin_that_the_config_keeps_off_is_said_before_anything_is_asked(rules: dict, said: str) -> None:
    path = write_config(json.dumps({"plugins": rules}))
    ended = drive("onboard", "--auth-choice", "copilot-proxy", steps=[])
    assert (ended.code, said in ended.shown) == (1, True), ended.shown
    assert json.loads(path.read_text(encoding="utf-8")) == {"plugins": rules}


def test_a_list_of_allowed_plugins_is_extended_and_shown() -> None:
    write_config('{ "plugins": { "allow": ["other"] } }')
    steps: list[Step] = [("Address", ENTER), ("Default model", ENTER), (r"\+[^+]*copilot-proxy.*Write this", ENTER)]
    ended = drive("onboard", "--auth-choice", "copilot-proxy", steps=steps)
    assert ended.code == 0, ended.shown
    assert load("jackfield.json")["plugins"]["allow"] == ["other", "copilot-proxy"]
