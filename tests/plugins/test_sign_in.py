"""A sign-in of a plugin's own, as a person at a terminal meets it."""

from __future__ import annotations

from pathlib import Path

from tests.commands import run
from tests.plugins.folder import ROW, plugin_home, write_code, write_row
from tests.terminals import open_terminal, pexpect

AUTH = '[[auth]]\nchoice = "acme-page"\nkind = "oauth"\nlabel = "Acme"\nplugin = "mine"\n[[models]]'
CODE = """
from jackfield.credential import Profile, Secret
def sign_in(provider, talk):
    talk.tell("Fetch a badge at the desk.")
    name, badge = talk.ask("Your name"), talk.ask_secret("Badge")
    return Profile(id=f"{provider}:{name}", provider=provider, type="token", secret=Secret(badge))
"""


def test_a_person_signs_in_the_plugins_way_once_it_is_enabled(home: Path) -> None:
    own = write_code(plugin_home(home), CODE)
    write_row(own, ROW.replace("[[models]]", AUTH))
    write_row(plugin_home(home), ROW.replace("[[models]]", AUTH))
    assert run("plugins", "enable", "acme").code == 0
    refused = run("models", "auth", "login", "--provider", "acme")
    assert refused.code == 1
    assert "jackfield plugins enable mine" in refused.err

    assert run("plugins", "disable", "acme").code == 0
    assert "models auth login --provider acme" in run("plugins", "enable", "mine").err
    line = ("models", "auth", "login", "--provider", "acme")
    child = open_terminal(*line, env={"TERM": "dumb"}, encoding="utf-8")
    child.expect("Fetch a badge")
    child.expect("Your name")
    child.sendline("ada")
    child.expect("Badge")
    child.sendline("badge-0123456789")
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 0, child.before
    assert "badge-0123456789" not in str(child.before)
    assert [each["id"] for each in run("models", "auth", "list", "--json").json()["profiles"]] == ["acme:ada"]
