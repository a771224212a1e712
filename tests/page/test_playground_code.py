"""The programs that the playground shows: each is run as it is against a gateway, with a key in the place of the placeholder."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jackfield.message import DocumentBlock, ImageBlock, TextBlock, ToolCall, ToolResult
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.page.node import NEEDS_NODE, NODE, run_module
from tests.patience import PATIENCE_S

pytestmark = NEEDS_NODE
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
NASTY = 'it\'s "$HOME" `id` \\n é\n\u2028<b>JSON\nJSON\n$(touch owned) %s {x} ${y}'
TOOL = {"name": "weather", "description": "It's the weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}  # fmt: skip
RUNS = {
    "curl": "sh",
    "jackfield": sys.executable,
    "openaiPython": sys.executable,
    "fetch": str(NODE),
}


def render(folder: Path, key: str, url: str, **asked: Any) -> str:
    """Return the program that the page shows for settings and turns."""
    text = run_module(folder, "{buildBody, readSettings, SETTINGS} from request.js", """
        const { CODES, fileMark } = await import("./views/playground/code.js");
        const read = readSettings({ ...SETTINGS, ...given.settings });
        if (Object.keys(read.errors).length) { throw new Error(JSON.stringify(read.errors)); }
        const files = given.turns.flatMap((turn) => turn.files).filter((file) => file.data);
        const dataOf = (file) => fileMark(files.indexOf(file));
        const body = buildBody({ model: given.model, read, turns: given.turns, lane: 0, until: given.turns.at(-1).id, dataOf });
        return CODES[given.key].render({ url: given.url, body, files });
    """, key=key, url=url, **{"model": "box/m", "settings": {}, **asked})  # fmt: skip
    assert isinstance(text, str)
    return text


def turn(text: str, *files: Any, steps: Any = ()) -> Any:
    return {"id": text, "text": text, "files": list(files), "lanes": [{"at": 0, "tries": [{"steps": list(steps)}]}]}


def run(program: str, command: str, folder: Path, process: Process) -> str:
    """Run a program in a folder of its own, and return what it says."""
    folder.mkdir(exist_ok=True)
    name = "program.mjs" if command == NODE else "program"
    (folder / name).write_text(program.replace("YOUR_GATEWAY_KEY", process.token), encoding="utf-8")
    done = subprocess.run(
        [command, name], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, f"{program}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def script() -> Script:
    return Script([{"text": "Here I am", "repeat": True}])


@pytest.fixture
def process(home: Path, script: Script) -> Any:
    with open_server(script) as url:
        row = {"id": "m", "input": ["text", "image", "document"], "reasoning": True}
        entry = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": "sk-up-0123456789", "models": [row]}
        default = {"defaults": {"model": {"primary": "box/m"}}}
        write_config(json.dumps({"agents": default, "models": {"providers": {"box": entry}}}))
        with gateway_process() as found:
            yield found


def here(process: Process) -> str:
    return f"http://127.0.0.1:{process.port}"


def skip_without_curl(key: str) -> None:
    if key == "curl" and not shutil.which(key):
        pytest.skip("there is no curl on this machine")


@pytest.mark.parametrize("key", RUNS)
def test_a_plain_question_is_asked_by_every_program(key, process, script, tmp_path) -> None:
    skip_without_curl(key)
    said = {"system": NASTY, "temperature": "0.5", "maxTokens": "100", "stop": "END", "seed": "3", "thinking": "low", "fallbacks": "box/m"}  # fmt: skip
    text = render(tmp_path, key, here(process), turns=[turn(NASTY)], settings=said)
    assert "Here I am" in run(text, RUNS[key], tmp_path / "run", process)
    asked = script.requests[-1].request
    assert (asked.system[0].text, asked.messages[0].content[0].text) == (NASTY, NASTY)
    assert (asked.temperature, asked.max_tokens, asked.seed, asked.stop) == (0.5, 100, 3, ("END",))
    assert asked.thinking.effort == "low"
    assert not (tmp_path / "run" / "owned").exists()


@pytest.mark.parametrize("key", RUNS)
def test_files_tools_and_schemas_are_asked_by_every_program(key, process, script, tmp_path) -> None:
    skip_without_curl(key)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "it's $me.png").write_bytes(PICTURE)
    (folder / "a.pdf").write_bytes(b"%PDF-1.4 x")
    files = [
        {"name": "it's $me.png", "kind": "image", "type": "image/png", "data": "x"},
        {"name": "a.pdf", "kind": "document", "type": "application/pdf", "data": "x"},
        {"name": "n.txt", "kind": "text", "type": "text/plain", "text": NASTY},
    ]
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Lis\\"bon"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "hm"}
    answer = {"answer": {"state": "done", "blocks": [], "message": message}}
    steps = [answer, {"results": [{"id": "c1", "name": "weather", "text": "18 °C"}]}, {"answer": {"blocks": []}}]
    said = {"tools": json.dumps(TOOL), "toolChoice": "required", "schema": '{"type": "object", "title": "a b"}'}
    text = render(tmp_path, key, here(process), turns=[turn("Look", *files, steps=steps)], settings=said)
    run(text, RUNS[key], folder, process)
    asked = script.requests[-1].request
    picture, paper, note, words = asked.messages[0].content
    assert isinstance(picture, ImageBlock)
    assert isinstance(paper, DocumentBlock)
    assert isinstance(note, TextBlock)
    body = script.requests[-1].body["messages"][0]["content"]
    assert json.dumps(body).count("base64,") == 2
    assert base64.b64decode(picture.data or "") == PICTURE
    assert base64.b64decode(paper.data or "") == b"%PDF-1.4 x"
    assert paper.name == "a.pdf"
    assert NASTY in note.text
    assert words.text == "Look"
    called = next(block for block in asked.messages[1].content if isinstance(block, ToolCall))
    assert (called.name, json.loads(called.arguments)) == ("weather", {"city": 'Lis"bon'})
    result = asked.messages[2].content[0]
    assert isinstance(result, ToolResult)
    assert result.content[0].text == "18 °C"
    assert (asked.tools[0].name, asked.tools[0].parameters) == ("weather", TOOL["parameters"])
    assert asked.tool_choice.mode == "required"
    assert asked.response_format.schema == {"type": "object", "title": "a b"}


@pytest.mark.parametrize("key", RUNS)
def test_a_conversation_with_the_default_model_is_gone_on_with(key, process, script, tmp_path) -> None:
    skip_without_curl(key)
    said = {"answer": {"state": "done", "message": {"role": "assistant", "content": "Fine."}, "blocks": []}}
    text = render(
        tmp_path, key, here(process), turns=[turn("How are you?", steps=[said]), turn("And now?")], model="default"
    )
    assert "Here I am" in run(text, RUNS[key], tmp_path / "run", process)
    turns = [(each["role"], each["content"]) for each in script.requests[-1].body["messages"]]
    assert turns == [("user", "How are you?"), ("assistant", "Fine."), ("user", "And now?")]


def test_the_openai_library_in_javascript_gets_the_same_words(process, tmp_path) -> None:
    text = render(tmp_path, "openaiJs", here(process), turns=[turn(NASTY)])
    # The library is not on this machine: a stand-in takes what it would be given.
    stand_in = """
      class OpenAI { constructor(how) { this.how = how; this.chat = { completions: { create: async (body) => {
        const reply = await fetch(`${this.how.baseURL}/chat/completions`, { method: "POST", body: JSON.stringify(body),
          headers: { authorization: `Bearer ${this.how.apiKey}`, "content-type": "application/json" } });
        return reply.json(); } } }; } }
    """
    program = text.replace('import OpenAI from "openai";', stand_in)
    assert program != text
    assert "Here I am" in run(program, RUNS["fetch"], tmp_path / "run", process)


def test_no_program_holds_a_real_key(process, tmp_path) -> None:
    for key in [*RUNS, "openaiJs"]:
        text = render(tmp_path, key, here(process), turns=[turn("Hi")])
        assert "YOUR_GATEWAY_KEY" in text
        assert process.token not in text
