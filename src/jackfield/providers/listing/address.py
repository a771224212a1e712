"""Where a provider's list of models stands. Pure: a row in, URLs out."""

from __future__ import annotations

from jackfield.model import Api, ListFormat, ProviderInfo
from jackfield.providers.url import models_url

# Servers whose own list stands at their root, beside `/v1`, as Ollama's endpoints do.
AT_ROOT: frozenset[ListFormat] = frozenset({"ollama", "lmstudio", "litellm"})
ROOT: Api = "ollama"


def list_url(info: ProviderInfo) -> str | None:
    """Return the URL of a provider's list, `None` when it has none; raise `ConfigError` for a base URL that is none."""
    if not info.discovery or info.discovery.startswith("https://"):
        return info.discovery or None
    api = ROOT if info.discovery_format in AT_ROOT else info.api
    return models_url(info.base_url, api, endpoint=info.endpoint or None, path=info.discovery)


def plain_url(info: ProviderInfo) -> str | None:
    """Return where a server without its own list (an older one, a proxy) answers in OpenAI's shape; `None`: nowhere else."""
    if info.discovery_format not in AT_ROOT:
        return None
    return models_url(info.base_url, "openai-completions", endpoint=info.endpoint or None, path="/models")
