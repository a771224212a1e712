"""Write the hand part of a catalog file for every provider of a models.dev snapshot that has none.

`build_catalog.py` runs this before it writes rows. What is written once belongs to whoever edits
the file from then on: it is never written over. A provider that cannot be called is in `UNSPOKEN`.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

# The AI SDK package that speaks to a provider names its wire.
WIRE_OF_PACKAGE = {
    "@ai-sdk/openai-compatible": "openai-completions",
    "@ai-sdk/openai": "openai-responses",
    "@ai-sdk/anthropic": "anthropic-messages",
    "@ai-sdk/azure": "openai-completions",
    "@aihubmix/ai-sdk-provider": "openai-completions",
    "merge-gateway-ai-sdk-provider": "openai-completions",
}
# Providers of the snapshot without a file, each with the reason.
UNSPOKEN = {
    "gitlab": "GitLab Duo hands out short-lived tokens for a proxy of its own; there is no public model API",
    "google-vertex-anthropic": "Anthropic's messages inside Vertex's :rawPredict envelope, which no codec here renders yet",
    "sap-ai-core": "each customer deploys models under URLs of their own, behind an OAuth service key",
}
# What the snapshot leaves out or spells otherwise than a base URL.
FACTS: dict[str, dict[str, Any]] = {
    "aihubmix": {"baseUrl": "https://aihubmix.com/v1"},  # docs.aihubmix.com
    "atomic-chat": {"keyOptional": True, "local": True, "privacy": "local"},
    "azure-cognitive-services": {
        "baseUrl": "https://${AZURE_COGNITIVE_SERVICES_RESOURCE_NAME}.cognitiveservices.azure.com/openai/v1",
        "group": "Cloud platforms",
    },
    "bailing": {"baseUrl": "https://api.tbox.cn/api/llm/v1"},
    "merge-gateway": {"baseUrl": "https://api-gateway.merge.dev/v1/openai"},  # docs.merge.dev/merge-gateway
    "wafer.ai": {"id": "wafer", "aliases": ["wafer.ai"]},
}
# Providers whose models are whatever the user loaded; the snapshot's are examples.
OWN_LIST = {"atomic-chat"}
NO_KEY = ("_NAME", "_HOST", "_ACCOUNT", "_URL", "_ENDPOINT")  # variables that hold no secret


def write_missing(folder: Path, source: dict[str, Any]) -> list[str]:
    """Write a file for every provider without one; return their ids."""
    known = find_known(folder)
    missing = [each for name, each in source["providers"].items() if name not in known | UNSPOKEN.keys()]
    for provider in missing:
        head = to_head(provider, source["source"])
        (folder / f"{head['id']}.toml").write_text(render_head(head, provider["id"], source), encoding="utf-8")
    return [provider["id"] for provider in missing]


def find_known(folder: Path) -> set[str]:
    """Return the snapshot's ids that a file covers: by its name, an alias, or the line above its rows."""
    known: set[str] = set()
    for path in folder.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        head = tomllib.loads(text.partition("\n[[models]]")[0])
        rows = [
            line.split("/")[1].split()[0].rstrip(",")
            for line in text.splitlines()
            if "-- rows from models.dev/" in line
        ]
        known |= {head["id"], *head.get("aliases", ()), *rows}
    return known


def to_head(provider: dict[str, Any], origin: dict[str, str]) -> dict[str, Any]:
    """Return what a file says above its rows; raise `KeyError` for a package whose wire nobody has looked at."""
    name, api = provider["id"], WIRE_OF_PACKAGE[provider["npm"]]
    base = (provider["api"] or "").rstrip("/")
    head: dict[str, Any] = {
        "id": name,
        "name": provider["name"],
        "group": provider["name"],
        "api": api,
        "baseUrl": base.removesuffix("/v1") if api == "anthropic-messages" else base,
        "env": [each for each in provider["env"] if not each.endswith(NO_KEY)],
        **({"discovery": "/models"} if api != "anthropic-messages" else {}),
        "doc": provider["doc"],
        "source": f"models.dev (github.com/{origin['repo']}, {origin['commit'][:7]}), {origin['commit_date'][:10]}",
    }
    return head | FACTS.get(name, {})


def render_head(head: dict[str, Any], upstream: str, source: dict[str, Any]) -> str:
    """Return the file: its facts, one way to sign in, and the line below which rows are written."""
    choice = f"{head['id']}-api-key"
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    if head.get("local"):
        lines += ["", "[[auth]]", f'choice = "{head["id"]}"', 'kind = "none"', f'label = "{head["name"]} (local)"']
    else:
        # A flag is a name in a program, too, which begins with a letter.
        flag = [f'flag = "--{choice}"'] if choice[0].isalpha() else []
        lines += ["", "[[auth]]", f'choice = "{choice}"', *flag, f'label = "{head["name"]} API key"']
    if upstream not in OWN_LIST:
        lines += ["", f"# -- rows from models.dev/{upstream}, {source['source']['commit_date'][:10]} "]
    return "\n".join(lines) + "\n"
