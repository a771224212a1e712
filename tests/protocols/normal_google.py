"""Gemini's recordings: one spelling for requests that say the same, and tokens counted by hand."""

from __future__ import annotations

from typing import Any

from jackfield.message import Usage

FREE = ("args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels")
EMPTY: tuple[Any, ...] = (None, {}, [])


def google_buckets(raw: dict[str, Any]) -> Usage:
    """Count a raw `usageMetadata` by hand: cached tokens out of the prompt, what tools read into it, thoughts to the words."""
    prompt, cached = raw.get("promptTokenCount"), raw.get("cachedContentTokenCount")
    words, thoughts = raw.get("candidatesTokenCount"), raw.get("thoughtsTokenCount")
    fresh = None if prompt is None else prompt - (cached or 0) + raw.get("toolUsePromptTokenCount", 0)
    output = None if words is None and thoughts is None else (words or 0) + (thoughts or 0)
    if None not in (fresh, output) and raw.get("totalTokenCount"):
        assert fresh + output + (cached or 0) == raw["totalTokenCount"]
    return Usage(fresh, output, cached, None, thoughts)


def normal_google(body: dict[str, Any]) -> dict[str, Any]:
    """Spell a request as we do, where two spellings mean the same:

    one case of names; nulls, empty objects and lists, text without letters, `thought: false` and the model left out;
    functions in one entry of the tools; the role of an instruction left out; one alphabet of base64;
    a number as a number.
    """
    body = _named({name: value for name, value in body.items() if name != "model"})
    contents = [_content(content) for content in body["contents"]]
    system = _content(body.get("systemInstruction") or {})
    functions = [
        _without_blank(each) for tool in body.get("tools", []) for each in tool.get("functionDeclarations", [])
    ]
    others = [
        {name: held} for tool in body.get("tools", []) for name, held in tool.items() if name != "functionDeclarations"
    ]
    tools = [*([{"functionDeclarations": functions}] if functions else []), *others]
    config = body.get("generationConfig", {})
    for name in config.keys() & {"maxOutputTokens"}:
        config[name] = int(config[name])
    body |= {
        "contents": contents,
        "tools": tools,
        "systemInstruction": {"parts": system["parts"]} if system["parts"] else {},
    }
    return {name: value for name, value in body.items() if value not in EMPTY}


def normal_vertex(body: dict[str, Any]) -> dict[str, Any]:
    """The same, and ids of calls left out, which Vertex took for a time and refuses now."""
    normal = normal_google(body)
    for part in (part for content in normal["contents"] for part in content["parts"]):
        for kind in part.keys() & {"functionCall", "functionResponse"}:
            part[kind] = {name: value for name, value in part[kind].items() if name != "id"}
    return normal


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(item) for item in value]
    if not isinstance(value, dict):
        return value
    spelled = {_camel(name): inner for name, inner in value.items() if inner is not None}
    return {name: inner if name in FREE else _named(inner) for name, inner in spelled.items()}


def _camel(name: str) -> str:
    head, *words = name.split("_")
    return head + "".join(map(str.title, words))


def _content(content: dict[str, Any]) -> dict[str, Any]:
    parts = content.get("parts", [])
    normal = [_part(part) for part in (parts if isinstance(parts, list) else [parts])]
    return {"role": "user", **content, "parts": [part for part in normal if part != {"text": ""}]}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    part = {name: value for name, value in part.items() if (name, value) != ("thought", False)}
    if "inlineData" in part:
        data = part["inlineData"]["data"].replace("-", "+").replace("_", "/")
        part = {**part, "inlineData": {**part["inlineData"], "data": data}}
    return part


def _without_blank(function: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in function.items() if (name, value) != ("description", "")}
