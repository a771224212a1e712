"""Plans: which models a name means, in which order they are tried, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jackfield.catalog.load import Catalog
from jackfield.config.paths import Paths
from jackfield.config.schema import AllowList, Config, ProfileMeta, ProviderConfig, Route
from jackfield.errors import ConfigError, Error, InvalidRequest, ModelNotFound, NotAllowed
from jackfield.message import ChatRequest, ImageBlock, Message, TextBlock, ToolResult
from jackfield.model import Model, Timeouts
from jackfield.routing.chain import resolve_ref
from jackfield.routing.names import split_profile
from jackfield.routing.plan import Plan, plan

HOME = Path("/home/user/.jackfield")
PATHS = Paths(
    home=HOME,
    config=HOME / "jackfield.json",
    auth=HOME / "auth-profiles.json",
    cache=HOME / "cache",
    dotenv=HOME / ".env",
)
PICTURE = Message.user("what is this?", ImageBlock("image/png", "iVBORw=="))


def configure(**fields: Any) -> Config:
    return Config(paths=PATHS, environ={}, **fields)


def planned(model: str, config: Config | None = None, messages: tuple[Message, ...] = (), **options: Any) -> Plan:
    config = config or configure()
    return plan(ChatRequest(model=model, messages=messages), config, Catalog(config), **options)


def refs(made: Plan) -> list[str]:
    return [str(candidate.ref) for candidate in made.candidates]


def test_an_explicit_model_stands_alone_even_when_the_config_has_fallbacks() -> None:
    config = configure(primary="openai/gpt-5.2", fallbacks=("venice/llama-3.3-70b",))
    assert refs(planned("anthropic/claude-opus-4-5", config)) == ["anthropic/claude-opus-4-5"]


def test_the_default_brings_its_fallbacks_in_order_each_with_its_reason() -> None:
    config = configure(primary="openai/gpt-5.2", fallbacks=("venice/llama-3.3-70b", "openai/gpt-5.2"))
    made = planned("", config)
    assert refs(made) == ["openai/gpt-5.2", "venice/llama-3.3-70b"]
    assert [candidate.reason for candidate in made.candidates] == ["the config's primary", "the config's fallback"]
    assert made == planned("default", config)


def test_the_callers_fallbacks_follow_an_explicit_model() -> None:
    made = planned("openai/gpt-5.2", fallbacks=("venice/llama-3.3-70b",))
    assert refs(made) == ["openai/gpt-5.2", "venice/llama-3.3-70b"]


def test_a_route_and_an_alias_of_a_route_bring_their_own_fallbacks() -> None:
    route = Route(name="fast", primary="groq/llama-3.3-70b-versatile", fallbacks=("quick",))
    config = configure(routes={"fast": route}, aliases={"f": "fast", "quick": "venice/qwen3-4b"})
    assert refs(planned("fast", config)) == ["groq/llama-3.3-70b-versatile", "venice/qwen3-4b"]
    assert refs(planned("F", config)) == refs(planned("fast", config))


def test_an_alias_is_found_whatever_its_case_and_may_name_another() -> None:
    config = configure(aliases={"opus": "best", "best": "anthropic/claude-opus-4-5"})
    assert refs(planned("Opus", config)) == ["anthropic/claude-opus-4-5"]


def test_an_alias_that_leads_back_to_itself_is_an_error() -> None:
    with pytest.raises(ConfigError, match="leads back"):
        planned("a", configure(aliases={"a": "b", "b": "a"}))


def test_without_a_default_the_error_says_how_to_set_one() -> None:
    with pytest.raises(ConfigError) as caught:
        planned("")
    assert "jackfield models set" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("openrouter/deepseek/deepseek-r1", "openrouter/deepseek/deepseek-r1"),
        ("openrouter/auto", "openrouter/auto"),
        ("openrouter/openrouter/auto", "openrouter/auto"),  # the one row, whose wire id is openrouter/auto
        ("synthetic/hf:a/b", "synthetic/hf:a/b"),
        ("nvidia/nvidia/n", "nvidia/nvidia/n"),
        ("ollama/llama3.3:70b", "ollama/llama3.3:70b"),
        ("z.ai/glm-4.7", "zai/glm-4.7"),
        ("Venice/llama-3.3-70b", "venice/llama-3.3-70b"),
    ],
)
def test_a_reference_is_split_once_and_never_rerouted(text: str, ref: str) -> None:
    assert refs(planned(text)) == [ref]


def test_a_model_id_may_hold_an_at_sign() -> None:
    cf = ProviderConfig(id="cf-ai", base_url="https://cf.example/v1")
    config = configure(providers={"cf-ai": cf})
    made = planned("cf-ai/@cf/openai/g", config)
    assert refs(made) == ["cf-ai/@cf/openai/g"]
    assert made.candidates[0].model.id == "@cf/openai/g"


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("venice/m@venice:work", ("venice/m", "venice:work")),
        ("venice/m@other", ("venice/m", "other")),
        ("venice/m@stranger", ("venice/m@stranger", None)),
        ("cf/@cf/openai/g", ("cf/@cf/openai/g", None)),
        ("alias@x", ("alias@x", None)),
    ],
)
def test_a_profile_follows_the_last_at_sign_when_it_looks_like_one(text: str, split: tuple[str, str | None]) -> None:
    assert split_profile(text, ["other"]) == split


def test_a_pinned_profile_reaches_the_candidate() -> None:
    config = configure(auth_profiles={"venice:work": ProfileMeta("venice:work", "venice", "api_key")})
    assert planned("venice/llama-3.3-70b@venice:work", config).candidates[0].profile_id == "venice:work"
    assert planned("venice/llama-3.3-70b", config, profile_id="venice:home").candidates[0].profile_id == "venice:home"


def test_a_bare_id_is_found_where_only_one_configured_provider_has_it() -> None:
    box = ProviderConfig(id="box", base_url="http://127.0.0.1:1", models=(Model(id="mine"), Model(id="both")))
    tin = ProviderConfig(id="tin", base_url="http://127.0.0.1:2", models=(Model(id="both"),))
    config = configure(providers={"box": box, "tin": tin})
    assert refs(planned("mine", config)) == ["box/mine"]
    with pytest.raises(ModelNotFound) as caught:
        planned("both", config)
    assert "box/both" in caught.value.hint
    assert "tin/both" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "near"), [("vennice/llama-3.3-70b", "venice/llama-3.3-70b"), ("gpt-4o-minni", "gpt-4o-mini")]
)
def test_an_unknown_name_offers_the_nearest(text: str, near: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        planned(text)
    assert near in caught.value.hint


def test_an_unknown_model_of_a_known_provider_is_passed_on_with_a_warning() -> None:
    made = planned("venice/llama-3.3-70")
    assert refs(made) == ["venice/llama-3.3-70"]
    assert "venice/llama-3.3-70b" in made.warnings[0]


# -- allowlists --------------------------------------------------------------------

ALLOW = AllowList(("anthropic/claude-opus-4-5", "fast", "zai/*"), "agents.defaults.models (jackfield.json:12)")


@pytest.mark.parametrize("model", ["anthropic/claude-opus-4-5", "venice/qwen3-4b", "zai/glm-4.7", "z.ai/anything"])
def test_an_allowlist_admits_refs_aliases_and_wildcards(model: str) -> None:
    config = configure(allow=ALLOW, aliases={"fast": "venice/qwen3-4b"})
    assert planned(model, config)


@pytest.mark.parametrize(
    ("listed", "model"),
    [
        ("z.ai/glm-4.7", "zai/glm-4.7"),
        ("z-ai/*", "zai/glm-4.7"),
        ("openrouter/anthropic/claude-sonnet-4-5", "openrouter/anthropic/claude-sonnet-4-5"),
        ("openrouter/anthropic/claude-sonnet-4-5", "openrouter/anthropic/claude-sonnet-4.5"),
        ("openrouter/openrouter/auto", "openrouter/auto"),
        ("anthropic/opus-4.5", "anthropic/claude-opus-4-5"),
        ("ollama/llama3.3:70b", "ollama/llama3.3:70b"),
    ],
)
def test_an_allowlist_knows_a_model_under_any_of_its_names(listed: str, model: str) -> None:
    assert planned(model, configure(allow=AllowList((listed,), "the list")))


def test_an_allowlist_names_its_rule_its_place_and_its_members() -> None:
    with pytest.raises(NotAllowed) as caught:
        planned("openai/gpt-5.2", configure(allow=ALLOW, aliases={"fast": "venice/qwen3-4b"}))
    assert "agents.defaults.models (jackfield.json:12)" in caught.value.message
    assert "zai/*" in caught.value.hint


def test_an_allowlist_binds_what_the_caller_names_and_not_what_the_owner_configured() -> None:
    config = configure(allow=ALLOW, primary="openai/gpt-5.2", fallbacks=("venice/llama-3.3-70b",))
    assert refs(planned("", config)) == ["openai/gpt-5.2", "venice/llama-3.3-70b"]


def test_no_allowlist_admits_everything() -> None:
    assert planned("openai/gpt-5.2", configure(configured=()))


# -- pictures and privacy ----------------------------------------------------------


def box(**rows: tuple[str, ...]) -> dict[str, ProviderConfig]:
    models = tuple(Model(id=name, input=kinds) for name, kinds in rows.items())  # type: ignore[arg-type]  # plain text
    return {"box": ProviderConfig(id="box", base_url="http://127.0.0.1:1", models=(*models, Model(id="silent")))}


def test_pictures_go_to_the_image_model_when_the_model_takes_none() -> None:
    config = configure(providers=box(blind=("text",), eyes=("text", "image")), image_primary="box/eyes")
    made = planned("box/blind", config, (PICTURE,))
    assert refs(made) == ["box/eyes"]
    assert "box/blind takes no images" in made.candidates[0].reason


def test_pictures_of_earlier_turns_choose_no_other_model() -> None:
    config = configure(providers=box(blind=("text",), eyes=("text", "image")), image_primary="box/eyes")
    turns = (PICTURE, Message.assistant("A cat"), Message.user("Thanks"))
    assert refs(planned("box/blind", config, turns)) == ["box/blind"]


def test_pictures_stay_with_a_model_that_takes_them() -> None:
    config = configure(providers=box(eyes=("text", "image")), image_primary="openai/gpt-5.2")
    assert refs(planned("box/eyes", config, (PICTURE,))) == ["box/eyes"]


def test_a_picture_inside_a_tool_result_counts() -> None:
    config = configure(providers=box(blind=("text",)))
    turn = Message.user(ToolResult("t1", [TextBlock("see"), ImageBlock("image/png", "iVBORw==")]))
    with pytest.raises(InvalidRequest) as caught:
        planned("box/blind", config, (turn,))
    assert "models set-image" in caught.value.hint


def test_a_candidate_below_the_least_privacy_is_skipped_with_its_reason() -> None:
    config = configure(min_privacy="private", primary="venice/claude-opus-45", fallbacks=("venice/llama-3.3-70b",))
    made = planned("", config)
    assert refs(made) == ["venice/llama-3.3-70b"]
    assert [(skip.ref, skip.reason) for skip in made.skipped] == [
        ("venice/claude-opus-45", "its privacy is anonymized")
    ]


def test_when_nothing_is_private_enough_the_error_says_so() -> None:
    with pytest.raises(NotAllowed, match="minPrivacy"):
        planned("openai/gpt-5.2", configure(min_privacy="local"))


def test_resolve_ref_gives_the_first_model_a_name_means() -> None:
    config = configure(primary="best", aliases={"best": "anthropic/claude-opus-4-5"})
    assert str(resolve_ref("default", config, Catalog(config))[0]) == "anthropic/claude-opus-4-5"


def test_every_refusal_is_one_of_our_errors() -> None:
    for text in ("/", "a/", "/b", " ", "@", "a@b", "//", "é/ü", "a/b@", "x" * 5000):
        with pytest.raises(Error):
            planned(text)


def test_timers_come_from_the_narrowest_setting_that_says_one() -> None:
    box = ProviderConfig(
        id="box", base_url="http://127.0.0.1:1", models=(Model(id="m"),), timeouts=Timeouts(idle=7, total=70)
    )
    route = Route(name="quick", primary="box/m", timeouts=Timeouts(idle=1))
    config = configure(providers={"box": box}, routes={"quick": route}, timeout_s=600)
    direct, routed = planned("box/m", config).candidates[0], planned("quick", config).candidates[0]
    assert direct.info.timeouts == Timeouts(idle=7, total=70)
    assert routed.model.timeouts == Timeouts(idle=1)
    assert planned("openai/gpt-5.2", config).candidates[0].info.timeouts == Timeouts(total=600)


def test_a_route_that_leads_to_a_route_is_named() -> None:
    config = configure(routes={name: Route(name=name, primary=to) for name, to in (("a", "b"), ("b", "b"))})
    for name in config.routes:
        with pytest.raises(ConfigError, match=f"route '{name}' names the route 'b'"):
            planned(name, config)


def test_a_provider_without_a_model_is_told_what_is_missing() -> None:
    for text in ("openai", "openai/"):
        with pytest.raises(ModelNotFound) as caught:
            planned(text)
        assert caught.value.hint.startswith("openai is a provider; name a model of it, such as openai/gpt-5.2")


def test_a_wrong_fallback_of_the_config_is_skipped_with_its_reason() -> None:
    config = configure(primary="openai/gpt-5.2", fallbacks=("nobody/m", "venice/llama-3.3-70b"))
    made = planned("", config)
    assert refs(made) == ["openai/gpt-5.2", "venice/llama-3.3-70b"]
    assert made.skipped[0].ref == "nobody/m"
    assert "unknown provider" in made.skipped[0].reason
    assert "nobody/m is skipped" in made.warnings[0]


def test_a_wrong_fallback_of_the_caller_is_an_error() -> None:
    with pytest.raises(ModelNotFound, match="nobody"):
        planned("openai/gpt-5.2", fallbacks=("nobody/m",))


def test_the_allowlist_binds_the_callers_fallbacks_too() -> None:
    config = configure(allow=ALLOW, aliases={"fast": "venice/qwen3-4b"})
    assert planned("zai/glm-4.7", config, fallbacks=("fast",))
    with pytest.raises(NotAllowed, match=r"gpt-5\.2"):
        planned("zai/glm-4.7", config, fallbacks=("openai/gpt-5.2",))


def test_a_known_model_with_an_effort_in_its_name_raises_no_doubt() -> None:
    made = planned("openai/gpt-5.2-high")
    assert (refs(made), made.warnings) == (["openai/gpt-5.2-high"], ())
    assert (made.candidates[0].model.upstream, made.candidates[0].model.effort) == ("gpt-5.2", "high")
