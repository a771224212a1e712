"""Kilo Code (kilo.ai/docs, read 2026-11-21): exported settings, the older program's config, the newer one's `kilo.json`.

Inside VS Code the profiles lie in the editor's keyring, where no file shows them; Kilo's own
export of its settings does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from jackfield.config.node import Node, Source
from jackfield.imports.draft import Draft
from jackfield.imports.found import Imported, Known
from jackfield.imports.opencode import read_opencode
from jackfield.message import JsonObject

DEFAULT_WINDOW = 128_000  # what Kilo takes where a profile says nothing; ours is another
OWN_SERVER = "openai"  # Kilo's word for any server that speaks OpenAI's protocol


class Names(Struct, frozen=True):
    """What a profile's fields are called for one kind of provider."""

    provider: str
    key: str = ""
    url: str = ""
    model: str = "apiModelId"


# `apiProvider` → its fields.
PROVIDERS = {
    "anthropic": Names("anthropic", "apiKey", "anthropicBaseUrl"),
    "cerebras": Names("cerebras", "cerebrasApiKey"),
    "chutes": Names("chutes", "chutesApiKey"),
    "deepinfra": Names("deepinfra", "deepInfraApiKey", "", "deepInfraModelId"),
    "deepseek": Names("deepseek", "deepSeekApiKey", "deepSeekBaseUrl"),
    "fireworks": Names("fireworks", "fireworksApiKey"),
    "gemini": Names("google", "geminiApiKey", "googleGeminiBaseUrl"),
    "groq": Names("groq", "groqApiKey"),
    "huggingface": Names("huggingface", "huggingFaceApiKey", "", "huggingFaceModelId"),
    "kilocode": Names("kilocode", "kilocodeToken", "", "kilocodeModel"),
    "litellm": Names("litellm", "litellmApiKey", "litellmBaseUrl", "litellmModelId"),
    "lmstudio": Names("lmstudio", "", "lmStudioBaseUrl", "lmStudioModelId"),
    "minimax": Names("minimax", "minimaxApiKey", "minimaxBaseUrl"),
    "mistral": Names("mistral", "mistralApiKey"),
    "moonshot": Names("moonshot", "moonshotApiKey", "moonshotBaseUrl"),
    "nano-gpt": Names("nano-gpt", "nanoGptApiKey", "", "nanoGptModelId"),
    "ollama": Names("ollama", "ollamaApiKey", "ollamaBaseUrl", "ollamaModelId"),
    OWN_SERVER: Names("", "openAiApiKey", "openAiBaseUrl", "openAiModelId"),
    "openai-native": Names("openai", "openAiNativeApiKey", "openAiNativeBaseUrl"),
    "openrouter": Names("openrouter", "openRouterApiKey", "openRouterBaseUrl", "openRouterModelId"),
    "requesty": Names("requesty", "requestyApiKey", "requestyBaseUrl", "requestyModelId"),
    "sambanova": Names("sambanova", "sambaNovaApiKey"),
    "synthetic": Names("synthetic", "syntheticApiKey"),
    "vercel-ai-gateway": Names("vercel-ai-gateway", "vercelAiGatewayApiKey", "", "vercelAiGatewayModelId"),
    "xai": Names("xai", "xaiApiKey"),
    "zai": Names("zai", "zaiApiKey"),
}


def parse_kilo(files: Sequence[Source], known: Known) -> Imported:
    """Return Kilo's profiles: the current one is the default model, each is an alias under its name."""
    draft = Draft("kilo", known)
    newer: list[Source] = []
    primary = ""
    for file in files:
        # The kinds of file differ in what they hold; their names a user may have changed.
        if '"providerProfiles"' not in file.text and '"providers"' not in file.text:
            newer.append(file)
        elif root := draft.open(file):
            current, profiles = _find_profiles(draft, root)
            refs = {name: _add_profile(draft, name, node) for name, node in profiles.items()}
            draft.aliases |= {
                name.strip().replace(" ", "-"): ref for name, ref in refs.items() if ref and name not in {"default", ""}
            }
            primary = refs.get(current, "") or primary
    return draft.finish(primary=read_opencode(draft, newer) or primary)


def _find_profiles(draft: Draft, root: Node) -> tuple[str, Mapping[str, Node]]:
    """Return the current profile's name and all profiles, of an export or of the older program's config."""
    if root.find(("providerProfiles",)) is not None:
        return draft.text(root, "providerProfiles", "currentApiConfigName"), draft.members(
            root, "providerProfiles", "apiConfigs"
        )
    rows = {
        draft.text(row, "id") or f"profile-{number}": row for number, row in enumerate(draft.objects(root, "providers"))
    }
    return draft.text(root, "provider"), rows


def _add_profile(draft: Draft, name: str, node: Node) -> str:
    """Add one profile; return its model as `provider/model`."""
    if draft.at(node, "object") is None:
        return ""
    kind = draft.text(node, "apiProvider") or draft.text(node, "provider")
    names = PROVIDERS.get(kind)
    if names is None:
        draft.leave(f"profile {name}", f"providers of the kind {kind!r} are not brought over", node)
        return ""
    url = draft.text(node, names.url) if names.url else ""
    if not names.provider and not url:
        draft.leave(f"profile {name}", "it names no base URL", node)
        return ""
    provider = draft.place(names.provider or (name if name.lower() not in draft.known.ids else ""), url, node=node)
    model = draft.text(node, names.model)
    if not provider:
        return ""
    if model:
        draft.add_model(provider, _row(draft, model, node) if provider in draft.providers else {})
    draft.add_headers(provider, draft.members(node, "openAiHeaders"))
    if names.key and (key := node.find((names.key,))) is not None:
        draft.add_key(provider, draft.text(key), key)
    return f"{provider}/{model}" if model else ""


def _row(draft: Draft, model: str, node: Node) -> JsonObject:
    """Return a model's row with what Kilo takes for granted said in words."""
    info = draft.at(node, "object", "openAiCustomModelInfo")
    if info is None:
        return {"id": model, "contextWindow": DEFAULT_WINDOW, "input": ["text", "image"]}
    pictures = info.find(("supportsImages",))
    computer = info.find(("supportsComputerUse",))
    fields = (
        ("input", "inputPrice"),
        ("output", "outputPrice"),
        ("cacheRead", "cacheReadsPrice"),
        ("cacheWrite", "cacheWritesPrice"),
    )
    prices = {ours: price for ours, theirs in fields if (price := draft.count(info, theirs)) is not None}
    return {
        "id": model,
        "contextWindow": draft.count(info, "contextWindow") or DEFAULT_WINDOW,
        "maxTokens": draft.count(info, "maxTokens"),
        "input": ["text"] if pictures is not None and pictures.value is False else ["text", "image"],
        "cost": prices or None,
        "computerUse": True if computer is not None and computer.value is True else None,
    }
