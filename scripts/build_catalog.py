"""Refresh the catalog's model rows from a snapshot of models.dev.

    python scripts/build_catalog.py SNAPSHOT.json

A file of `catalog/data` is written by hand down to its line `# -- rows from models.dev/<id> ---`;
everything below that line is written here. A row above it wins over the snapshot's. The comment
lines right below the line say what the snapshot cannot know (models that make vectors become `[[embeddings]]`):

    # api openai-responses: *-codex* *-pro      models that speak another wire
    # alias claude-opus-4-5: opus-4.5           other spellings of an id
    # skip: *-fast                              models that are left out
    # refuses supportsStop: o1* o3*             models whose server does not take this
    # refuses stop,seed: *-reasoning            models whose server refuses these fields of the body
    # thinks nova: amazon.nova*                 models that are told how hard to think in these words
    # hour 2: claude-*                          what is cached for an hour costs so many times the input
    # tier 200000,2,1.5: gemini-*-pro*          above so many tokens input costs twice, output half as much again
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from decimal import Context, Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from new_providers import write_missing

DATA = Path(__file__).parents[1] / "src" / "jackfield" / "catalog" / "data"
MARK = re.compile(r"^# -- rows from models\.dev/(\S+?)[, ].*$", re.MULTILINE)
RULE = re.compile(r"^# (api|alias|skip|refuses|thinks|hour|tier)(?: (\S+))?: (.+)$", re.MULTILINE)

# The AI SDK package that speaks to a model names its wire.
API_OF_PACKAGE = {
    "@ai-sdk/anthropic": "anthropic-messages",
    "@ai-sdk/openai": "openai-responses",
    "@ai-sdk/openai-compatible": "openai-completions",
    "@ai-sdk/google": "google-generative-ai",
}
INPUT = {"text": "text", "image": "image", "pdf": "document", "audio": "audio", "video": "video"}
COST = {
    "input": "input", "output": "output",
    "cache_read": "cacheRead", "cached_input": "cacheRead", "cache_input": "cacheRead",
    "cache_write": "cacheWrite", "cached_write": "cacheWrite",
    "input_audio": "audioInput", "output_audio": "audioOutput",
}  # fmt: skip
WRITTEN = {"output", "audioOutput"}
# Ways to think that know on and off; a level besides must be declared.
SWITCHES = {"zai", "qwen", "together"}
# The source's own arithmetic leaves 0.049999999999999996 where 0.05 is meant.
PRICE = Context(prec=10)
NO_CHAT = re.compile(
    r"embed|rerank|whisper|transcri|(^|[-/])tts|-stt|realtime|moderation|prompt-guard|-image|lyria|voyage"
)


def main(snapshot: str) -> None:
    text = Path(snapshot).read_text(encoding="utf-8")
    source = json.loads(text, parse_float=Decimal)
    date = source["source"]["commit_date"][:10]
    write_missing(DATA, source)
    for path in sorted(DATA.glob("*.toml")):
        body = path.read_text(encoding="utf-8")
        if mark := MARK.search(body):
            path.write_text(refresh(body, mark, source["providers"][mark[1]]["models"], date), encoding="utf-8")


def refresh(body: str, mark: re.Match[str], models: list[dict[str, Any]], date: str) -> str:
    """Return the file with everything below its line written anew."""
    head = tomllib.loads(body[: mark.start()])
    rules = RULE.findall(body[mark.end() :])
    written = {row["id"] for table in ("models", "embeddings") for row in head.get(table, [])}
    rows = [to_row(model, head, rules) for model in models if speaks(model, rules)]
    lines = [f"# -- rows from models.dev/{mark[1]}, {date} ".ljust(84, "-")]
    lines += [f"# {kind}{' ' + what if what else ''}: {rest}" for kind, what, rest in rules]
    blocks = ["\n".join(lines), *(render(row) for row in rows if row["id"] not in written)]
    vectors = [to_embedding(model, head) for model in models if embeds(model, rules)]
    blocks += [render(row, "embeddings") for row in vectors if row["id"] not in written]
    return body[: mark.start()] + "\n\n".join(blocks) + "\n"


def speaks(model: dict[str, Any], rules: list[tuple[str, str, str]]) -> bool:
    """Tell whether the model holds a conversation in text."""
    skipped = any(matches(model["id"], globs) for kind, _, globs in rules if kind == "skip")
    return "text" in model["output"] and model["context"] > 0 and not NO_CHAT.search(model["id"]) and not skipped


def embeds(model: dict[str, Any], rules: list[tuple[str, str, str]]) -> bool:
    """Tell whether the model makes vectors of texts."""
    skipped = any(matches(model["id"], globs) for kind, _, globs in rules if kind == "skip")
    return "embed" in model["id"] and "text" in model["input"] and not skipped


def to_embedding(model: dict[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    """Return an embedding model as a catalog row; how long its answer may be says nothing of vectors."""
    row = to_row({**model, "output_limit": 0, "tool_call": True}, head, [])
    if head.get("api") == "anthropic-messages":
        row["api"] = "openai-completions"  # that wire has no embeddings; gateways that speak it have OpenAI's
    kept = ("id", "name", "api", "cost", "contextWindow", "upstream", "released", "status")
    return {key: row[key] for key in kept if row.get(key)}


def to_row(model: dict[str, Any], head: dict[str, Any], rules: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the model as a catalog row; what the provider already says is left out."""
    provider, name = head["id"], model["id"]
    row: dict[str, Any] = {"id": name.removeprefix(f"{provider}/") if provider == "openrouter" else name}
    row["name"] = model["name"].removesuffix(" (latest)")
    row |= address(model, head, rules)
    row["reasoning"] = model["reasoning"]
    row["input"] = [INPUT[kind] for kind in INPUT if kind in model["input"]]
    if cost := prices(model, rules):
        row["cost"] = cost
    row["contextWindow"] = model["context"]
    if model["output_limit"] > 0:
        row["maxTokens"] = model["output_limit"]
    if not model["tool_call"]:
        row["tools"] = False
    own = [(kind, what) for kind, what, globs in rules if matches(name, globs)]
    refused = refusals([what for kind, what in own if kind == "refuses"])
    if words := [what for kind, what in own if kind == "thinks"]:
        refused["thinkingFormat"] = words[-1]
    api = row.get("api", head.get("api", "openai-completions"))
    if compat := deviations(model, api, head.get("compat", {}), refused):
        row["compat"] = compat
    if row["id"] != name:
        row["upstream"] = name
    if aliases := spellings(row["id"], name, rules):
        row["aliases"] = aliases
    row["released"] = model["release_date"]
    if "status" in model:
        row["status"] = model["status"]
    return row


