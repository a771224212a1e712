"""Each tool's files, as its own documentation writes them, in our words."""

from __future__ import annotations

from jackfield.imports.aichat import parse_aichat
from jackfield.imports.codex import parse_codex
from jackfield.imports.kilo import parse_kilo
from jackfield.imports.litellm import parse_litellm
from jackfield.imports.llm import parse_llm
from jackfield.imports.opencode import parse_opencode
from tests.imports.trees import KNOWN, file, keys, token


def test_llm_keys_models_and_names() -> None:
    found = parse_llm(
        [
            file("keys.json", {"// Note": "x", "openai": "sk-0123456789", "mine": "key-0123456789", "odd": "abc-0123"}),
            file(
                "extra-openai-models.yaml",
                "- model_id: box\n  model_name: llama-3\n  api_base: http://10.0.0.5:8000/v1\n  api_key_name: mine\n"
                "  vision: true\n  aliases: [b]\n  headers: {X-Team: red, X-Api-Key: plain}\n"
                "- {model_id: old, completion: true}\n",
            ),
            file("aliases.json", {"fast": "gpt-4o-mini", "big": "box", "lost": "nowhere"}),
            file("default_model.txt", "box\n"),
        ],
        KNOWN,
    )
    assert found.providers == {
        "mine": {
            "baseUrl": "http://10.0.0.5:8000/v1",
            "api": "openai-completions",
            "models": [{"id": "llama-3", "input": ["text", "image"]}],
            "headers": {"X-Team": "red"},
        }
    }
    assert found.aliases == {
        "box": "mine/llama-3",
        "b": "mine/llama-3",
        "fast": "openai/gpt-4o-mini",
        "big": "mine/llama-3",
    }
    assert (found.primary, keys(found)) == (
        "mine/llama-3",
        {"openai:llm": "sk-0123456789", "mine:llm": "key-0123456789"},
    )
    assert [line.partition(": ")[0] for line in found.left_out] == [
        "extra-openai-models.yaml:7", "extra-openai-models.yaml:8", "keys.json:5", "aliases.json:4",
    ]  # fmt: skip


def test_aichat_clients_and_their_variables() -> None:
    found = parse_aichat(
        [
            file(
                "config.yaml",
                "model: box:qwen3\nclients:\n- type: openai\n  api_key: sk-0123456789\n- type: claude\n  name: work\n"
                "  api_key: sk-ant-0123456789\n- type: openai-compatible\n  name: box\n  api_base: http://10.0.0.5/v1\n"
                "  models:\n  - {name: qwen3, max_input_tokens: 32000, supports_vision: false, input_price: 0.5}\n"
                "  - {name: vec, type: embedding}\n"
                "- {type: openai-compatible, name: groq, api_base: 'https://api.groq.com/openai/v1'}\n- {type: vertexai}\n",
            ),
            file(".env", "GROQ_API_KEY=gsk_0123456789\nEDITOR=vi\n"),
        ],
        KNOWN,
    )
    assert found.primary == "box/qwen3"
    assert list(found.providers) == ["box"]
    assert found.providers["box"]["models"] == [{"id": "qwen3", "contextWindow": 32000, "cost": {"input": 0.5}}]
    assert keys(found) == {
        "openai:aichat": "sk-0123456789",
        "anthropic:aichat": "sk-ant-0123456789",
        "groq:aichat": "gsk_0123456789",
    }
    assert [line.partition(": ")[0] for line in found.left_out] == ["config.yaml:13", "config.yaml:15"]


LITELLM = """\
model_list:
- model_name: gpt-4o
  litellm_params: {model: azure/dep, api_base: "https://res.openai.azure.com", api_key: os.environ/AZ_KEY, rpm: 5}
- model_name: gpt-4o
  litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
- model_name: claude
  litellm_params: {model: claude-sonnet-4-5, api_key: sk-ant-0123456789}
- model_name: claude
  litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: sk-ant-9876543210}
- model_name: mine
  litellm_params: {model: openai/m1, api_base: "http://10.1.1.1:9/v1", api_key: dummy, input_cost_per_token: 0.000002}
- model_name: "openrouter/*"
  litellm_params: {model: "openrouter/*", litellm_credential_name: or}
- model_name: vec
  litellm_params: {model: openai/text-embedding-3-small}
  model_info: {mode: embedding}
- model_name: broken
credential_list:
- {credential_name: or, credential_values: {api_key: os.environ/OR_KEY}}
environment_variables: {OR_KEY: sk-or-0123456789}
litellm_settings: {fallbacks: [{claude: [gpt-4o]}], default_fallbacks: [mine]}
router_settings: {model_group_alias: {gpt-4: gpt-4o, lost: {model: none}}}
general_settings: {master_key: sk-1234}
"""


