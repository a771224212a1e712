"""Advice of the command line on the page: what a view can do is said as the view's, what none can do stays a command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

import jackfield
from tests.gateway.command import gateway_process
from tests.page.conftest import PageOf
from tests.page.node import NEEDS_NODE, run_module
from tests.page.playing import answer, ask, write
from tests.servers import json_reply, serve

SAID = {
    "run: jackfield models auth login --provider openai": "sign in under <providers?add=openai>",
    "Run: jackfield models auth login --provider openai.": "Sign in under <providers?add=openai>.",
    "set X_KEY, or run: jackfield models auth paste-api-key --provider x\nkept in /a b/c.json":
        "set X_KEY, or add a key under <providers?add=x>\nkept in /a b/c.json",
    "check the key, or store another: jackfield models auth paste-api-key --provider x":
        "check the key, or store another under <providers?add=x>",
    'correct the file, then run "jackfield config validate"': "correct the file, then look at it under <config>",
    'name one: jackfield chat --model provider/model "…"\nor set one: jackfield models set provider/model':
        "name one under <playground>\nor set one under <models>",
    "ask for a shorter answer: --max-tokens 12\nraise the limit: jackfield config set models.budget.perDay\nsee: jackfield budget":
        "ask for a shorter answer under <playground>: 12 tokens as the longest answer\n"
        "raise the limit under <config>: models.budget.perDay\nsee <routes?tab=health>",
    'see "jackfield models auth list" (/srv/x)': "see <providers> (/srv/x)",
    "there is one already; revoke it first: jackfield gateway keys revoke bob": "there is one already; revoke it first under <usage?tab=keys>",
    "did you mean a, b?\nsee: jackfield models list --all": "did you mean a, b?\nsee <models?all=1>",
}  # fmt: skip
STAYS = [
    "run it in a terminal: jackfield models auth login --provider x", "run: jackfield plugins enable x",
    "begin to count anew: jackfield budget reset", "raise the limit: --max-cost", "choose another: --port",
    "start it with: jackfield gateway. Look whether it was done", "wait until 12:30, then try again",
]  # fmt: skip
DRAW = "return given.texts.map((text) => advise(text).map((each) => each.place ? `<${each.place}>` : each).join(''));"


@NEEDS_NODE
def test_a_command_that_a_view_does_is_said_as_the_views_and_every_other_stays(tmp_path: Path) -> None:
    texts = [*SAID, *STAYS]
    drawn = run_module(tmp_path, "{advise} from ../../ui/advice.js", DRAW, texts=texts)
    assert dict(zip(texts, drawn, strict=True)) == SAID | {each: each for each in STAYS}


@NEEDS_NODE
def test_each_command_that_advice_anywhere_names_has_a_view_or_is_known_to_have_none(tmp_path: Path) -> None:
    known = re.compile("plugins|budget reset|import|demo$|gateway$|batch|fake|doctor|refresh$")
    root = Path(jackfield.__file__).parent
    below = [file for file in root.rglob("*.py") if file.relative_to(root).parts[0] not in {"cli", "imports"}]
    named = {
        match[1]
        for file in below
        for match in re.finditer(
            r"(?:run|see|or|another|one|key|limit|off|file|it|first)\"?:? \"?(jackfield [a-z]+(?: [a-z-]+)*)",
            file.read_text(encoding="utf-8"),
        )
    }
    assert len(named) > 10
    texts = [f"run: {each}{more}" for each in sorted(named) if not known.search(each) for more in ("", " --provider x")]
    drawn = run_module(tmp_path, "{advise} from ../../ui/advice.js", DRAW, texts=texts)
    pairs = zip(texts[::2], drawn[::2], drawn[1::2], strict=True)
    assert [text for text, *said in pairs if all("jackfield" in each for each in said)] == []


@pytest.mark.parametrize("width", [1280, 360])
def test_who_is_told_that_a_key_is_refused_is_led_to_where_it_is_typed(page_of: PageOf, home: Path, width: int) -> None:
    with serve(
        json_reply({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, 401)
    ) as server:
        write(server.url)
        with gateway_process() as process:
            page = page_of(process, "playground", width=width)
            ask(page, "Hello")
            said = answer(page).get_by_role("alert")
            expect(said).to_contain_text("Check the key, or store another under Providers.")
            said.get_by_role("link", name="Providers").click()
            dialog = page.get_by_role("dialog", name="Connect box")
            expect(dialog.get_by_label("API key")).to_be_focused()
            dialog.get_by_role("button", name="Cancel").click()
            expect(page).to_have_url(re.compile("#/providers$"))
            expect(dialog).to_have_count(0)
