"""Which credential wins, and what is said when none does."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from jackfield.auth.resolve import is_available, resolve, resolve_all, sources
from jackfield.auth.store import FileStore
from jackfield.config.paths import locate
from jackfield.config.schema import Config, ConfigSecret, MissingVar, ProfileMeta, ProviderConfig
from jackfield.credential import Profile, Secret, SecretRef
from jackfield.errors import AuthError, ConfigError, MissingKey
from jackfield.model import AuthMethod, ProviderInfo

NOW = 1_700_000_000_000
VENICE = ProviderInfo(
    id="venice",
    base_url="https://api.venice.ai/api/v1",
    env=("VENICE_API_KEY",),
    auth=(AuthMethod(choice="venice-api-key"),),
)
ZAI = replace(VENICE, id="zai", aliases=("z.ai", "z-ai"), env=("ZAI_API_KEY", "Z_AI_API_KEY"))
ANTHROPIC = replace(VENICE, id="anthropic", env=("ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"))


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "state" / "auth-profiles.json")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(paths=locate({"JACKFIELD_HOME": str(tmp_path / "state")}))


def add(store: FileStore, profile_id: str, key: str = "k", **more: object) -> None:
    fields = {
        "id": profile_id,
        "provider": profile_id.partition(":")[0],
        "type": "api_key",
        "secret": Secret(key),
        **more,
    }
    store.modify(profile_id, lambda _: Profile(**fields))


def with_entry(config: Config, key: str | None = "", **more: object) -> Config:
    secret = ConfigSecret(Secret(key), "config: models.providers.venice.apiKey") if key else None
    return replace(config, providers={"venice": ProviderConfig(id="venice", api_key=secret, **more)})


def with_environ(config: Config, **environ: str) -> Config:
    return replace(config, environ=environ)


def source_of(info, config, store) -> str:
    return resolve(info, config, store, NOW).source


def test_a_profile_beats_a_variable_and_a_variable_beats_the_config(store, config):
    config = with_entry(with_environ(config, VENICE_API_KEY="from-env"), "from-config")
    add(store, "venice:default", "from-profile")
    auths = resolve_all(VENICE, config, store, NOW)
    assert [auth.secret.reveal() for auth in auths] == ["from-profile", "from-env", "from-config"]
    assert [auth.source for auth in auths] == [
        "profile:venice:default",
        "env: VENICE_API_KEY",
        "config: models.providers.venice.apiKey",
    ]
    assert auths[0].profile_id == "venice:default"


def test_one_key_is_tried_once_however_many_variables_hold_it(store, config):
    config = with_environ(config, ZAI_API_KEY="same", Z_AI_API_KEY="same")
    assert len(resolve_all(ZAI, config, store, NOW)) == 1


def test_variables_are_tried_in_the_catalogs_order_after_the_rotation_list(store, config):
    config = with_environ(
        config, Z_AI_API_KEY="6", ZAI_API_KEY="5", ZAI_API_KEYS="2, 3;4", OPENCLAW_LIVE_ZAI_KEY="1", ZAI_API_KEY_1="7",
        ZAI_API_KEY_FILE="/no/key",
    )  # fmt: skip
    assert [auth.secret.reveal() for auth in resolve_all(ZAI, config, store, NOW)] == list("1234567")


def test_a_blank_variable_is_no_key(store, config):
    with pytest.raises(MissingKey):
        resolve(VENICE, with_environ(config, VENICE_API_KEY="  "), store, NOW)


def test_a_sign_in_token_in_a_variable_is_told_from_a_key(store, config):
    config = with_environ(config, ANTHROPIC_OAUTH_TOKEN="t", ANTHROPIC_API_KEY="k")
    assert [auth.type for auth in resolve_all(ANTHROPIC, config, store, NOW)] == ["oauth", "api_key"]


def test_nothing_found_names_the_provider_the_variable_and_the_command(store, config):
    with pytest.raises(MissingKey, match='no API key found for provider "venice"') as caught:
        resolve(VENICE, config, store, NOW)
    assert "VENICE_API_KEY" in caught.value.hint
    assert "jackfield models auth paste-api-key --provider venice" in caught.value.hint
    assert str(store.path) in caught.value.hint
    assert not is_available(VENICE, config, store, NOW)


def test_a_provider_with_only_a_sign_in_is_told_its_choice(store, config):
    info = ProviderInfo(id="openai-codex", auth=(AuthMethod(choice="openai-codex", kind="oauth"),))
    with pytest.raises(MissingKey) as caught:
        resolve(info, config, store, NOW)
    assert "onboard --auth-choice openai-codex" in caught.value.hint


def test_a_custom_provider_has_a_variable_of_its_own_name(store, config):
    info = ProviderInfo(id="my-proxy.v2", base_url="https://llm.example.com/v1")
    assert source_of(info, with_environ(config, MY_PROXY_V2_API_KEY="k"), store) == "env: MY_PROXY_V2_API_KEY"


@pytest.mark.parametrize(
    "info",
    [
        ProviderInfo(id="ollama", local=True),
        ProviderInfo(id="x", key_optional=True),
        ProviderInfo(id="x", base_url="http://localhost:1234/v1"),
        ProviderInfo(id="x", base_url="http://127.0.0.1:8000/v1"),
        ProviderInfo(id="x", base_url="http://[::1]:8000/v1"),
        ProviderInfo(id="x", base_url="http://192.168.1.7:8000/v1"),
        ProviderInfo(id="x", base_url="http://box.local/v1"),
    ],
    ids=lambda info: info.base_url or info.id,
)
def test_a_server_that_asks_for_no_key_gets_none(store, config, info):
    auth = resolve(info, config, store, NOW)
    assert (auth.secret, auth.source) == (None, "none")


@pytest.mark.parametrize("url", ["http://[::1", "", "https://localhost.example.com/v1", "http://8.8.8.8/v1"])
def test_a_server_elsewhere_is_not_called_without_a_key(store, config, url):
    with pytest.raises(MissingKey):
        resolve(ProviderInfo(id="x", base_url=url), config, store, NOW)


def test_a_local_server_still_gets_the_key_it_was_given(store, config):
    info = ProviderInfo(id="ollama", local=True, env=("OLLAMA_API_KEY",))
    auths = resolve_all(info, with_environ(config, OLLAMA_API_KEY="k"), store, NOW)
    assert [auth.source for auth in auths] == ["env: OLLAMA_API_KEY"]


# -- the config's key --------------------------------------------------------------


def test_the_configs_key_is_the_name_of_a_variable_when_that_is_set(store, config):
    named = with_entry(with_environ(config, MY_KEY="value"), "MY_KEY")
    assert resolve(VENICE, named, store, NOW).secret == Secret("value")
    assert resolve(VENICE, with_entry(config, "MY_KEY"), store, NOW).secret == Secret("MY_KEY")


@pytest.mark.parametrize("placeholder", ["qwen-oauth", "minimax-oauth"])
def test_a_placeholder_is_never_sent(store, config, placeholder):
    with pytest.raises(MissingKey):
        resolve(VENICE, with_entry(config, placeholder), store, NOW)


MISSING = MissingVar("VENICE_API_KEY", "models.providers.venice.apiKey", "jackfield.json:7")


def test_a_variable_the_key_needs_is_named_with_its_key_and_line(store, config):
    with pytest.raises(MissingKey, match=r"models\.providers\.venice\.apiKey \(jackfield\.json:7\): VENICE_API_KEY"):
        resolve(VENICE, with_entry(config, missing=(MISSING,)), store, NOW)


def test_a_variable_only_the_key_needs_is_harmless_when_a_profile_has_one(store, config):
    add(store, "venice:default", "k")
    assert source_of(VENICE, with_entry(config, missing=(MISSING,)), store) == "profile:venice:default"


def test_a_variable_the_address_needs_is_fatal_whatever_key_there_is(store, config):
    add(store, "venice:default", "k")
    missing = MissingVar("HOST", "models.providers.venice.baseUrl", "jackfield.json:3")
    with pytest.raises(ConfigError, match="HOST"):
        resolve(VENICE, with_entry(config, missing=(missing,)), store, NOW)


def test_a_local_server_whose_named_key_is_missing_is_not_called_without(store, config):
    with pytest.raises(MissingKey, match="VENICE_API_KEY is not set"):
        resolve(replace(VENICE, local=True), with_entry(config, missing=(MISSING,)), store, NOW)


# -- profiles ----------------------------------------------------------------------


def test_an_order_in_the_store_beats_the_configs_and_leaves_the_unlisted_out(store, config):
    for name in ("venice:a", "venice:b", "venice:c"):
        add(store, name, name)
    config = replace(config, auth_order={"venice": ("venice:c", "venice:gone", "venice:a")})
    assert [auth.profile_id for auth in resolve_all(VENICE, config, store, NOW)] == ["venice:c", "venice:a"]
    store.set_order("venice", ["venice:b"])
    assert [auth.profile_id for auth in resolve_all(VENICE, config, store, NOW)] == ["venice:b"]
    excluded = [
        source.label for source in sources(VENICE, config, store, NOW) if source.reason == "excluded_by_auth_order"
    ]
    assert excluded == ["profile:venice:a", "profile:venice:c"]


def test_an_empty_order_uses_no_profile_but_still_a_variable(store, config):
    add(store, "venice:a")
    store.set_order("venice", [])
    assert source_of(VENICE, with_environ(config, VENICE_API_KEY="k"), store) == "env: VENICE_API_KEY"


def test_without_an_order_a_sign_in_comes_before_a_token_and_a_token_before_a_key(store, config):
    add(store, "venice:key")
    add(store, "venice:token", type="token")
    add(store, "venice:oauth", type="oauth", expires_ms=NOW + 1)
    found = [auth.profile_id for auth in resolve_all(VENICE, config, store, NOW)]
    assert found == ["venice:oauth", "venice:token", "venice:key"]


def test_profiles_the_config_names_come_first_and_the_others_still_count(store, config):
    add(store, "venice:new")
    add(store, "venice:listed")
    config = replace(config, auth_profiles={"venice:listed": ProfileMeta("venice:listed", "venice", "api_key")})
    found = [auth.profile_id for auth in resolve_all(VENICE, config, store, NOW)]
    assert found == ["venice:listed", "venice:new"]


@pytest.mark.parametrize(
    ("mode", "stored", "used"),
    [("api_key", "api_key", True), ("oauth", "token", True), ("token", "oauth", False), ("api_key", "token", False)],
)
def test_a_profile_counts_only_in_the_mode_the_config_declares(store, config, mode, stored, used):
    add(store, "venice:a", type=stored)
    config = replace(config, auth_profiles={"venice:a": ProfileMeta("venice:a", "venice", mode)})
    assert is_available(VENICE, config, store, NOW) is used


@pytest.mark.parametrize("kind", ["token", "oauth"])
def test_an_expired_profile_is_passed_over_and_named_when_nothing_else_is_there(store, config, kind):
    add(store, "venice:old", type=kind, expires_ms=NOW)
    with pytest.raises(MissingKey, match=r"profile:venice:old \(expired\)"):
        resolve(VENICE, config, store, NOW)
    assert source_of(VENICE, with_environ(config, VENICE_API_KEY="k"), store) == "env: VENICE_API_KEY"


def test_a_profile_under_an_alias_belongs_to_the_provider(store, config):
    add(store, "z.ai:default")
    assert source_of(ZAI, config, store) == "profile:z.ai:default"


def test_a_profile_of_a_provider_the_user_configured_under_that_alias_does_not(store, config):
    add(store, "z.ai:default")
    config = replace(config, providers={"z.ai": ProviderConfig(id="z.ai", base_url="https://proxy.example/v1")})
    assert not is_available(ZAI, config, store, NOW)


def test_a_key_kept_in_a_variable_is_read_when_it_is_used(store, config):
    add(store, "venice:ref", "", ref=SecretRef("env", "WORK_KEY"))
    assert resolve(VENICE, with_environ(config, WORK_KEY="k"), store, NOW).secret == Secret("k")
    with pytest.raises(MissingKey, match="unresolved_ref"):
        resolve(VENICE, config, store, NOW)


def test_a_named_profile_excludes_every_other_place(store, config):
    add(store, "venice:a", "a")
    add(store, "venice:b", "b")
    store.set_order("venice", ["venice:a"])
    assert [auth.profile_id for auth in resolve_all(VENICE, config, store, NOW, "venice:b")] == ["venice:b"]


def test_a_named_profile_must_exist_and_belong_to_the_provider(store, config):
    add(store, "zai:a")
    config = with_environ(config, VENICE_API_KEY="k")
    with pytest.raises(MissingKey, match="no credentials found for profile 'venice:gone'"):
        resolve(VENICE, config, store, NOW, "venice:gone")
    with pytest.raises(MissingKey, match="'zai:a' is not configured for venice"):
        resolve(VENICE, config, store, NOW, "zai:a")


def test_a_key_the_config_gives_under_an_alias_counts(store, config):
    key = ConfigSecret(Secret("k"), "config: models.providers.z-ai.apiKey")
    config = replace(config, providers={"z-ai": ProviderConfig(id="z-ai", api_key=key)})
    assert source_of(ZAI, config, store) == "config: models.providers.z-ai.apiKey"


# -- keys that cannot be sent ------------------------------------------------------


def test_a_key_with_a_line_break_is_an_error_that_does_not_show_it(store, config):
    config = with_environ(config, VENICE_API_KEY="first-half\nsecond-half")
    with pytest.raises(AuthError, match="env: VENICE_API_KEY holds a line break") as caught:
        resolve(VENICE, config, store, NOW)
    assert "half" not in str(caught.value) + caught.value.hint


def test_a_bad_key_behind_a_good_one_is_left_out(store, config):
    add(store, "venice:a", "good")
    config = with_environ(config, VENICE_API_KEY="bad\nkey")
    assert [auth.source for auth in resolve_all(VENICE, config, store, NOW)] == ["profile:venice:a"]


def test_no_secret_shows_in_any_value_on_the_way(store, config):
    add(store, "venice:a", "s3cret-value")
    found = list(sources(VENICE, config, store, NOW))
    assert "s3cret" not in repr(found) + repr(store.list()) + repr(resolve(VENICE, config, store, NOW))


# -- references --------------------------------------------------------------------


def referring(source: str, place: str, **more: object) -> ProviderConfig:
    key = ConfigSecret(Secret(""), "config: models.providers.venice.apiKey", SecretRef(source, place))
    return ProviderConfig(id="venice", api_key=key, **more)


def test_a_key_of_the_config_may_stand_in_a_file(store, config, tmp_path):
    (tmp_path / "key").write_text("k\n", encoding="utf-8")
    config = replace(config, providers={"venice": referring("file", str(tmp_path / "key"))})
    assert resolve(VENICE, config, store, NOW).secret == Secret("k")
    (tmp_path / "key").unlink()
    with pytest.raises(MissingKey, match=r"models\.providers\.venice\.apiKey: file: .*key leads nowhere"):
        resolve(VENICE, config, store, NOW)


def test_a_reference_that_leads_nowhere_is_never_sent_as_a_text(store, config, tmp_path):
    add(store, "venice:a", "", ref=SecretRef("exec", f"touch {tmp_path / 'asked'}"))
    assert is_available(VENICE, config, store, NOW)
    assert not (tmp_path / "asked").exists()
    with pytest.raises(MissingKey, match=r"profile:venice:a \(unresolved_ref\): touch printed nothing"):
        resolve(VENICE, config, store, NOW)
    assert source_of(VENICE, with_environ(config, VENICE_API_KEY="k"), store) == "env: VENICE_API_KEY"


def test_only_the_credential_that_is_used_asks_its_command(store, config, tmp_path):
    add(store, "venice:a", "first")
    add(store, "venice:b", "", ref=SecretRef("exec", f"touch {tmp_path / 'asked'}"))
    assert resolve(VENICE, config, store, NOW).secret == Secret("first")
    assert not (tmp_path / "asked").exists()


def test_a_header_that_stands_elsewhere_goes_with_every_credential(store, config, tmp_path):
    (tmp_path / "header").write_text("h\n", encoding="utf-8")
    value = ConfigSecret(
        Secret(""), "config: models.providers.venice.headers.x-team", SecretRef("file", f"{tmp_path}/header")
    )
    config = with_environ(config, VENICE_API_KEY="k")
    config = replace(config, providers={"venice": ProviderConfig(id="venice", header_refs={"x-team": value})})
    assert resolve(VENICE, config, store, NOW).headers == {"x-team": Secret("h")}
    (tmp_path / "header").unlink()
    with pytest.raises(ConfigError, match=r"headers\.x-team: .*header is no file"):
        resolve(VENICE, config, store, NOW)
