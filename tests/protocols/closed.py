"""Bodies that take no field but their own, written from each reference where a vendor ships no types of a request."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct

Json: TypeAlias = dict[str, Any]


class GoogleBody(Struct, forbid_unknown_fields=True):
    """`generateContent`'s body (ai.google.dev/api/generate-content, read 2026-11-21)."""

    contents: list[Json]
    systemInstruction: Json = {}  # noqa: N815  # the wire's word
    tools: list[Json] = []
    toolConfig: Json = {}  # noqa: N815
    safetySettings: list[Json] = []  # noqa: N815
    generationConfig: Json = {}  # noqa: N815
    cachedContent: str = ""  # noqa: N815
    labels: Json = {}
    serviceTier: str = ""  # noqa: N815
    store: bool = False


class CloudCodeBody(Struct, forbid_unknown_fields=True):
    """Cloud Code Assist's envelope (github.com/google-gemini/gemini-cli, read 2026-11-21), and Antigravity's further fields."""

    model: str
    request: Json
    project: str = ""
    user_prompt_id: str = ""
    userAgent: str = ""  # noqa: N815
    requestId: str = ""  # noqa: N815
    requestType: str = ""  # noqa: N815


class CohereText(Struct, forbid_unknown_fields=True, tag_field="type", tag="text"):
    text: str


class CohereThought(Struct, forbid_unknown_fields=True, tag_field="type", tag="thinking"):
    thinking: str


class CohereImage(Struct, forbid_unknown_fields=True, tag_field="type", tag="image_url"):
    image_url: dict[Literal["url", "detail"], str]


class CohereDocument(Struct, forbid_unknown_fields=True, tag_field="type", tag="document"):
    document: dict[Literal["id", "data"], Any]


class CohereFunction(Struct, forbid_unknown_fields=True):
    name: str
    arguments: str


class CohereCall(Struct, forbid_unknown_fields=True):
    id: str
    type: Literal["function"]
    function: CohereFunction


class CohereSystem(Struct, forbid_unknown_fields=True, tag_field="role", tag="system"):
    content: str | list[CohereText]


class CohereUser(Struct, forbid_unknown_fields=True, tag_field="role", tag="user"):
    content: str | list[CohereText | CohereImage]


class CohereAssistant(Struct, forbid_unknown_fields=True, tag_field="role", tag="assistant"):
    content: str | list[CohereText | CohereThought] = ""
    tool_plan: str = ""
    tool_calls: list[CohereCall] = []
    citations: list[Json] = []


class CohereResult(Struct, forbid_unknown_fields=True, tag_field="role", tag="tool"):
    tool_call_id: str
    content: str | list[CohereText | CohereDocument]


class CohereBody(Struct, forbid_unknown_fields=True):
    """`POST /v2/chat` (docs.cohere.com/reference/chat, read 2026-11-21)."""

    model: str
    messages: list[CohereSystem | CohereUser | CohereAssistant | CohereResult]
    stream: bool = False
    tools: list[Json] = []
    strict_tools: bool = False
    documents: list[Any] = []
    citation_options: Json = {}
    response_format: Json = {}
    safety_mode: str = ""
    max_tokens: int = 1
    stop_sequences: list[str] = []
    temperature: float = 0
    seed: int = 0
    frequency_penalty: float = 0
    presence_penalty: float = 0
    k: int = 0
    p: float = 0.5
    logprobs: bool = False
    tool_choice: Literal["REQUIRED", "NONE"] = "NONE"
    thinking: Json = {}
    priority: int = 0


class OllamaFunction(Struct, forbid_unknown_fields=True):
    name: str
    arguments: Json
    index: int = 0


class OllamaCall(Struct, forbid_unknown_fields=True):
    function: OllamaFunction
    id: str = ""


class OllamaMessage(Struct, forbid_unknown_fields=True):
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    thinking: str = ""
    images: list[str] = []
    tool_calls: list[OllamaCall] = []
    tool_name: str = ""
    tool_call_id: str = ""


class OllamaBody(Struct, forbid_unknown_fields=True):
    """`POST /api/chat` (docs.ollama.com/api/chat, read 2026-11-21)."""

    model: str
    messages: list[OllamaMessage]
    stream: bool = True
    tools: list[Json] = []
    format: Json | Literal["json"] = "json"
    options: Json = {}
    keep_alive: str | int = 0
    think: bool | str = False
    logprobs: bool = False
    top_logprobs: int = 0
    truncate: bool = True
    shift: bool = True