def test_litellm_deployments_become_routes_aliases_and_entries() -> None:
    found = parse_litellm([file("config.yaml", LITELLM)], KNOWN)
    azure = "custom-res-openai-azure-com-openai"
    assert found.providers[azure]["apiKey"] == "${AZ_KEY}"
    assert found.providers["custom-10-1-1-1-9"]["models"] == [{"id": "m1", "cost": {"input": 2.0}}]
    assert found.aliases == {"mine": "custom-10-1-1-1-9/m1"}
    assert (
        found.routes["gpt-4o"] == found.routes["gpt-4"] == {"primary": f"{azure}/dep", "fallbacks": ["openai/gpt-4o"]}
    )
    assert found.routes["claude"]["fallbacks"] == [f"{azure}/dep", "openai/gpt-4o"]
    assert found.fallbacks == ("custom-10-1-1-1-9/m1",)
    assert keys(found) == {
        "anthropic:litellm": "sk-ant-0123456789",
        "anthropic:litellm-2": "sk-ant-9876543210",
        "openrouter:litellm": "sk-or-0123456789",
    }
    assert "openai finds its key in OPENAI_API_KEY by itself" in found.notes[0]
    assert [line.split(": ")[1] for line in found.left_out] == [
        "model vec", "model broken", "alias lost", "general_settings.master_key", "settings of deployments",
    ]  # fmt: skip


def test_codex_providers_profiles_and_references() -> None:
    config = """\
model = "gpt-5-codex"
model_provider = "corp"
[model_providers.corp]
name = "Corp"
base_url = "https://llm.corp.example/v1/"
wire_api = "chat"
env_key = "CORP_KEY"
query_params = { v = "2" }
http_headers = { Authorization = "Bearer corp-0123456789", X-A = "b" }
env_http_headers = { X-B = "CORP_B" }
[profiles.deep]
model = "gpt-5"
model_provider = "openai"
"""
    found = parse_codex(
        [
            file("config.toml", config),
            file("o.config.toml", 'model = "m2"'),
            file("auth.json", {"OPENAI_API_KEY": "sk-0123456789"}),
        ],
        KNOWN,
    )
    assert found.providers == {
        "corp": {
            "baseUrl": "https://llm.corp.example/v1?v=2",
            "api": "openai-completions",
            "name": "Corp",
            "apiKey": "${CORP_KEY}",
            "authHeader": True,
            "headers": {"X-A": "b", "X-B": "${CORP_B}"},
            "models": [{"id": "gpt-5-codex"}, {"id": "m2"}],
        }
    }
    assert (found.primary, found.aliases) == ("corp/gpt-5-codex", {"deep": "openai/gpt-5", "o": "corp/m2"})
    assert keys(found) == {"openai:codex": "sk-0123456789", "corp:codex": "corp-0123456789"}


def test_a_codex_file_under_another_name_is_the_config() -> None:
    assert parse_codex([file("mine.toml", 'model = "gpt-5"')], KNOWN).primary == "openai/gpt-5"


