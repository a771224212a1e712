"""The one place that knows which URL a base URL means.

A base URL may be written as a host, with or without its version, or as the full endpoint; this
module returns the request's URL and those beside it. It never guesses from a provider's name.

Read a base URL's path from its end, ignoring case and slashes at the end; first match holds:

    path ends in                      it is      request goes to
    an endpoint (ENDPOINTS, VERBS)    complete   the URL as written
    nothing at all                    a host     + version + chat path
    a version (`v1`, `v4`, `v1beta`)  a base     + chat path
    anything else                     a base     + chat path; Anthropic's wire adds its version first

`{model}` in a base URL is the model's id, for addresses that name it before their end (Azure's deployments).
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from msgspec import Struct

from jackfield.errors import ConfigError, InvalidRequest


class Layout(Struct, frozen=True):
    """Where an API's endpoints stand below a host."""

    version: str  # added to a bare host; servers without one want their full endpoint written
    path: str  # below the version; `{model}` is the model's id
    stream_path: str = ""  # where a streamed answer has an address of its own
    base_has_version: bool = True  # whether this API's documentation counts the version into the base URL
    drops_version: bool = False  # the base URL of another API on the same server is read as its host
    models: str = "/models"  # the model list, below the version; empty where there is none


# Bare hosts get the version although OpenAI's SDK would not add it: of the servers people
# name by host alone (LiteLLM, vLLM, llama.cpp, LM Studio, Ollama) all answer under /v1.
GEMINI = "/models/{model}:generateContent", "/models/{model}:streamGenerateContent?alt=sse"
CLOUD_CODE = "/v1internal:generateContent", "/v1internal:streamGenerateContent?alt=sse"
CONVERSE = "/model/{model}/converse", "/model/{model}/converse-stream"
LAYOUTS: dict[str, Layout] = {
    "openai-completions":      Layout("/v1", "/chat/completions"),
    "openai-responses":        Layout("/v1", "/responses"),
    "azure-openai-responses":  Layout("/openai/v1", "/responses"),
    "openai-codex-responses":  Layout("", "/codex/responses", models=""),
    "anthropic-messages":      Layout("/v1", "/messages", base_has_version=False),
    "google-generative-ai":    Layout("/v1beta", *GEMINI),
    "google-vertex":           Layout("/v1", *GEMINI, models=""),
    "google-gemini-cli":       Layout("", *CLOUD_CODE, drops_version=True, models=""),
    "bedrock-converse-stream": Layout("", *CONVERSE, models=""),
    "cohere":                  Layout("/v2", "/chat"),
    "ollama":                  Layout("", "/api/chat", drops_version=True, models="/api/tags"),
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
VERBS = frozenset({"chat", "completion", "complete", "converse", "converse-stream", "infer", "predict", "run"})
VERSION = re.compile(r"/v\d+\w*$", re.IGNORECASE)


def chat_url(base_url: str, api: str, *, endpoint: str | None = None, model: str = "", stream: bool = False) -> str:
    """Return the URL a chat request goes to; raise `ConfigError` when the base URL is none.

    `endpoint` is used exactly as written. The query stays, a fragment goes. `model` is the
    wire's id, for APIs that name it in the URL; raises `InvalidRequest` for one that no URL can hold.
    """
    if endpoint:
        _split(endpoint)
        return _named(endpoint.strip(), model)
    layout = _layout(api)
    parts, path = _split_base(base_url, layout)
    if not _is_endpoint(path):
        path = _versioned(path, layout) + (layout.stream_path if stream and layout.stream_path else layout.path)
    return _named(_join(parts, path), model)


def other_url(base_url: str, api: str, *, endpoint: str | None = None) -> str | None:
    """Return what the same base URL means when read the other way, for a hint after a 404; `None`: there is none."""
    layout = _layout(api)
    parts, path = _split_base(endpoint or base_url, layout)
    if endpoint or path.lower().endswith(ENDPOINTS) or "{model}" in layout.path:
        return None
    if _is_endpoint(path):
        return _join(parts, _versioned(path, layout) + layout.path)
    if not path:
        return _join(parts, layout.path) if layout.base_has_version and layout.version else None
    if layout.base_has_version and layout.version and not VERSION.search(path):
        return _join(parts, path + layout.version + layout.path)
    return _join(parts, path)


def side_url(base_url: str, api: str, path: str, *, endpoint: str | None = None, model: str = "") -> str | None:
    """Return the URL of another endpoint of the same API, `None` when it cannot be told from a full endpoint.

    `path` stands where the chat path does: below the version. It may name `{model}`.
    """
    layout = _layout(api)
    parts, chat_path = _split_base(endpoint or base_url, layout)
    if endpoint or _is_endpoint(chat_path):
        chat = next((end for end in (layout.path, layout.stream_path) if end and _ends(chat_path, end)), None)
        if chat is None:
            return None
        root = chat_path[: chat_path.lower().rindex(_literal_start(chat))]
    else:
        root = _versioned(chat_path, layout)
    return _named(_join(parts, root + path), model)


def beside_url(endpoint: str, api: str, other: str, *, model: str = "") -> str | None:
    """Return where `other` is spoken on the server whose full endpoint for `api` is given; `None`: it cannot be told."""
    layout = _layout(other)
    path = layout.path if layout.base_has_version else layout.version + layout.path
    return side_url("", api, path, endpoint=endpoint, model=model)


def models_url(base_url: str, api: str, *, endpoint: str | None = None, path: str = "") -> str | None:
    """Return the URL of the model list; `None` when the API has none or a full endpoint does not tell it."""
    path = path or _layout(api).models
    return side_url(base_url, api, path, endpoint=endpoint) if path else None


def _ends(path: str, template: str) -> bool:
    """Tell whether a path ends as a layout's template does, whatever model it names."""
    before, _, after = template.partition("?")[0].lower().partition("{model}")
    return path.lower().endswith(after or before) and before in path.lower()


def _literal_start(template: str) -> str:
    return template.partition("?")[0].partition("{model}")[0].lower()


def _named(url: str, model: str) -> str:
    if "{model}" not in url:
        return url
    name = model.removeprefix("models/")
    # A slash would make it a path of its own; `.` and `..` are steps that a client resolves.
    if not name or name in {".", ".."} or any(ord(letter) < 32 for letter in name):
        raise InvalidRequest(f"the model's id {model!r} cannot stand in a URL")
    return url.replace("{model}", quote(name, safe=":@,"))


def _layout(api: str) -> Layout:
    if api not in LAYOUTS:
        raise ConfigError(f"api {api!r} cannot be called by this version", hint=f"it can call: {', '.join(LAYOUTS)}")
    return LAYOUTS[api]


def _is_endpoint(path: str) -> bool:
    end = path.lower()
    return end.endswith(ENDPOINTS) or end.rpartition("/")[2] in VERBS


def _versioned(path: str, layout: Layout) -> str:
    needs = not VERSION.search(path) and (not path or not layout.base_has_version)
    return path + layout.version if needs else path


def _split_base(url: str, layout: Layout) -> tuple[SplitResult, str]:
    parts = _split(url)
    path = parts.path.rstrip("/")
    return parts, VERSION.sub("", path) if layout.drops_version else path


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
    path, _, query = path.partition("?")
    return urlunsplit((parts.scheme, parts.netloc, path, "&".join(filter(None, (parts.query, query))), ""))
