"""The shipped rows: what the product's pages promise of them."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import asdict

from jackfield.catalog.index import load_index, parse_info, parse_rows
from jackfield.model import Cost, ModelRef

SEED = Path(__file__).parents[3] / "shared" / "spec" / "catalog-seed.json"
INFOS = {name: parse_info(entry) for name, entry in load_index().providers.items()}
ROWS = {name: {row.id: row for row in parse_rows(entry)} for name, entry in load_index().providers.items()}

# The ids and flags of `onboard --auth-choice`, older names included.
CHOICE_IDS = """
setup-token token chutes openai-codex openai-api-key openrouter-api-key ai-gateway-api-key moonshot-api-key
kimi-code-api-key synthetic-api-key venice-api-key gemini-api-key zai-api-key xiaomi-api-key apiKey minimax-api
minimax-api-lightning minimax-portal opencode-zen qwen-portal github-copilot copilot-proxy google-antigravity
google-gemini-cli oauth claude-cli codex-cli minimax-cloud minimax openai cerebras-api-key mistral-api-key xai-oauth
xai-api-key groq-api-key ollama lmstudio vllm sglang litellm-api-key custom-api-key moonshot-api-key-cn
zai-coding-global zai-coding-cn zai-global zai-cn minimax-global-oauth minimax-cn-oauth minimax-global-api
minimax-cn-api opencode-go cloudflare-ai-gateway-api-key
"""
FLAG_NAMES = """
--anthropic-api-key --openai-api-key --openrouter-api-key --ai-gateway-api-key --moonshot-api-key --kimi-code-api-key
--gemini-api-key --zai-api-key --xiaomi-api-key --minimax-api-key --synthetic-api-key --venice-api-key
--opencode-zen-api-key --cerebras-api-key --mistral-api-key --groq-api-key --xai-api-key --litellm-api-key
--lmstudio-api-key --custom-api-key --llama-server-api-key --opencode-go-api-key --cloudflare-ai-gateway-api-key
"""


def test_the_catalog_is_wide() -> None:
    assert len(INFOS) >= 75
    assert sum(map(len, ROWS.values())) >= 2_500


@pytest.mark.parametrize("choice", CHOICE_IDS.split())
def test_every_choice_of_the_wizard_belongs_to_one_provider(choice: str) -> None:
    owners = [info.id for info in INFOS.values() for method in info.auth if choice in (method.choice, *method.aliases)]
    assert len(owners) == 1


@pytest.mark.parametrize("flag", FLAG_NAMES.split())
def test_every_key_flag_belongs_to_one_choice(flag: str) -> None:
    assert [method.flag for info in INFOS.values() for method in info.auth].count(flag) == 1


def test_choices_and_flags_are_never_shared() -> None:
    methods = [method for info in INFOS.values() for method in info.auth]
    choices = [name for method in methods for name in (method.choice, *method.aliases)]
    flags = [method.flag for method in methods if method.flag]
    assert len(set(choices)) == len(choices)
    assert len(set(flags)) == len(flags)


def test_every_provider_says_where_its_facts_come_from_and_when() -> None:
    assert [info.id for info in INFOS.values() if not re.search(r"\d{4}[-.]\d{1,2}", info.source)] == []


def test_every_provider_but_the_custom_one_has_an_address_and_a_way_in() -> None:
    assert [info.id for info in INFOS.values() if not info.base_url or not info.auth] == ["custom"]


def test_prices_keep_the_digits_of_their_source() -> None:
    assert ROWS["openai"]["gpt-5.2"].cost == Cost(Decimal("1.75"), Decimal(14), Decimal("0.175"))
    long = [
        (provider, row.id)
        for provider, rows in ROWS.items()
        for row in rows.values()
        if row.cost is not UNSET
        for price in asdict(row.cost).values()
        if isinstance(price, Decimal) and len(str(price)) > 14
    ]
    assert long == []


def test_a_model_without_a_known_price_is_not_called_free() -> None:
    assert ROWS["google-antigravity"]["claude-opus-4-5-thinking"].cost is UNSET


def test_privacy_is_told_of_every_venice_model() -> None:
    levels = [row.privacy for row in ROWS["venice"].values()]
    assert (levels.count("private"), levels.count("anonymized")) == (15, 10)


@pytest.mark.parametrize(
    ("ref", "api"),
    [
        ("opencode/claude-opus-4-5", "anthropic-messages"),
        ("opencode/gpt-5.2", "openai-responses"),
        ("opencode/gemini-3-pro", "google-generative-ai"),
        ("opencode/kimi-k2", "openai-completions"),
        ("openai/gpt-5.2", "openai-responses"),
        ("cohere/command-a-03-2025", "cohere"),
        ("ollama-cloud/gpt-oss:120b", "openai-completions"),
        ("xai/grok-4.3", "openai-completions"),
        ("openai/gpt-5.2-codex", "openai-responses"),
        ("openai/o1-pro", "openai-responses"),
        ("github-copilot/claude-sonnet-4.5", "openai-completions"),
        ("github-copilot/gpt-5.2-codex", "openai-responses"),
        ("vercel-ai-gateway/anthropic/claude-opus-4.5", "anthropic-messages"),
    ],
)
def test_each_model_names_the_wire_it_speaks(ref: str, api: str) -> None:
    parsed = ModelRef.parse(ref)
    assert parsed is not None
    row = ROWS[parsed.provider][parsed.model]
    assert (INFOS[parsed.provider].api if row.api is UNSET else row.api) == api


def test_pseudo_ids_name_their_model_and_its_effort() -> None:
    rows = ROWS["openai"]
    assert [(rows[name].upstream, rows[name].effort) for name in ("o3-mini-high", "o3-mini-low")] == [
        ("o3-mini", "high"),
        ("o3-mini", "low"),
    ]


@pytest.mark.skipif(not SEED.exists(), reason="the product's tables are not here")
@pytest.mark.parametrize("provider", ["synthetic", "venice"])
def test_the_tables_of_the_pages_are_shipped_as_they_stand(provider: str) -> None:
    table = json.loads(SEED.read_text(encoding="utf-8"))["providers"][provider]
    for row in (*table["models"], *table.get("legacyModels", ())):
        ours = ROWS[provider][row["id"]]
        said = (ours.name, ours.reasoning, ours.input, ours.context_window, ours.max_tokens)
        assert said == (row["name"], row["reasoning"], tuple(row["input"]), row["contextWindow"], row["maxTokens"])
        assert ours.cost == Cost(Decimal(0), Decimal(0), Decimal(0), Decimal(0))
        assert row.get("privacy", UNSET) == ours.privacy
    assert INFOS[provider].default_model == table["defaultModel"].partition("/")[2]


def test_no_provider_is_told_that_another_program_speaks() -> None:
    said = [(name.lower(), str(value)) for info in INFOS.values() for name, value in info.headers.items()]
    told = [(name, value) for name, value in said if name.startswith(("user-agent", "editor", "x-client"))]
    assert [pair for pair in told if not pair[1].startswith("jackfield/")] == []
    assert "copilot-integration-id" not in dict(said)