def refusals(said: list[str]) -> dict[str, Any]:
    """Return what is refused as compat: a switch is off, anything else is a list of the body's fields."""
    switches: dict[str, Any] = {what: False for what in said if what.startswith("supports")}
    fields = [name for what in said if what not in switches for name in what.split(",")]
    return switches | ({"unsupportedFields": fields} if fields else {})


def prices(model: dict[str, Any], rules: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the prices, with those that the file's own lines derive from them."""
    cost: dict[str, Any] = {COST[key]: value for key, value in model.get("cost", {}).items() if key in COST}
    for kind, what, globs in rules:
        if kind not in {"hour", "tier"} or not cost.get("input") or not matches(model["id"], globs):
            continue
        if kind == "hour":
            cost["cacheWrite1h"] = cost["input"] * Decimal(what)
        else:
            above, read, written = (Decimal(number) for number in what.split(","))
            dearer = {
                key: value * (written if key in WRITTEN else read) for key, value in cost.items() if key != "tiers"
            }
            cost["tiers"] = [*cost.get("tiers", ()), {"above": int(above), **dearer}]
    return cost


def spellings(identity: str, upstream: str, rules: list[tuple[str, str, str]]) -> list[str]:
    """Return the other ids a user may write."""
    given = [alias for kind, what, rest in rules if kind == "alias" and what == identity for alias in rest.split()]
    return given + ([upstream] if upstream != identity else [])


def address(model: dict[str, Any], head: dict[str, Any], rules: list[tuple[str, str, str]]) -> dict[str, str]:
    """Return `api` and `baseUrl` where the model is reached otherwise than its provider."""
    override = model.get("provider_override", {})
    api = API_OF_PACKAGE.get(override.get("npm", ""))
    if override.get("shape") == "responses":
        api = "openai-responses"
    api = next((what for kind, what, globs in rules if kind == "api" and matches(model["id"], globs)), api)
    base = override.get("api", "").rstrip("/")
    base = base.removesuffix("/v1") if api == "anthropic-messages" else base
    found = {"api": api if api != head.get("api", "openai-completions") else None, "baseUrl": base}
    return {key: value for key, value in found.items() if value}


def deviations(model: dict[str, Any], api: str, known: dict[str, Any], refused: dict[str, Any]) -> dict[str, Any]:
    """Return what the server refuses or demands of this model; `refused` is what the file's own lines say."""
    compat: dict[str, Any] = {}
    if model.get("temperature") is False:
        compat["supportsTemperature"] = False
    compat |= refused
    if api == "openai-completions":
        if model.get("structured_output") is False:
            compat["supportsResponseFormat"] = False
        interleaved = model.get("interleaved")
        if isinstance(interleaved, dict) and interleaved.get("field") == "reasoning_content":
            compat["requiresReasoningContentOnAssistantMessages"] = True
    if efforts := [option["values"] for option in model.get("reasoning_options", []) if option["type"] == "effort"]:
        compat["supportedReasoningEfforts"] = efforts[0]
        if known.get("thinkingFormat") in SWITCHES:
            compat["supportsReasoningEffort"] = True
    elif (
        model["reasoning"]
        and api == "openai-completions"
        and "thinkingFormat" not in known
        and "reasoning_options" in model
    ):
        compat["supportsReasoningEffort"] = False
    return compat


def matches(name: str, globs: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs.split())


def render(row: dict[str, Any], table: str = "models") -> str:
    return "\n".join([f"[[{table}]]", *(f"{key} = {literal(value)}" for key, value in row.items())])


def literal(value: Any) -> str:
    """Return a value as TOML; a decimal keeps its digits, `10.0` is 10."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{PRICE.plus(value).normalize():f}"
        case dict():
            return "{ " + ", ".join(f"{key} = {literal(item)}" for key, item in value.items()) + " }"
        case list():
            return "[" + ", ".join(literal(item) for item in value) + "]"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


if __name__ == "__main__":
    main(sys.argv[1])
