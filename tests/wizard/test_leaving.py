"""The wizard left at each step of each way to sign in, with Ctrl-C or Esc: not a byte of the home changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.wizard.internet import internet
from tests.wizard.terminal import (
    CHECK,
    CTRL_C,
    DRAWN,
    ENTER,
    ESC,
    MODEL,
    NO_CHECK,
    WRITE,
    Step,
    drive,
    folder,
    snapshot,
)
from tests.wizard.ways import AWS, GOOGLE, client, find, key, sign_in, write_adc


@dataclass(frozen=True)
class Way:
    """One way through the wizard: the command line, and each step with what belongs there."""

    line: tuple[str, ...]
    steps: tuple[Step, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def choose(choice_id: str, *steps: Step, **env: str) -> Way:
    return Way(("onboard", "--auth-choice", choice_id), (*steps, NO_CHECK, WRITE), env)


# A server that is not running has no models to choose from.
BY_HAND: tuple[Step, ...] = (("Default model", "manually" + ENTER), ("Model id", "mine" + ENTER))
WAYS: dict[str, Way] = {
    "menus": Way(
        ("onboard",),
        (
            ("Provider", "Anthropic" + ENTER),
            ("How do you sign in", "1" + ENTER),
            ("typed unseen", key(find("token"), "right") + ENTER),
            MODEL,
            NO_CHECK,
            WRITE,
        ),
    ),
    "page": choose("openai-codex", *sign_in(find("openai-codex")), MODEL, **client(find("openai-codex"))),
    "code": choose("qwen-portal", *sign_in(find("qwen-portal")), MODEL, **client(find("qwen-portal"))),
    "user-code": choose("minimax-portal", *sign_in(find("minimax-portal")), MODEL, **client(find("minimax-portal"))),
    "adc": choose("google-vertex", MODEL, **GOOGLE),
    "aws": choose("amazon-bedrock", MODEL, **AWS),
    "server": choose("vllm", ("Address of the server", ENTER), ("typed unseen", ENTER), *BY_HAND),
    "own": choose(
        "custom-api-key",
        ("Base URL", "https://llm.box.example/v1" + ENTER),
        ("What does it speak", ENTER),
        ("Model id", "mine" + ENTER),
        ("typed unseen", ENTER),
        MODEL,
    ),
    "plugin": choose("copilot-proxy", ("Address of the server", ENTER), *BY_HAND),
}
MENUS = ("Provider", "How do you sign in", "Default model", "What does it speak")


def steps_of(name: str) -> list[tuple[str, int]]:
    return [(name, done) for done in range(len(WAYS[name].steps))]


def is_typed(question: str) -> bool:
    """Tell whether a step takes a line, which Enter ends, on every terminal."""
    return question not in MENUS


@pytest.mark.parametrize(("name", "done"), [pair for name in WAYS for pair in steps_of(name)])
def test_not_a_byte_changes(name: str, done: int) -> None:
    if name == "adc":
        write_adc()
    folder().mkdir(mode=0o700)
    (folder() / "jackfield.json").write_text("{ /* mine */ }", encoding="utf-8")
    before, way = snapshot(), WAYS[name]
    with internet() as net:
        # One after the other, so that each key leaves some step of each kind.
        leave = (CTRL_C, ESC + ENTER)[done % 2] if "enter the code" not in way.steps[done][0] else CTRL_C
        steps = [*way.steps[:done], (way.steps[done][0], leave)]
        ended = drive(*way.line, steps=steps, env={**net.environ, **way.env})
    assert (ended.code, "nothing was written" in ended.shown) == (130, True), ended.shown
    assert snapshot() == before


@pytest.mark.parametrize("done", range(6))
def test_esc_leaves_menus_that_are_drawn_at_once(done: int) -> None:
    way = WAYS["menus"]
    steps = [*way.steps[:1], ("How do you sign in", ENTER), *way.steps[2:]]
    question = steps[done][0]
    steps = [*steps[:done], (question, ESC + ENTER if is_typed(question) else ESC)]
    ended = drive(*way.line, steps=steps, term=DRAWN)
    assert (ended.code, "nothing was written" in ended.shown) == (130, True), ended.shown
    assert snapshot() == {}


@pytest.mark.parametrize("leave", [CTRL_C, ESC + ENTER, ENTER])
def test_after_a_fault_nothing_is_written_either(leave: str) -> None:
    steps = [("typed unseen", "vapi_wrong-0123456789" + ENTER), MODEL, CHECK, ("What now", leave)]
    with internet() as net:
        ended = drive("onboard", "--auth-choice", "venice-api-key", steps=steps, env=net.environ)
    assert (ended.code, "nothing was written" in ended.shown) == (0 if leave == ENTER else 130, True)
    assert snapshot() == {}


@pytest.mark.parametrize("leave", [CTRL_C, "n" + ENTER])
def test_a_model_that_answered_leaves_nothing_either(leave: str) -> None:
    typed = ("typed unseen", "vapi_right-0123456789" + ENTER)
    steps = [typed, MODEL, CHECK, ("it answers", ""), ("Write this", leave)]
    with internet() as net:
        ended = drive("onboard", "--auth-choice", "venice-api-key", steps=steps, env=net.environ)
    assert "nothing was written" in ended.shown
    assert snapshot() == {}


def test_an_arrow_is_no_esc() -> None:
    steps = [
        ("Provider", "anthropic" + ENTER),
        ("How do you sign in", "\x1b[B\x1b[B" + ENTER),
        ("API key .typed unseen", CTRL_C),
    ]
    assert drive("onboard", steps=steps, term=DRAWN).code == 130
