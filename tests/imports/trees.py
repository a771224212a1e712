"""Another tool's files as a test writes them, and what the catalog of these tests knows."""

from __future__ import annotations

import base64
import json
from typing import Any

from jackfield.config.node import Source
from jackfield.imports.found import Imported, Known

KNOWN = Known(
    ids={
        **{
            each: each
            for each in (
                "openai", "anthropic", "google", "groq", "ollama", "openrouter", "openai-codex", "qwen-portal",
                "google-gemini-cli", "github-copilot", "azure-openai", "mistral", "kilocode", "venice", "amazon-bedrock",
            )
        },
        "gemini": "google", "kilo": "kilocode", "azure": "azure-openai", "bedrock": "amazon-bedrock",
    },
    variables={"OPENAI_API_KEY": "openai", "ANTHROPIC_API_KEY": "anthropic", "GROQ_API_KEY": "groq", "VENICE_API_KEY": "venice"},
    addresses={
        "openai": "https://api.openai.com/v1", "groq": "https://api.groq.com/openai/v1",
        "ollama": "http://127.0.0.1:11434/v1", "openrouter": "https://openrouter.ai/api/v1",
    },
    apis={"openai": "openai-completions", "groq": "openai-completions", "ollama": "openai-completions", "openrouter": "openai-completions"},
    local=frozenset({"ollama"}),
    plugins={"qwen-portal": "qwen-portal-auth"},
)  # fmt: skip


def file(name: str, text: str | dict[str, Any] | list[Any]) -> Source:
    """Return a file with a text, or with a value as JSON."""
    return Source(text if isinstance(text, str) else json.dumps(text, indent=1), name)


def keys(found: Imported) -> dict[str, str]:
    """Return each credential's secret by its id."""
    return {each.profile.id: each.profile.secret.reveal() for each in found.credentials}


def token(claims: dict[str, Any]) -> str:
    """Return a web token with such claims and no signature worth the name."""
    return f"head.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sign"
