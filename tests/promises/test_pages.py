"""The command lines that OpenClaw's documentation prints work as printed, under both names."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.commands import Result, run, write_config
from tests.patience import PATIENCE_S
from tests.servers import json_reply, serve

SCRIPTS = Path(sysconfig.get_path("scripts"))
NAMES = ("jackfield", "openclaw")
KEYS = {
    "VENICE_API_KEY": "vapi_1234567890123456",
    "OPENAI_API_KEY": "sk-1234567890123456",
    "SYNTHETIC_API_KEY": "syn-12345678901",
}
# line → what its output says
LINES = {
    "models list": "venice/llama-3.3-70b",
    "models list --provider synthetic": "synthetic/hf:MiniMaxAI/MiniMax-M2.5",
    "models set opencode/claude-opus-4-5": "Default model: opencode/claude-opus-4-5",
    "models set venice/claude-opus-45": "Default model: venice/claude-opus-45",
    "models set venice/llama-3.3-70b": "Default model: venice/llama-3.3-70b",
    "plugins enable google-antigravity-auth": 'Enabled plugin "google-antigravity-auth"',
    "plugins enable google-gemini-cli-auth": 'Enabled plugin "google-gemini-cli-auth"',
    "plugins enable qwen-portal-auth": 'Enabled plugin "qwen-portal-auth"',
    'onboard --openai-api-key "$OPENAI_API_KEY"': "openai/gpt-5.2",
    'onboard --non-interactive --auth-choice venice-api-key --venice-api-key "vapi_xxxxxxxxxxxx"': "venice/llama-3.3-70b",
    "onboard --auth-choice synthetic-api-key": "synthetic/hf:MiniMaxAI/MiniMax-M2.5",
    "onboard --auth-choice openai-api-key": "openai/gpt-5.2",
    "onboard --auth-choice venice-api-key": "venice/llama-3.3-70b",
}


def shell(name: str, line: str) -> Result:
    """Run a line: in a shell where it needs one, else as a fork."""
    if not set(line) & set("|$"):
        return run(*shlex.split(line), env=KEYS, name=name)
    command = f"{shlex.quote(str(SCRIPTS / name))} {line}"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=False, timeout=PATIENCE_S, stdin=subprocess.DEVNULL,
        env={**os.environ, **KEYS}, cwd=os.environ["HOME"],
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("line", LINES)
def test_a_printed_line_works(name: str, line: str) -> None:
    done = shell(name, line)
    assert done.code == 0, done.err
    assert LINES[line] in done.out + done.err


@pytest.mark.parametrize("name", NAMES)
def test_a_list_can_be_searched_in_a_pipe(name: str) -> None:
    done = shell(name, "models list | grep venice")
    assert len(done.out.splitlines()) == 25


MODELS = (
    "llama-3.3-70b", "claude-opus-45", "venice-uncensored", "qwen3-vl-235b-a22b", "qwen3-coder-480b-a35b-instruct",
)  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_the_printed_chat_lines_answer(model: str) -> None:
    reply = {
        "id": "1", "object": "chat.completion", "created": 1, "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
    }  # fmt: skip
    with serve(json_reply(reply)) as server:
        write_config(json.dumps({"models": {"providers": {"venice": {"baseUrl": f"{server.url}/api/v1"}}}}))
        done = shell("openclaw", f'chat --model venice/{model} "Hello, are you working?"')
    assert (done.code, done.out) == (0, "Yes.\n"), done.err
    assert server.journal[0].json()["model"] == model


@pytest.mark.parametrize(
    "line",
    [
        "onboard --auth-choice openai-codex",
        "onboard --auth-choice opencode-zen",
        "onboard --auth-choice token",
        "models auth login --provider openai-codex",
        "models auth login --provider qwen-portal --set-default",
        "models auth login --provider google-antigravity --set-default",
        "models auth login --provider google-gemini-cli --set-default",
        "models auth paste-token --provider anthropic",
        "configure",
    ],
)
def test_a_line_that_needs_a_person_says_so_in_one_line(line: str) -> None:
    done = shell("openclaw", line)
    assert done.code == 1, done
    assert "Traceback" not in done.err
    assert done.err.startswith("error:")
