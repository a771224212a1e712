"""Codex (developers.openai.com/codex/config-reference, read 2026-11-21): `config.toml`, its profiles, and `auth.json`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from urllib.parse import urlencode

from jackfield.config.node import Node, Source
from jackfield.imports.draft import Draft
from jackfield.imports.found import Imported, Known
from jackfield.imports.logins import add_codex_login

# What a Codex config calls the account that is signed in.
SIGNED_IN = frozenset({"", "openai"})
APIS = {"chat": "openai-completions", "responses": "openai-responses", "": "openai-responses"}


def parse_codex(files: Sequence[Source], known: Known) -> Imported:
    """Return the providers, the model and the credentials of Codex; each of its profiles is an alias."""
    draft = Draft("codex", known)
    trees = {PurePath(file.name).name: draft.open(file) for file in files}
    auth = trees.pop("auth.json", None)
    if auth:
        add_codex_login(draft, auth)
        if (key := auth.find(("OPENAI_API_KEY",))) is not None:
            draft.add_key("openai", draft.text(key), key)
    # A file that the user names alone is the config, whatever its name.
    only = next(iter(trees)) if len(trees) == 1 else "config.toml"
    config = trees.pop(only, None)
    primary = ""
    if config:
        for name, row in draft.members(config, "model_providers").items():
            _add_provider(draft, name, row)
        signed_in = bool(draft.credentials) and all(each.is_login for each in draft.credentials)
        usual = "openai-codex" if signed_in else "openai"
        primary = _find_ref(draft, config, draft.text(config, "model_provider"), usual)
        for name, profile in draft.members(config, "profiles").items():
            _add_alias(draft, name, profile, config, usual)
        for file, tree in trees.items():
            if tree is not None:
                _add_alias(draft, file.removesuffix(".config.toml"), tree, config, usual)
    return draft.finish(primary=primary)


def _add_provider(draft: Draft, name: str, row: Node) -> None:
    if draft.at(row, "object") is None:
        return
    query = {key: draft.text(each) for key, each in draft.members(row, "query_params").items()}
    url = draft.text(row, "base_url")
    api = APIS.get(draft.text(row, "wire_api"), "openai-responses")
    provider = draft.place(name, f"{url.rstrip('/')}?{urlencode(query)}" if url and query else url, api, row)
    if not provider:
        return
    title = draft.text(row, "name")
    if title and provider in draft.providers:
        draft.providers[provider].setdefault("name", title)
    if variable := draft.text(row, "env_key"):
        draft.add_key(provider, f"${{{variable}}}", row)
    if token := draft.text(row, "experimental_bearer_token"):
        draft.add_key(provider, token, row)
    draft.add_headers(provider, draft.members(row, "http_headers"))
    for header, each in draft.members(row, "env_http_headers").items():
        draft.entry(provider).setdefault("headers", {})[header] = f"${{{draft.text(each)}}}"


def _add_alias(draft: Draft, name: str, profile: Node, config: Node, usual: str) -> None:
    provider = draft.text(profile, "model_provider") or draft.text(config, "model_provider")
    ref = _find_ref(draft, profile, provider, usual)
    if ref:
        draft.aliases[name] = ref


def _find_ref(draft: Draft, node: Node, provider: str, usual: str) -> str:
    """Return `provider/model` of a config or profile; a provider named openai is the one that is signed in."""
    model = draft.text(node, "model")
    builtin = provider.lower() in SIGNED_IN
    found = usual if builtin else draft.ours(provider)
    if model and not found:
        draft.leave(f"model {model}", f"its provider {provider} is not brought over", node.find(("model",)))
    if model and found:
        draft.add_model(found, {"id": model})
    return f"{found}/{model}" if model and found else ""
