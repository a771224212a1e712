"""`fake`: a scripted provider on this machine, for programs that are to be tested without a real one."""

from __future__ import annotations

import json
import time

import click

from jackfield.cli import ui

SERVING = """\
A scripted provider answers at {address} until you press Ctrl-C:

  OpenAI      {address}/v1          POST /chat/completions, /responses
  Anthropic   {address}             POST /v1/messages
  Gemini      {address}             POST /v1beta/models/MODEL:generateContent

As a provider in your config, then: jackfield chat --model fake/any "Hello"

{config}"""


@click.command(short_help="Serve a scripted provider, to test programs without a real one.")
@click.argument("script", required=False, metavar="[SCRIPT.json5]")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="Port of the server; else any free one."
)
def fake(script: str | None, port: int) -> None:
    """Serve a scripted provider, to test programs without a real one.

    \b
    A script is a list of replies; without one the server echoes. For example:
      [
        { when: { user: "weather" }, toolCalls: [{ name: "weather", arguments: { city: "Lisbon" } }] },
        { when: { toolResult: true }, text: "It is 18 °C." },
        { error: "rate_limit", headers: { "retry-after": "2" } },
        { text: "Hello", thinking: "A greeting.", perTokenS: 0.05, repeat: true },
        { text: "one two three", cutAfter: 2 },     a connection that breaks
        { text: "Hello", fault: "s01" },            one of sixteen named faults
      ]
    """
    from jackfield.scripted.script import Script
    from jackfield.scripted.server import open_server

    played = Script(script)
    with open_server(played, port) as address:
        ui.out(SERVING.format(address=address, config=render_config(address)))
        told = 0
        while True:
            for asked in played.requests[told:]:
                which = "no reply fits" if asked.reply is None else f"replies[{asked.reply}]"
                ui.note(f"{asked.protocol} {asked.request.model}: {asked.text[:60]!r} → {which}")
            told = len(played.requests)
            time.sleep(0.1)


def render_config(address: str) -> str:
    """Return the config that names the server as a provider."""
    provider = {"baseUrl": f"{address}/v1", "api": "openai-completions", "apiKey": "fake", "models": [{"id": "any"}]}
    return json.dumps({"models": {"providers": {"fake": provider}}}, indent=2)
