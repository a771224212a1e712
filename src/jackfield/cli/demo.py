"""`demo`: a real model server on this machine, asked the way any provider is asked.

The set-up is a throw-away one: the user's own files, keys and environment are neither read
nor written.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from jackfield.app import App
from jackfield.cli import answer, ui
from jackfield.cli.chat import summary
from jackfield.client import AsyncClient
from jackfield.demo import MODEL
from jackfield.demo.server import PROVIDER, REF, DemoServer, open_server
from jackfield.message import ChatRequest, ChatResponse, Message, TextBlock, Tool, ToolResult

QUESTION = "Hello, are you working?"
TOOL_QUESTION = "What is the weather like in Lisbon?"
WEATHER = Tool(
    "weather",
    "Tell the weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
TOOL_ANSWER = "18 °C, clear sky"

NEXT = """\
Next:
  {program} onboard                  set up a provider: key, model, check
  {program} chat "Hello"             ask the model you chose
  {program} models list --all        every provider and model it knows
  {program} demo --serve             keep the model server running, to try things on"""

SERVING = """\
A model server answers at {base_url} until you press Ctrl-C.
In another shell, set it up as you would any server of your own, and ask it:

  {program} onboard --non-interactive --auth-choice custom-api-key --custom-provider-id {provider} \\
    --custom-base-url {base_url} --custom-model-id {model} --custom-api-key {key}
  {program} chat --model {ref} "Hello"
  {program} chat --model {ref} --thinking high "Hello"

The same as a config of its own ({program} --config FILE …):

{config}"""


@click.command(short_help="Ask a small model that runs on this machine; no key, no network.")
@click.option("--serve", is_flag=True, help="Keep the model server running and print how to reach it.")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="Port of the server; else any free one."
)
def demo(*, serve: bool, port: int) -> None:
    """Ask a small model that runs on this machine; no key, no network.

    A real llama.cpp server with a hand-wired model of 3 kB is started, named in a throw-away
    config, and asked over the ordinary path: a question, then one with a tool. It knows its
    few sentences only; your own set-up is neither read nor changed.
    """
    with open_server(port) as server:
        if serve:
            _serve(server)
        else:
            _show(server)


def name_program() -> str:
    """Return how a shell in this folder calls the program: by its name if it is on the path, else by its file."""
    path = Path(sys.argv[0])
    found = path.stem != "jackfield" or shutil.which("jackfield")
    return "jackfield" if found else os.path.relpath(path)


def _serve(server: DemoServer) -> None:
    named = {"ref": REF, "provider": PROVIDER, "model": MODEL, "base_url": server.base_url, "key": server.key}
    ui.out(SERVING.format(**named, config=server.config_text(), program=name_program()))
    while server.is_running():
        time.sleep(0.2)


def _show(server: DemoServer) -> None:
    with tempfile.TemporaryDirectory(prefix="jackfield-demo-") as folder:
        home = Path(folder)
        (home / "jackfield.json").write_text(server.config_text(), encoding="utf-8")
        app = App({"JACKFIELD_HOME": folder}, cwd=home, offline=True)
        ui.note(f"a real llama.cpp server, a model of 3 kB, at {server.base_url}\n")
        reply = asyncio.run(_talk(app))
    ui.note(f"\n{summary(reply)}\n\n{NEXT.format(program=name_program())}")


async def _talk(app: App) -> ChatResponse:
    async with app.open_client() as client:
        await _ask(client)
        return await _use_tool(client)


async def _ask(client: AsyncClient) -> None:
    ui.out(f"you    {QUESTION}\nmodel  ", end="")
    await answer.show(client.stream(_request(Message.user(QUESTION))), show_thinking=False)


async def _use_tool(client: AsyncClient) -> ChatResponse:
    ui.out(f"\nyou    {TOOL_QUESTION}")
    question = Message.user(TOOL_QUESTION)
    reply = await client.stream(_request(question, tools=[WEATHER])).response()
    for call in reply.tool_calls:
        ui.out(f"call   {call.name} {call.arguments}\nresult {TOOL_ANSWER}")
    results = [ToolResult(call.id, [TextBlock(TOOL_ANSWER)], name=call.name) for call in reply.tool_calls]
    ui.out("model  ", end="")
    turns = question, Message("assistant", reply.content), Message("user", results)
    return await answer.show(client.stream(_request(*turns, tools=[WEATHER])), show_thinking=False)


def _request(*messages: Message, tools: list[Tool] | None = None) -> ChatRequest:
    return ChatRequest(model=REF, messages=messages, tools=tools or (), stream=True)
