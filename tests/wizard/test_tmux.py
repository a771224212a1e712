"""The wizard as a person sees it: on a screen that tmux draws, read as it stands there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.wizard.internet import internet
from tests.wizard.terminal import primary, profiles, snapshot

TMUX = shutil.which("tmux")
pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


class Screen:
    """A window of a tmux server of its own."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def start(self, *args: str, size: tuple[int, int], env: Mapping[str, str]) -> None:
        """Run `jackfield ARGS` in it, then say how it ended."""
        names = [part for name, value in {**os.environ, **env}.items() for part in ("-e", f"{name}={value}")]
        # tmux says itself what terminal it is.
        term = f"TERM={env['TERM']}" if "TERM" in env else ""
        command = f"{term} {sys.executable} -m jackfield {' '.join(args)}; echo ended with $?; cat"
        self._tmux("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), *names, command)

    def see(self, *texts: str) -> str:
        """Wait until all of the texts stand on the screen, and return it."""
        end = time.monotonic() + PATIENCE_S
        while True:
            # `-J`: a line that the screen broke is one line.
            screen = self._tmux("capture-pane", "-p", "-J")
            if all(text in screen for text in texts):
                return screen
            assert time.monotonic() < end, f"{texts} not in\n{screen}"
            time.sleep(0.02)

    def type(self, *keys: str) -> None:
        """Press keys, by tmux's names, or type text."""
        self._tmux("send-keys", *keys)

    def close(self) -> None:
        """End the server."""
        self._tmux("kill-server")

    def _tmux(self, *args: str) -> str:
        done = subprocess.run(
            [str(TMUX), "-S", str(self.socket), "-f", "/dev/null", *args],
            capture_output=True, text=True, check=True, timeout=PATIENCE_S, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        return done.stdout


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    window = Screen(tmp_path / "tmux")
    yield window
    window.close()


def test_arrows_search_and_a_summary_on_a_usual_screen(screen: Screen) -> None:
    with internet() as net:
        screen.start("onboard", size=(80, 24), env=net.environ)
        screen.see("Provider (type to search, Esc leaves)", "Anthropic")
        screen.type("openai")
        screen.see("» OpenAI", "/ openai")
        screen.type("Enter")
        menu = screen.see("How do you sign in to OpenAI?", "» OpenAI API key")
        assert "  OpenAI Codex (ChatGPT sign-in)" in menu
        screen.type("Down")
        screen.see("» OpenAI Codex")
        screen.type("Up", "Enter")
        screen.see("OpenAI API key (typed unseen):")
        screen.type("sk-right-0123456789", "Enter")
        picker = screen.see("Default model", "» gpt-5.2")
        assert "USD per million tokens" in picker
        assert "sk-right" not in picker
        screen.type("Down")
        screen.type("Up", "Enter")
        screen.see("Ask openai/gpt-5.2 for one word")
        screen.type("Enter")
        summary = screen.see("it answers", "Write this? [Y/n]:")
        assert '+        "primary": "openai/gpt-5.2"' in summary
        assert "credential openai:default (sk-r…6789)" in summary
        screen.type("Enter")
        screen.see("Default model: openai/gpt-5.2", "ended with 0")
    assert (primary(), list(profiles())) == ("openai/gpt-5.2", ["openai:default"])


def test_a_small_screen_shows_the_choice_and_esc_leaves_at_once(screen: Screen) -> None:
    screen.start("onboard", size=(40, 12), env={})
    screen.see("Provider (type to search")
    screen.type("venice")
    screen.see("» Venice AI")
    screen.type("Enter")
    screen.see("Venice API key (typed unseen):")
    screen.type("vapi_right-0123456789", "Enter")
    screen.see("Default model", "» llama-3.3-70b")
    screen.type("Escape")
    screen.see("nothing was written", "ended with 130")
    assert snapshot() == {}


def test_a_dumb_terminal_is_given_numbers(screen: Screen) -> None:
    screen.start("onboard", "--auth-choice", "custom-api-key", size=(80, 24), env={"TERM": "dumb"})
    screen.see("Base URL [http://127.0.0.1:8000/v1]:")
    screen.type("Enter")
    screen.see("  1  openai", "a number, or words to search")
    screen.type("C-c")
    screen.see("nothing was written", "ended with 130")
    assert snapshot() == {}
