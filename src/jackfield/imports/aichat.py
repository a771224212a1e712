"""aichat (github.com/sigoden/aichat, config.example.yaml, read 2026-11-21): `config.yaml` with its clients, and its `.env`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from jackfield.config.environment import parse_dotenv
from jackfield.config.node import Node, Source
from jackfield.imports.draft import Draft
from jackfield.imports.found import Imported, Known
from jackfield.message import JsonObject

# Client types that speak a wire of their own.
APIS = {"openai": "openai-completions", "openai-compatible": "openai-completions", "claude": "anthropic-messages", "gemini": "google-generative-ai", "cohere": "cohere"}  # fmt: skip
# Clients that sign in with more than a key.
ELSEWHERE = {
    "vertexai": "Google's credentials are found by themselves: gcloud auth application-default login",
    "bedrock": "AWS's keys are found by themselves: put them into AWS's own files or variables",
}


def parse_aichat(files: Sequence[Source], known: Known) -> Imported:
    """Return what aichat's clients and its default model say."""
    draft = Draft("aichat", known)
    primary = ""
    for file in files:
        if PurePath(file.name).name == ".env":
            _add_variables(draft, file)
        elif root := draft.open(file):
            for client in draft.objects(root, "clients"):
                _add_client(draft, client)
            primary = _find_default(draft, root) or primary
    return draft.finish(primary=primary)


def _add_client(draft: Draft, client: Node) -> None:
    kind = draft.text(client, "type")
    name = draft.text(client, "name") or kind
    if kind in ELSEWHERE:
        draft.leave(f"client {name}", ELSEWHERE[kind], client)
        draft.placed[name.lower()] = draft.ours(kind)
        return
    word = name if draft.ours(name) or not draft.ours(kind) else kind
    provider = draft.place(word, draft.text(client, "api_base"), APIS.get(kind, ""), client)
    if not provider:
        return
    draft.placed[name.lower()] = provider
    for row in draft.objects(client, "models"):
        _add_model(draft, provider, row)
    key = client.find(("api_key",))
    if key is not None:
        draft.add_key(provider, draft.text(client, "api_key"), key)
    if client.find(("patch",)) is not None or client.find(("extra",)) is not None:
        draft.leave(f"client {name}: patch, extra", "set params and network in the config", client)


def _add_model(draft: Draft, provider: str, row: Node) -> None:
    name = draft.text(row, "name")
    if draft.text(row, "type") not in {"", "chat"}:
        draft.leave(f"model {name}", "only chat models are brought over", row)
        return
    vision, tools = row.find(("supports_vision",)), row.find(("supports_function_calling",))
    draft.add_model(
        provider,
        {
            "id": name,
            "upstream": draft.text(row, "real_name") or None,
            "input": ["text", "image"] if vision and vision.value is True else None,
            "tools": tools.value if tools and tools.kind == "boolean" else None,
            "contextWindow": draft.count(row, "max_input_tokens"),
            "maxTokens": draft.count(row, "max_output_tokens"),
            "cost": _prices(draft, row),
        },
    )


def _prices(draft: Draft, row: Node) -> JsonObject | None:
    prices = {"input": draft.count(row, "input_price"), "output": draft.count(row, "output_price")}
    return {name: price for name, price in prices.items() if price is not None} or None


def _find_default(draft: Draft, root: Node) -> str:
    said = draft.text(root, "model")
    client, _, model = said.partition(":")
    provider = draft.ours(client)
    if provider and model:
        return f"{provider}/{model}"
    if said:
        draft.leave(f"default model {said}", "its client is not brought over, or names no model", root.find(("model",)))
    return ""


def _add_variables(draft: Draft, file: Source) -> None:
    """Add the keys that stand in aichat's own `.env`; other variables are aichat's business."""
    node = Node(file, "object", {}, 0, 0)
    for name, value in parse_dotenv(file.text).items():
        provider = draft.known.variables.get(name) or (
            draft.ours(name.removesuffix("_API_KEY")) if name.endswith("_API_KEY") else ""
        )
        if provider:
            draft.add_key(provider, value, node)
