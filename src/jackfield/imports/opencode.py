"""opencode (opencode.ai/docs/config, read 2026-11-21): `opencode.json(c)` and `auth.json`; Kilo's newer program has the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from jackfield.auth.record import LAST_MOMENT_MS
from jackfield.config.node import Node, Source
from jackfield.credential import Profile, Secret
from jackfield.imports.draft import Draft
from jackfield.imports.found import Imported, Known
from jackfield.message import JsonObject

# The SDK package an entry names → the wire it speaks.
APIS = {
    "@ai-sdk/openai-compatible": "openai-completions",
    "@ai-sdk/openai": "openai-responses",
    "@ai-sdk/anthropic": "anthropic-messages",
    "@ai-sdk/google": "google-generative-ai",
}
SIGNED_IN = {"openai": "openai-codex", "google": "google-gemini-cli"}  # who a sign-in at them is for, here
GITHUB = frozenset(
    {"github-copilot"}
)  # its sign-in is GitHub's own token, kept where others keep the one that refreshes


def parse_opencode(files: Sequence[Source], known: Known) -> Imported:
    """Return what opencode's config says, and the keys and sign-ins it stored."""
    draft = Draft("opencode", known)
    return draft.finish(primary=read_opencode(draft, files))


def read_opencode(draft: Draft, files: Sequence[Source]) -> str:
    """Put what such files say into a draft; return the default model."""
    trees = {file.name: draft.open(file) for file in files}
    stores = [root for name, root in trees.items() if PurePath(name).name == "auth.json"]
    primary = ""
    for root in (root for name, root in trees.items() if PurePath(name).name != "auth.json"):
        for name, entry in draft.members(root, "provider").items() if root else ():
            _add_provider(draft, name, entry)
        primary = (_find_ref(draft, root) if root else "") or primary
    for root in filter(None, stores):
        for name, entry in draft.members(root).items():
            _add_credential(draft, name, entry)
    return primary


def _add_provider(draft: Draft, name: str, entry: Node) -> None:
    if draft.at(entry, "object") is None:
        return
    url = draft.text(entry, "options", "baseURL") or draft.text(entry, "api")
    provider = draft.place(name, url, APIS.get(draft.text(entry, "npm"), ""), entry)
    if not provider:
        return
    title = draft.text(entry, "name")
    if title and provider in draft.providers:
        draft.providers[provider].setdefault("name", title)
    if provider in draft.providers:
        for id_, row in draft.members(entry, "models").items():
            draft.add_model(provider, _row(draft, id_, row))
    draft.add_headers(provider, draft.members(entry, "options", "headers"))
    key = entry.find(("options", "apiKey"))
    if key is not None:
        draft.add_key(provider, draft.text(key), key)
    elif variables := draft.items(entry, "env"):
        draft.add_key(provider, f"${{{draft.text(variables[0])}}}", variables[0])


def _row(draft: Draft, id_: str, row: Node) -> JsonObject:
    if draft.at(row, "object") is None:
        return {"id": id_}
    upstream = draft.text(row, "id")
    prices = {ours: _price(draft, row, theirs) for ours, theirs in (("input", "input"), ("output", "output"), ("cacheRead", "cache_read"), ("cacheWrite", "cache_write"))}  # fmt: skip
    takes = [text for each in draft.items(row, "modalities", "input") if (text := draft.text(each))]
    flags = {ours: _flag(row, theirs) for ours, theirs in (("reasoning", "reasoning"), ("tools", "tool_call"))}
    return {
        "id": id_,
        "upstream": upstream if upstream not in {"", id_} else None,
        "name": draft.text(row, "name") or None,
        "contextWindow": draft.count(row, "limit", "context"),
        "maxTokens": draft.count(row, "limit", "output"),
        "input": ["document" if each == "pdf" else each for each in takes] or (["text", "image"] if _flag(row, "attachment") else None),
        "cost": {name: price for name, price in prices.items() if price is not None} or None,
        **flags,
    }  # fmt: skip


def _price(draft: Draft, row: Node, name: str) -> float | int | None:
    return draft.count(row, "cost", name)


def _flag(row: Node, name: str) -> bool | None:
    found = row.find((name,))
    return found.value if found is not None and found.kind == "boolean" else None


def _find_ref(draft: Draft, root: Node) -> str:
    said = draft.text(root, "model")
    name, _, model = said.partition("/")
    provider = draft.ours(name)
    if said and not (provider and model):
        draft.leave(f"default model {said}", f"no provider {name} is known", root.find(("model",)))
        return ""
    return f"{provider}/{model}" if said else ""


def _add_credential(draft: Draft, name: str, entry: Node) -> None:
    if draft.at(entry, "object") is None:
        return
    provider = draft.ours(name)
    match draft.text(entry, "type"):
        case _ if not provider:
            draft.leave(f"credential {name}", "no provider of that name is known", entry)
        case "api":
            draft.add_key(provider, draft.text(entry, "key"), entry)
        case "oauth":
            _add_login(draft, SIGNED_IN.get(provider, provider), entry)
        case kind:
            draft.leave(f"credential {name}", f"a credential of the kind {kind!r} has no counterpart", entry)


def _add_login(draft: Draft, provider: str, entry: Node) -> None:
    names = ("accountId", "enterpriseUrl", "projectId")
    details = {each: text for each in names if (text := draft.text(entry, each))}
    access, refresh = draft.text(entry, "access"), draft.text(entry, "refresh")
    ends_ms = int(draft.count(entry, "expires") or 0)
    token = refresh or access
    if not token:
        draft.leave(f"login of {provider}", "it holds no token", entry)
    elif provider in GITHUB:
        draft.add(
            Profile(id=f"{provider}:github", provider=provider, type="token", secret=Secret(token), details=details),
            entry,
        )
    else:
        draft.add(
            Profile(
                id=f"{provider}:{draft.tool}",
                provider=provider,
                type="oauth",
                secret=Secret(access),
                refresh=Secret(refresh) if refresh else None,
                expires_ms=ends_ms if 0 < ends_ms <= LAST_MOMENT_MS else 1,
                details=details,
            ),
            entry,
        )
