"""Wire protocols by name; a protocol's code is imported when it is first used."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from jackfield.errors import ConfigError
from jackfield.protocols.base import Protocol

PACKAGES: dict[str, str] = {
    "anthropic-messages": "jackfield.protocols.anthropic_messages",
    "azure-openai-responses": "jackfield.protocols.openai_responses.azure",
    "bedrock-converse-stream": "jackfield.protocols.bedrock_converse",
    "cohere": "jackfield.protocols.cohere",
    "google-gemini-cli": "jackfield.protocols.google_generative_ai.cloud_code",
    "google-generative-ai": "jackfield.protocols.google_generative_ai",
    "google-vertex": "jackfield.protocols.google_generative_ai.vertex",
    "ollama": "jackfield.protocols.ollama",
    "openai-codex-responses": "jackfield.protocols.openai_responses.codex",
    "openai-completions": "jackfield.protocols.openai_completions",
    "openai-responses": "jackfield.protocols.openai_responses",
}
# Wires we call and nobody calls us with: they lack the server's half (`render_response`, `render_error`, `StreamRenderer`).
ONE_SIDED = frozenset({"bedrock-converse-stream", "cohere", "ollama", "google-gemini-cli", "openai-codex-responses"})


@cache
def load(name: str) -> Protocol:
    """Return the protocol of that name; raise `ConfigError` when there is none."""
    if name not in PACKAGES:
        raise ConfigError(f"unknown api {name!r}", hint=f"known: {', '.join(PACKAGES)}")
    # A package is not statically a Protocol; tests/protocols/test_contract.py holds each one to it.
    return cast("Protocol", import_module(PACKAGES[name]))
