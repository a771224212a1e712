"""The one place that knows which URL a base URL means.

A base URL may be written as a host, with or without `/v1`, or as the full endpoint; this
module returns the request's URL and the model list's. It never guesses from a provider's name.

Read a base URL's path from its end, ignoring case and slashes at the end; first match holds:

    path ends in                      it is      request goes to
    an endpoint (ENDPOINTS, VERBS)    complete   the URL as written
    nothing at all                    a host     + version + chat path
    a version (`v1`, `v4`, `v1beta`)  a base     + chat path
    anything else                     a base     + chat path; Anthropic's wire adds its version first
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from msgspec import Struct

from jackfield.errors import ConfigError


class _Layout(Struct, frozen=True):
    version: str  # added to a bare host; servers without one want their full endpoint written
    path: str  # below the version
    base_has_version: bool  # whether this API's documentation counts the version into the base URL


# Bare hosts get the version although OpenAI's SDK would not add it: of the servers people
# name by host alone (LiteLLM, vLLM, llama.cpp, LM Studio, Ollama) all answer under /v1.
LAYOUTS: dict[str, _Layout] = {
    "openai-completions": _Layout("/v1", "/chat/completions", base_has_version=True),
    "openai-responses":   _Layout("/v1", "/responses", base_has_version=True),
    "anthropic-messages": _Layout("/v1", "/messages", base_has_version=False),
}  # fmt: skip
ENDPOINTS = (
    "/completions",
    "/responses",
    "/messages",
    "/invocations",
    "/generate",
    ":generatecontent",
    ":streamgeneratecontent",
)
VERBS = frozenset({"chat", "completion", "complete", "infer", "predict", "run"})
VERSION = re.compile(r"/v\d+\w*$", re.IGNORECASE)


def chat_url(base_url: str, api: str, *, endpoint: str | None = None) -> str:
    """Return the URL a chat request goes to; raise `ConfigError` when the base URL is none.

    `endpoint` is used exactly as written. The query stays, a fragment goes.
    """
    if endpoint:
        _split(endpoint)
        return endpoint.strip()
    parts, path = _split_base(base_url)
    layout = _layout(api)
    if _is_endpoint(path):
        return _join(parts, path)
    return _join(parts, _versioned(path, layout) + layout.path)


def other_url(base_url: str, api: str, *, endpoint: str | None = None) -> str | None:
    """Return what the same base URL means when read the other way, for a hint after a 404; `None`: there is none."""
    parts, path = _split_base(endpoint or base_url)
    layout = _layout(api)
    if endpoint or path.lower().endswith(ENDPOINTS):
        return None
    if _is_endpoint(path):
        return _join(parts, _versioned(path, layout) + layout.path)
    if not path:
        return _join(parts, layout.path) if layout.base_has_version else None
    if layout.base_has_version and not VERSION.search(path):
        return _join(parts, path + layout.version + layout.path)
    return _join(parts, path)


def models_url(base_url: str, api: str, *, endpoint: str | None = None, path: str = "/models") -> str | None:
    """Return the URL of the model list, or `None` when it cannot be told from a full endpoint.

    `path` stands where the chat path does: below the version.
    """
    parts, chat_path = _split_base(chat_url(base_url, api, endpoint=endpoint))
    root = chat_path[: -len(_layout(api).path)]
    if not chat_path.lower().endswith(_layout(api).path):
        return None
    return _join(parts, root + path)


def _layout(api: str) -> _Layout:
    if api not in LAYOUTS:
        raise ConfigError(f"api {api!r} cannot be called by this version", hint=f"it can call: {', '.join(LAYOUTS)}")
    return LAYOUTS[api]


def _is_endpoint(path: str) -> bool:
    end = path.lower()
    return end.endswith(ENDPOINTS) or end.rpartition("/")[2] in VERBS


def _versioned(path: str, layout: _Layout) -> str:
    needs = not VERSION.search(path) and (not path or not layout.base_has_version)
    return path + layout.version if needs else path


def _split_base(url: str) -> tuple[SplitResult, str]:
    parts = _split(url)
    return parts, parts.path.rstrip("/")


def _split(url: str) -> SplitResult:
    text = url.strip()
    try:
        parts = urlsplit(text)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ConfigError(f"invalid base URL: {error}", hint="write it like https://api.example.com/v1") from error
    if "@" in parts.netloc:
        raise ConfigError(
            f"invalid base URL: a user name or password stands before {parts.hostname}",
            hint="put the key into apiKey, or a header into headers",
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_good or re.search(r"\s", text):
        raise ConfigError(f"invalid base URL: {text!r}", hint="write it like https://api.example.com/v1")
    return parts


def _join(parts: SplitResult, path: str) -> str:
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