def test_opencode_providers_keys_and_logins() -> None:
    config = """{ // remark
      model: "box/m1", provider: { box: { npm: "@ai-sdk/anthropic", name: "Box", options: { baseURL: "http://10.0.0.5", apiKey: "{env:BOX_KEY}" },
        models: { m1: { limit: { context: 1000, output: 100 }, cost: { input: 1, cache_read: 0.1 }, tool_call: true, modalities: { input: ["text", "pdf"] } } } } } }"""
    auth = {
        "openai": {
            "type": "oauth",
            "access": "at-1",
            "refresh": "rt-1",
            "expires": 1_900_000_000_000,
            "accountId": "acc",
        },
        "anthropic": {"type": "oauth", "access": "at-2", "refresh": "rt-2", "expires": 1},
        "github-copilot": {"type": "oauth", "refresh": "gho_0123456789", "access": "", "expires": 0},
        "groq": {"type": "api", "key": "gsk_0123456789"},
        "strange": {"type": "api", "key": "x-0123456789"},
        "mistral": {"type": "wellknown", "key": "a", "token": "b"},
    }
    found = parse_opencode([file("opencode.json", config), file("auth.json", auth)], KNOWN)
    assert found.primary == "box/m1"
    assert found.providers["box"]["apiKey"] == "${BOX_KEY}"
    assert found.providers["box"]["models"][0] == {
        "id": "m1", "contextWindow": 1000, "maxTokens": 100, "input": ["text", "document"],
        "cost": {"input": 1, "cacheRead": 0.1}, "tools": True,
    }  # fmt: skip
    assert keys(found) == {
        "openai-codex:opencode": "at-1",
        "github-copilot:github": "gho_0123456789",
        "groq:opencode": "gsk_0123456789",
    }
    codex = found.credentials[0].profile
    assert (codex.type, codex.expires_ms, codex.details) == ("oauth", 1_900_000_000_000, {"accountId": "acc"})
    assert "Claude Code alone" in found.left_out[0]
    assert len(found.left_out) == 3


def test_kilo_profiles_of_an_export_say_what_kilo_takes_for_granted() -> None:
    export = {
        "providerProfiles": {
            "currentApiConfigName": "box",
            "apiConfigs": {
                "box": {
                    "apiProvider": "openai", "openAiBaseUrl": "http://10.0.0.5/v1/", "openAiApiKey": "k-0123456789", "openAiModelId": "m1",
                    "openAiCustomModelInfo": {"maxTokens": -1, "supportsImages": False, "inputPrice": 2},
                    "openAiHeaders": {"X-Team": "red", "": "x"},
                },
                "my router": {"apiProvider": "openrouter", "openRouterApiKey": "sk-or-0123456789", "openRouterModelId": "a/b"},
                "human": {"apiProvider": "human-relay"},
                "bad": 7,
            },
        }
    }  # fmt: skip
    found = parse_kilo([file("kilo-code-settings.json", export)], KNOWN)
    assert found.providers == {
        "box": {
            "baseUrl": "http://10.0.0.5/v1",
            "api": "openai-completions",
            "models": [{"id": "m1", "contextWindow": 128_000, "input": ["text"], "cost": {"input": 2}}],
            "headers": {"X-Team": "red"},
        }
    }
    assert (found.primary, found.aliases) == ("box/m1", {"box": "box/m1", "my-router": "openrouter/a/b"})
    assert keys(found) == {"box:kilo": "k-0123456789", "openrouter:kilo": "sk-or-0123456789"}
    assert len(found.left_out) == 2


def test_kilos_newer_config_and_its_older_programs_are_read() -> None:
    old = {
        "provider": "default",
        "providers": [
            {"id": "default", "provider": "kilocode", "kilocodeToken": "kt-0123456789", "kilocodeModel": "x/y"}
        ],
    }
    found = parse_kilo([file("config.json", old), file("kilo.json", {"model": "groq/m"})], KNOWN)
    assert (found.primary, keys(found)) == ("groq/m", {"kilocode:kilo": "kt-0123456789"})


def test_a_codex_login_says_whose_it_is_and_when_it_ends() -> None:
    access = token(
        {"exp": 1_900_000_000, "client_id": "app_1", "https://api.openai.com/auth": {"chatgpt_account_id": "acc"}}
    )
    tokens = {"id_token": token({"email": "Me@x.example"}), "access_token": access, "refresh_token": "rt-1"}
    (found,) = parse_codex([file("auth.json", {"OPENAI_API_KEY": None, "tokens": tokens})], KNOWN).credentials
    profile = found.profile
    assert (profile.id, profile.type, profile.expires_ms) == ("openai-codex:me@x.example", "oauth", 1_900_000_000_000)
    assert profile.details == {"accountId": "acc", "clientId": "app_1"}
    assert profile.refresh is not None
