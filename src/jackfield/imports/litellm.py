"""LiteLLM's proxy (docs.litellm.ai/docs/proxy/config_settings, read 2026-11-21): `config.yaml`.

A model name with one deployment becomes an alias, one with several or with fallbacks a route
whose candidates are tried in the file's order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from jackfield.config.node import Node, Source
from jackfield.imports.draft import Draft
from jackfield.imports.found import Imported, Known
from jackfield.imports.names import family_of
from jackfield.message import JsonObject

READ = frozenset({"model", "api_base", "base_url", "api_key", "api_version", "custom_llm_provider", "extra_headers", "litellm_credential_name", "input_cost_per_token", "output_cost_per_token"})  # fmt: skip
APIS = {"anthropic": "anthropic-messages", "gemini": "google-generative-ai", "cohere": "cohere", "cohere_chat": "cohere", "ollama": "ollama", "ollama_chat": "ollama"}  # fmt: skip
INFIXES = ("converse/", "invoke/", "responses/")  # of a model's name, for LiteLLM's own choice of endpoint
AZURE = frozenset({"azure"})
MILLION = 1_000_000


def parse_litellm(files: Sequence[Source], known: Known) -> Imported:
    """Return the deployments, names, fallbacks and keys of LiteLLM's configs."""
    draft = Draft("litellm", known)
    fallbacks: list[str] = []
    for file in files:
        if root := draft.open(file):
            fallbacks += _Reading(draft, root).read()
    return draft.finish(fallbacks=tuple(dict.fromkeys(fallbacks)))


class _Reading:
    """One config file: its variables and credentials stand beside the models that use them."""

    def __init__(self, draft: Draft, root: Node) -> None:
        self.draft = draft
        self.root = root
        self.variables = draft.members(root, "environment_variables")
        self.stored = {draft.text(each, "credential_name"): each for each in draft.objects(root, "credential_list")}
        self.groups: dict[str, list[str]] = {}  # name → refs
        self.unread: Counter[str] = Counter()

    def read(self) -> list[str]:
        """Put everything into the draft; return the fallbacks of all models."""
        draft, root = self.draft, self.root
        for row in draft.objects(root, "model_list"):
            self.add_deployment(row)
        self.add_names()
        for path in (("general_settings", "master_key"), ("include",)):
            if (node := root.find(path)) is not None:
                draft.leave(
                    ".".join(path), "import an included file by its own path; keys for callers: gateway.auth", node
                )
        if self.unread:
            names = ", ".join(f"{name} ({count})" for name, count in sorted(self.unread.items()))
            draft.leave("settings of deployments", f"no such setting here: {names}", root)
        default = [draft.text(each) for each in draft.items(root, "litellm_settings", "default_fallbacks")]
        return [ref for name in default for ref in self.groups.get(name, [])]

    # -- deployments -----------------------------------------------------------------

    def add_deployment(self, row: Node) -> None:
        draft = self.draft
        name, params = draft.text(row, "model_name"), draft.at(row, "object", "litellm_params")
        mode = draft.text(row, "model_info", "mode")
        if params is None or not draft.text(params, "model"):
            draft.leave(f"model {name}", "its litellm_params name no model", row)
        elif mode not in {"", "chat", "responses"}:
            draft.leave(f"model {name}", f"only models that hold a conversation are brought over, not {mode}", row)
        elif found := self.place(params):
            provider, model = found
            self.unread.update(key for key in params.value if key not in READ)
            self.add_key(provider, params)
            draft.add_headers(provider, draft.members(params, "extra_headers"))
            if "*" in model:
                return
            if provider in draft.providers:
                draft.add_model(provider, self.row(model, params, row))
            refs = self.groups.setdefault(name or model, [])
            refs.extend(each for each in [f"{provider}/{model}"] if each not in refs)

    def place(self, params: Node) -> tuple[str, str] | None:
        """Return our provider and the model's id there."""
        draft = self.draft
        model, stored = draft.text(params, "model"), self.credential(params)
        start, slash, rest = model.partition("/")
        kind = draft.text(params, "custom_llm_provider") or (
            draft.text(stored, "credential_info", "custom_llm_provider") if stored else ""
        )
        if not kind and slash and (draft.ours(start) or start in {"openai", "custom_openai"}):
            kind, model = start, rest
        elif kind and slash and start == kind:
            model = rest
        kind = kind or family_of(model)
        url = next(
            filter(
                None,
                (
                    draft.text(params, "api_base"),
                    draft.text(params, "base_url"),
                    draft.text(stored, "credential_values", "api_base") if stored else "",
                ),
            ),
            "",
        )
        if kind in AZURE and url and "/openai" not in url:
            url = f"{url.rstrip('/')}/openai/v1"
        provider = draft.place(
            kind or (start if slash else "openai" if url else model), url, APIS.get(kind, "") if url else "", params
        )
        for infix in INFIXES:
            model = model.removeprefix(infix)
        return (provider, model) if provider else None

    def credential(self, params: Node) -> Node | None:
        return self.stored.get(self.draft.text(params, "litellm_credential_name"))

    def add_key(self, provider: str, params: Node) -> None:
        stored = self.credential(params)
        for node in (params.find(("api_key",)), stored.find(("credential_values", "api_key")) if stored else None):
            if node is not None:
                said = self.draft.text(node)
                variable = self.variables.get(said.removeprefix("os.environ/"))
                self.draft.add_key(provider, self.draft.text(variable) if variable else said, variable or node)

    def row(self, model: str, params: Node, row: Node) -> JsonObject:
        draft = self.draft
        vision = row.find(("model_info", "supports_vision"))
        prices: JsonObject = {}
        for ours, theirs in (("input", "input_cost_per_token"), ("output", "output_cost_per_token")):
            price = draft.count(params, theirs) or draft.count(row, "model_info", theirs)
            if price is not None:
                prices[ours] = round(price * MILLION, 6)
        return {
            "id": model,
            "contextWindow": draft.count(row, "model_info", "max_input_tokens"),
            "maxTokens": draft.count(row, "model_info", "max_output_tokens"),
            "input": ["text", "image"] if vision is not None and vision.value is True else None,
            "cost": prices or None,
        }

    # -- names -------------------------------------------------------------------------

    def add_names(self) -> None:
        draft, after = self.draft, self.fallbacks()
        chains = {
            name: [*refs, *(ref for other in after.get(name, []) for ref in self.groups.get(other, []))]
            for name, refs in self.groups.items()
        }
        for alias, node in draft.members(self.root, "router_settings", "model_group_alias").items():
            target = draft.text(node) if node.kind == "string" else draft.text(node, "model")
            if target in chains:
                chains.setdefault(alias, chains[target])
            else:
                draft.leave(f"alias {alias}", f"there is no model {target}", node)
        for name, refs in chains.items():
            chain = list(dict.fromkeys(refs))
            if "/" in name and chain != [name]:
                draft.leave(f"name {name}", f"a name with a slash is provider/model here; use {chain[0]}")
            elif len(chain) > 1 and "/" not in name:
                draft.routes[name] = {"primary": chain[0], "fallbacks": chain[1:]}
            elif "/" not in name:
                draft.aliases[name] = chain[0]

    def fallbacks(self) -> Mapping[str, list[str]]:
        """Return which names LiteLLM tries after which."""
        found: dict[str, list[str]] = {}
        for section in ("litellm_settings", "router_settings"):
            for rule in self.draft.objects(self.root, section, "fallbacks"):
                for name, node in rule.value.items():
                    found.setdefault(name, []).extend(self.draft.text(each) for each in self.draft.items(node))
        return found
