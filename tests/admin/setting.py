"""A gateway on a config with something of everything, and what a page says to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.gateway.command import Process

KEY, TEAM, TOKEN, OLD = (
    "sk-canary-0123456789abcd",
    "blue-canary-team",
    "gw-canary-0123456789",
    "sk-canary-old-9876543210",
)
SECRETS = (KEY, TEAM, TOKEN, OLD)
CONFIG = """// whose this is: nobody's
{
  agents: {
    defaults: {
      // the model for everything
      model: { primary: "box/house-70b", fallbacks: [
        "box/house-8b", // quick
        "box/tiny", // last
      ] },
    },
  },
  models: {
    aliases: { home: "box/house-8b" }, // for Ann
    providers: {
      /* ours */
      box: {
        baseUrl: "http://127.0.0.1:%PORT%/v1",
        apiKey: "sk-canary-0123456789abcd", // never show it
        // apiKey: "sk-canary-old-9876543210",
        headers: { "X-Team": "blue-canary-team" },
        models: [
          { id: "house-70b", name: "House 70B", contextWindow: 131072, maxTokens: 8192, cost: { input: 0.4, output: 1.2 }, tools: true },
          { id: "house-8b", input: ["text", "image"], cost: { input: 0, output: 0 }, reasoning: true }, // free
          { id: "tiny", status: "deprecated" },
        ],
      },
    },
  },
  env: { TEAM_NOTE: "gw-canary-0123456789" },
}
"""


def config(port: int = 1, text: str = CONFIG) -> str:
    return text.replace("%PORT%", str(port))


def path() -> Path:
    return Path(os.environ["HOME"]) / ".jackfield" / "jackfield.json"


def hash_now(process: Process) -> str:
    said: str = process.admin("config/text")[1]["hash"]
    return said


def change(process: Process, where: str, body: Any, if_match: str = "") -> Any:
    """Change the config as a page that has seen it as it is, and return the answer; it must be taken."""
    status, said = process.admin(where, body, if_match=if_match or hash_now(process))
    assert status == 200, said
    return said


def refuse(process: Process, where: str, body: Any, if_match: str = "") -> Any:
    """Ask for a change that must be refused; return the error."""
    before = path().read_bytes()
    status, said = process.admin(where, body, if_match=if_match or hash_now(process))
    assert status >= 400, said
    assert path().read_bytes() == before
    return {"status": status, **said["error"]}
