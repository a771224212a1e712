"""What a user sees of the catalog, with a config over it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from jackfield.catalog import defaults
from jackfield.catalog.load import Catalog, is_local
from jackfield.config.paths import locate
from jackfield.config.schema import Config, MissingVar, ProviderConfig
from jackfield.credential import Secret
from jackfield.model import Compat, Cost, Model, ModelRef

FREE = Cost(Decimal(0), Decimal(0), Decimal(0), Decimal(0))


def catalog(*providers: ProviderConfig, **rest: Any) -> Catalog:
    paths = locate({"HOME": str(Path("/nowhere"))})
    return Catalog(Config(paths=paths, providers={each.id: each for each in providers}, **rest))


def entry(name: str, **fields: Any) -> ProviderConfig:
    return ProviderConfig(id=name, **fields)


# -- names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelling", "provider"),
    [
        ("z.ai", "zai"), ("z-ai", "zai"), ("Z.AI", "zai"), ("opencode-zen", "opencode"), ("qwen", "qwen-portal"),
        ("kimi-coding", "kimi-code"), ("kimi", "kimi-code"), ("antigravity", "google-antigravity"),
        ("gemini-cli", "google-gemini-cli"), ("codex", "openai-codex"), (" OpenAI ", "openai"),
    ],
)  # fmt: skip
def test_a_provider_answers_to_its_other_names(spelling: str, provider: str) -> None:
    info = catalog().provider(spelling)
    assert info is not None
    assert info.id == provider


def test_an_unknown_provider_is_none() -> None:
    assert catalog().provider("nobody") is None
    assert catalog().models("nobody") == ()


def test_an_entry_without_an_address_under_an_unknown_id_is_no_provider() -> None:
    cat = catalog(entry("vencie", headers={"x": Secret("y")}))
    assert cat.provider("vencie") is None
    assert "venice/qwen3-4b" in cat.near("vencie/qwen3-4b")


@pytest.mark.parametrize(("key", "known"), [("baseUrl", True), ("endpoint", True), ("apiKey", False)])
def test_an_address_that_waits_for_a_variable_is_an_address(key: str, known: bool) -> None:
    missing = (MissingVar("BOX_HOST", f"models.providers.box.{key}", "jackfield.json:3"),)
    assert (catalog(entry("box", missing=missing)).provider("box") is not None) is known


def test_a_literal_entry_of_the_config_beats_an_alias() -> None:
    own = catalog(entry("kimi", base_url="https://kimi.example/v1"))
    info = own.provider("kimi")
    assert info is not None
    assert (info.id, info.base_url, info.env) == ("kimi", "https://kimi.example/v1", ())


def test_an_entry_under_an_alias_without_an_address_means_the_provider() -> None:
    cat = catalog(entry("z.ai", headers={"x-team": Secret("a")}))
    infos = [cat.provider(name) for name in ("z.ai", "zai")]
    assert [info and (info.base_url, dict(info.headers)) for info in infos] == [
        ("https://api.z.ai/api/coding/paas/v4", {"x-team": Secret("a")})
    ] * 2
    assert cat.find("z.ai", "glm-4.7") is not None


@pytest.mark.parametrize(
    ("ref", "provider", "wire"),
    [
        ("openrouter/deepseek/deepseek-x", "openrouter", "deepseek/deepseek-x"),
        ("openrouter/auto", "openrouter", "openrouter/auto"),
        ("openrouter/openrouter/auto", "openrouter", "openrouter/auto"),
        ("openrouter/anthropic/claude-sonnet-4-5", "openrouter", "anthropic/claude-sonnet-4.5"),
        ("synthetic/hf:a/b", "synthetic", "hf:a/b"),
        ("cf-ai/@cf/openai/g", "cf-ai", "@cf/openai/g"),
        ("nvidia/nvidia/n", "nvidia", "nvidia/n"),
        ("ollama/llama3.3:70b", "ollama", "llama3.3:70b"),
        ("anthropic/opus-4.5", "anthropic", "claude-opus-4-5"),
        ("anthropic/claude-opus-4.5", "anthropic", "claude-opus-4-5"),
        ("google/gemini-3-pro", "google", "gemini-3-pro-preview"),
        ("minimax/minimax-m2.1", "minimax", "MiniMax-M2.1"),
        ("openai/o3-mini-high", "openai", "o3-mini"),
        ("lmstudio/minimax-m2.1-gs32", "lmstudio", "minimax-m2.1-gs32"),
    ],
)
def test_a_nested_id_reaches_its_own_provider_unchanged(ref: str, provider: str, wire: str) -> None:
    cat = catalog(entry("cf-ai", base_url="https://cf.example/v1"))
    parsed = ModelRef.parse(ref)
    assert parsed is not None
    info = cat.provider(parsed.provider)
    assert info is not None
    assert (info.id, defaults.wire_id(cat.model(parsed.provider, parsed.model))) == (provider, wire)


@given(st.text("abcXYZ0189/:@._-", min_size=1))
def test_an_unknown_id_goes_out_as_it_was_written(name: str) -> None:
    cat = catalog(entry("mine", base_url="https://mine.example/v1"))
    assert defaults.wire_id(cat.model("mine", name)) == name


def test_every_shipped_row_is_found_by_its_own_id() -> None:
    cat = catalog()
    lost = [(name, row.id) for name in cat.provider_ids() for row in cat.models(name) if cat.model(name, row.id) != row]
    assert lost == []


# -- the config over the catalog ---------------------------------------------------


def test_naming_one_model_keeps_the_others() -> None:
    rows = catalog(entry("venice", models=(Model(id="llama-3.3-70b", name="Mine"), Model(id="new")))).models("venice")
    assert [row.id for row in rows[:2]] == ["llama-3.3-70b", "new"]
    assert len(rows) == 26
    assert (rows[0].name, rows[0].context_window, rows[0].privacy) == ("Mine", 131072, "private")


def test_replace_leaves_nothing_but_the_config() -> None:
    cat = catalog(entry("mine", base_url="https://mine.example/v1"), mode="replace")
    assert cat.provider_ids() == ("mine",)
    assert cat.provider("openai") is None


def test_a_row_only_the_config_knows_gets_the_contracts_defaults_and_keeps_its_silence() -> None:
    cat = catalog(entry("mine", base_url="https://mine.example/v1", models=(Model(id="m"),)))
    row = cat.model("mine", "m")
    assert (row.max_tokens, row.context_window) == (UNSET, UNSET)
    assert (defaults.max_tokens(row), defaults.context_window(row)) == (8192, 200_000)
    assert (defaults.inputs(row), defaults.reasons(row), defaults.name(row)) == (("text",), False, "m")
    assert defaults.cost(row) == FREE


def test_a_small_window_bounds_the_default_answer() -> None:
    assert defaults.max_tokens(Model(id="m", context_window=4096)) == 4096
    assert defaults.max_tokens(Model(id="m", max_tokens=-1)) == 8192


def test_partial_prices_of_the_config_are_filled_with_zeros_or_the_catalogs() -> None:
    cat = catalog(
        entry("mine", base_url="https://mine.example/v1", models=(Model(id="m", cost=Cost(input=Decimal(3))),)),
        entry("openai", models=(Model(id="gpt-4o", cost=Cost(input=Decimal(3))),)),
    )
    assert defaults.cost(cat.model("mine", "m")) == Cost(Decimal(3), Decimal(0), Decimal(0), Decimal(0))
    assert defaults.cost(cat.model("openai", "gpt-4o")) == Cost(Decimal(3), Decimal(10), Decimal("1.25"))


def test_prices_of_ones_own_have_only_the_tiers_they_name() -> None:
    known = defaults.cost(catalog().model("google", "gemini-2.5-pro"))
    own = Model(id="gemini-2.5-pro", cost=Cost(input=Decimal(1)))
    cost = defaults.cost(catalog(entry("google", models=(own,))).model("google", "gemini-2.5-pro"))
    assert known
    assert cost
    assert (len(known.tiers), cost.tiers, cost.input, cost.output) == (1, (), 1, known.output)


def test_the_price_of_a_passed_through_model_is_unknown_unless_it_runs_here() -> None:
    assert defaults.cost(catalog().model("openrouter", "some/new")) is None
    assert defaults.cost(catalog().model("ollama", "llama3.3")) == FREE


def test_only_the_address_of_a_known_provider_may_be_given() -> None:
    cat = catalog(entry("synthetic", base_url="https://new-api.synthetic.new/anthropic"))
    info = cat.provider("synthetic")
    assert info is not None
    assert (info.base_url, info.api, info.env) == (
        "https://new-api.synthetic.new/anthropic", "anthropic-messages", ("SYNTHETIC_API_KEY",)
    )  # fmt: skip
    assert len(cat.models("synthetic")) == 22


def test_a_custom_provider_at_a_known_address_inherits_its_rows() -> None:
    cat = catalog(
        entry("work", base_url="https://api.openai.com/v1"),
        entry("full", endpoint="https://api.openai.com/v1/chat/completions"),
    )
    for name in ("work", "full"):
        info = cat.provider(name)
        assert info is not None
        assert (info.id, info.env, info.compat.max_tokens_field) == (name, (), "max_completion_tokens")
        row = cat.model(name, "o3-mini-high")
        assert (row.upstream, row.effort) == ("o3-mini", "high")


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://opencode.ai/zen/go/v1", "opencode-go"),
        ("https://opencode.ai/zen/v1", "opencode"),
        ("https://opencode.ai/x", "none"),
    ],
)
def test_of_two_providers_at_one_host_the_address_decides(url: str, provider: str) -> None:
    cat = catalog(entry("mine", base_url=url))
    assert {row.id for row in cat.models("mine")} == {row.id for row in cat.models(provider)}


def test_an_id_that_may_mean_two_rows_means_neither() -> None:
    cat = catalog(entry("mine", base_url="https://mine.example/v1", models=(Model(id="a-1"), Model(id="a1"))))
    assert cat.model("mine", "A.1") == Model(id="A.1")


def test_a_proxy_under_a_vendors_name_is_spared_what_only_the_vendor_takes() -> None:
    moved = catalog(entry("openai", base_url="https://proxy.example/v1")).provider("openai")
    native = catalog(entry("openai", base_url="https://api.openai.com/v1")).provider("openai")
    assert moved is not None
    assert native is not None
    assert (moved.compat.supports_developer_role, native.compat.supports_developer_role) == (False, True)


def test_compat_of_the_config_is_laid_over_the_catalogs() -> None:
    cat = catalog(entry("mistral", compat=Compat(supports_tools=False)))
    info = cat.provider("mistral")
    assert info is not None
    assert (info.compat.supports_tools, info.compat.tool_call_id_format) == (False, "alnum9")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1234/v1", True), ("http://127.0.0.1:8000/v1", True), ("http://0.0.0.0:1/v1", True),
        ("http://[::1]:8080/v1", True), ("http://studio.local:1234/v1", True), ("https://api.example.com/v1", False),
        ("https://localhost.example.com/v1", False),
    ],
)  # fmt: skip
def test_a_local_address_needs_no_key(url: str, local: bool) -> None:
    info = catalog(entry("mine", base_url=url)).provider("mine")
    assert info is not None
    assert (info.local, info.key_optional, is_local(url)) == (local, local, local)


def test_an_address_is_filled_from_the_environment() -> None:
    cat = catalog(environ={"AWS_REGION": "eu-central-1"})
    infos = [cat.provider(name) for name in ("amazon-bedrock", "azure-openai")]
    assert [info and info.base_url for info in infos] == [
        "https://bedrock-runtime.eu-central-1.amazonaws.com",
        "https://${AZURE_RESOURCE_NAME}.openai.azure.com/openai/v1",
    ]


def test_a_models_own_address_is_filled_too_and_gives_way_to_the_users() -> None:
    plain = catalog(environ={"AWS_REGION": "eu-west-1"}).model("amazon-bedrock", "openai.gpt-5.4")
    moved = catalog(entry("amazon-bedrock", base_url="https://proxy.example")).model("amazon-bedrock", "openai.gpt-5.4")
    assert (plain.base_url, moved.base_url) == ("https://bedrock-mantle.eu-west-1.api.aws/openai/v1", UNSET)


# -- nearest names -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gpt4o", "openai/gpt-4o"),
        ("gpt4o", "openai/gpt-4o-mini"),
        ("venice/coder", "venice/qwen3-coder-480b-a35b-instruct"),
        ("opnai/gpt-4o", "openai/gpt-4o"),
        ("venice/llama-3.3-70", "venice/llama-3.3-70b"),
        ("venise/llama-3.3-70b", "venice/llama-3.3-70b"),
        ("openai/gpt4omini", "openai/gpt-4o-mini"),
        ("moonshoot/nothing-alike", "moonshot"),
        ("synthetc", "synthetic"),
    ],
)
def test_the_nearest_name_is_offered(typed: str, meant: str) -> None:
    assert meant in catalog().near(typed)


def test_nothing_is_offered_for_nonsense() -> None:
    assert catalog().near("qqqqqqqqqqqqqq/zzzzzzzzzzzzzzz") == ()


# -- the pages' own examples -------------------------------------------------------

SEED = Path(__file__).parents[3] / "shared" / "spec" / "catalog-seed.json"


@pytest.mark.skipif(not SEED.exists(), reason="the product's tables are not here")
def test_every_model_the_pages_name_has_a_row_or_runs_here() -> None:
    seed, cat = json.loads(SEED.read_text(encoding="utf-8")), catalog()
    named = [
        *seed["seedExampleRefs"],
        *seed["builtinAliases"].values(),
        *(row["ref"] for row in seed["builtinCatalogEssentials"]),
    ]
    tables = [f"{provider}/{row['id']}" for provider, table in seed["providers"].items() for row in table["models"]]
    lost = []
    for text in (*named, *(ref.replace("openai-native-kilo/", "openai/") for ref in tables)):
        ref = ModelRef.parse(text)
        info = cat.provider(ref.provider) if ref else None
        if not (ref and info and (info.local or cat.find(ref.provider, ref.model))):
            lost.append(text)
    assert lost == []


def test_an_address_that_is_none_is_not_read_here() -> None:
    broken = catalog(entry("box", base_url="http://[::1/v1"), entry("openai", base_url="http://[::1/v1"))

    assert broken.model("box", "m") == Model(id="m")
    assert broken.provider("openai")


def test_an_address_of_the_config_beats_a_built_in_request_url() -> None:
    moved = catalog(entry("perplexity", base_url="https://mirror.test/v1")).provider("perplexity")
    stays = catalog(entry("perplexity")).provider("perplexity")

    assert moved
    assert (moved.base_url, moved.endpoint) == ("https://mirror.test/v1", "")
    assert stays
    assert stays.endpoint == "https://api.perplexity.ai/chat/completions"


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        (
            {"GOOGLE_CLOUD_LOCATION": "us-east5", "GCLOUD_PROJECT": "p"},
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/google",
        ),
        (
            {"GOOGLE_CLOUD_LOCATION": "global", "GOOGLE_CLOUD_PROJECT": "p", "GCLOUD_PROJECT": "q"},
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google",
        ),
    ],
)
def test_an_address_of_several_variables_is_filled(environ: dict[str, str], url: str) -> None:
    info = catalog(environ=environ).provider("google-vertex")
    assert info is not None
    assert info.base_url == url
