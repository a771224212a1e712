"""Every command line of OpenClaw's and Venice's pages, as it is printed, on a terminal, under both names.

One page after the other, each in a home of its own, its lines in their order; behind a proxy that
stands for every provider. Lines of other programs (`ollama pull`, `claude setup-token`) are not ours.
"""

from __future__ import annotations

import os
import re
import shlex
import sysconfig
from pathlib import Path

import pytest

from tests.servers import json_reply, serve
from tests.wizard.internet import COMPLETION, internet
from tests.wizard.terminal import (
    CHECK,
    ENTER,
    MODEL,
    WRITE,
    Ended,
    Step,
    drive,
    drive_command,
    primary,
    profiles,
)
from tests.wizard.ways import client, find, key, sign_in

SCRIPTS = sysconfig.get_path("scripts")
NAMES = ("jackfield", "openclaw")
KEYS = {"OPENAI_API_KEY": "sk-right-0123456789", "VENICE_API_KEY": "vapi_xxxxxxxxxxxx"}
SIGN_INS = ("openai-codex", "google-antigravity", "google-gemini-cli", "qwen-portal")
REST: tuple[Step, ...] = (MODEL, CHECK, ("it answers", ""), WRITE)
# A printed line, what a person then does, and what the screen says in the end.
Line = tuple[str, tuple[Step, ...], str]


def typed(choice_id: str) -> tuple[Step, ...]:
    """Return what a person does who is asked for a key, up to the end."""
    return (("typed unseen", key(find(choice_id), "right") + ENTER), *REST)


def onboard(choice_id: str, said: str) -> Line:
    return (f"openclaw onboard --auth-choice {choice_id}", typed(choice_id), said)


def page_of(choice_id: str) -> tuple[Step, ...]:
    return tuple(sign_in(find(choice_id)))


def talk(model: str) -> Line:
    said: tuple[Step, ...] = (("/help lists", ""), ("> ", "Hello" + ENTER), (r"OK\.", ""), ("> ", "/exit" + ENTER))
    return (f"openclaw chat --model venice/{model}", said, "OK.")


STORED: Step = ("Use the stored key", "y" + ENTER)
PAGES: dict[str, tuple[Line, ...]] = {
    "model providers": (
        ("openclaw onboard", (("Provider", "OpenAI" + ENTER), ("How do you", "1" + ENTER), *typed("openai-api-key")), "Default model: openai/gpt-5.2"),
        ("openclaw onboard --auth-choice openai-api-key", (STORED, *REST[:-1]), "Default model: openai/gpt-5.2"),
        onboard("token", "anthropic:default"),
        ("openclaw models auth paste-token --provider anthropic", (("token:", key(find("token"), "other") + ENTER),), "Auth profile: anthropic:manual (anthropic/token)"),
        ("openclaw onboard --auth-choice openai-codex", (*page_of("openai-codex"), *REST), "Auth profile: openai-codex:"),
        ("openclaw models auth login --provider openai-codex", page_of("openai-codex"), "Default model available: openai-codex/gpt-5.2"),
        onboard("opencode-zen", "opencode:default"),
        onboard("gemini-api-key", "google:default"),
        ("openclaw plugins enable google-antigravity-auth", (), 'Enabled plugin "google-antigravity-auth"'),
        ("openclaw models auth login --provider google-antigravity --set-default", page_of("google-antigravity"), "Default model set to google-antigravity/"),
        ("openclaw plugins enable google-gemini-cli-auth", (), 'Enabled plugin "google-gemini-cli-auth"'),
        ("openclaw models auth login --provider google-gemini-cli --set-default", page_of("google-gemini-cli"), "Default model set to google-gemini-cli/gemini-3-pro-preview"),
        onboard("zai-api-key", "zai:default"),
        onboard("ai-gateway-api-key", "vercel-ai-gateway:default"),
        ("openclaw plugins enable qwen-portal-auth", (), 'Enabled plugin "qwen-portal-auth"'),
        ("openclaw models auth login --provider qwen-portal --set-default", page_of("qwen-portal"), "Default model set to qwen-portal/coder-model"),
        onboard("synthetic-api-key", "synthetic:default"),
        ("openclaw onboard --auth-choice minimax-api", typed("minimax-api"), "minimax:default"),
        ("openclaw onboard --auth-choice opencode-zen", (STORED, *REST[:-1]), "opencode:default"),
        ("openclaw models set opencode/claude-opus-4-5", (), "Default model: opencode/claude-opus-4-5"),
        ("openclaw models list", (), "opencode/claude-opus-4-5"),
    ),
    "synthetic": (
        onboard("synthetic-api-key", "Default model: synthetic/hf:MiniMaxAI/MiniMax-M2.5"),
        ("openclaw models list --provider synthetic", (), "synthetic/hf:meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8"),
    ),
    "openai": (
        onboard("openai-api-key", "Default model: openai/gpt-5.2"),
        ('openclaw onboard --openai-api-key "$OPENAI_API_KEY"', (), "Default model: openai/gpt-5.2"),
        ("openclaw onboard --auth-choice openai-codex", (*page_of("openai-codex"), *REST), "Auth profile: openai-codex:"),
        ("openclaw models auth login --provider openai-codex", page_of("openai-codex"), "Auth profile: openai-codex:"),
    ),
    "venice": (
        ("openclaw onboard --auth-choice venice-api-key", (("Use existing VENICE_API_KEY", ENTER), *REST), "Default model: venice/llama-3.3-70b"),
        ('openclaw onboard --non-interactive \\\n  --auth-choice venice-api-key \\\n  --venice-api-key "vapi_xxxxxxxxxxxx"', (), "Default model: venice/llama-3.3-70b"),
        ('openclaw chat --model venice/llama-3.3-70b "Hello, are you working?"', (), "OK."),
        ("openclaw models set venice/claude-opus-45", (), "Default model: venice/claude-opus-45"),
        ("openclaw models set venice/llama-3.3-70b", (), "Default model: venice/llama-3.3-70b"),
        ("openclaw models list | grep venice", (), "venice/venice-uncensored"),
        ("openclaw configure", (("What do you want", "Model/auth" + ENTER), ("Provider", "Venice AI" + ENTER), ("Use existing", ENTER), MODEL, CHECK, ("it answers", ""), ("no change.*Write this", ENTER), ("Anything else", ENTER)), "venice:default"),
        talk("llama-3.3-70b"),
        talk("claude-opus-45"),
        talk("venice-uncensored"),
        talk("qwen3-vl-235b-a22b"),
        talk("qwen3-coder-480b-a35b-instruct"),
        ("openclaw models list", (), "venice/llama-3.3-70b"),
    ),
}  # fmt: skip
# The variables a page has had set before its lines.
SET: dict[str, tuple[str, ...]] = {"openai": ("OPENAI_API_KEY",), "venice": ("VENICE_API_KEY",)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_a_page_works_in_its_order(page: str, name: str) -> None:
    with internet() as net:
        env = {**net.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
        for sign_in_id in SIGN_INS:
            env |= client(find(sign_in_id))
        for line, steps, said in PAGES[page]:
            known = {variable: KEYS[variable] for variable in SET.get(page, ()) if variable in line or page == "venice"}
            ended = _enter(line, name, steps, {**env, **known})
            assert (ended.code, said in ended.shown) == (0, True), f"{line}\n{ended.shown}"
            assert not [secret for secret in _secrets() if secret in ended.shown], line
    assert primary()


def _enter(line: str, name: str, steps: tuple[Step, ...], env: dict[str, str]) -> Ended:
    """Run a line as it is printed: in a shell where it needs one, else as a fork."""
    if set(line) & set("|$\\"):
        return drive_command(["sh", "-c", line.replace("openclaw", name)], steps, env=env)
    return drive(*shlex.split(line)[1:], steps=steps, env=env, name=name)


def _secrets() -> list[str]:
    found = (profile.get(field) for profile in profiles().values() for field in ("key", "token", "access", "refresh"))
    # The example key of the page is on the page's own command line, and four letters longer than its mask.
    return [secret for secret in found if secret and secret != KEYS["VENICE_API_KEY"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_local_model_of_the_page_answers(name: str) -> None:
    listed = json_reply({"object": "list", "data": [{"id": "llama3.3"}]})
    with serve(lambda call: listed if call.method == "GET" else json_reply(COMPLETION)) as server:
        steps: list[Step] = [("Address", f"{server.url}/v1{ENTER}"), *REST]
        line = [str(Path(SCRIPTS) / name), "onboard", "--auth-choice", "ollama"]
        assert drive_command(line, steps).code == 0
    assert primary() == "ollama/llama3.3"


def test_no_line_of_the_pages_is_left_out(shared_wire: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (shared_wire.parent / "spec" / "pages").glob("*.txt")]
    whole = [re.sub(r"\\\n\s*", "", text) for text in texts]
    printed = {
        line for text in whole for line in re.findall(r"^ *(openclaw .+?)$|`(openclaw [^`]+)`", text, re.MULTILINE)
    }
    lines = {(first or second).strip() for first, second in printed}
    ours = {re.sub(r"\\\n\s*", "", line) for page in PAGES.values() for line, _, _ in page}
    assert lines - ours == {"openclaw models set <provider/model>"}
