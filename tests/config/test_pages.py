"""The config blocks of the product's pages, each with its variable set elsewhere, in the block, and absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from jackfield.config.schema import AllowList
from tests.config.setup import load

# name → config, variable its key comes from (empty: none), provider, base URL, first model
PAGES: dict[str, tuple[str, str, str, str, str]] = {
    **{
        f"primary {ref}": (f'{{\n  agents: {{ defaults: {{ model: {{ primary: "{ref}" }} }} }}\n}}', "", "", "", ref)
        for ref in (
            "openai/gpt-5.2",
            "anthropic/claude-opus-4-5",
            "openai-codex/gpt-5.2",
            "opencode/claude-opus-4-5",
            "ollama/llama3.3",
        )
    },
    "moonshot": (
        """{
  agents: {
    defaults: { model: { primary: "moonshot/kimi-k2.5" } }
  },
  models: {
    mode: "merge",
    providers: {
      moonshot: {
        baseUrl: "https://api.moonshot.ai/v1",
        apiKey: "${MOONSHOT_API_KEY}",
        api: "openai-completions",
        models: [{ id: "kimi-k2.5", name: "Kimi K2.5" }]
      }
    }
  }
}""",
        "MOONSHOT_API_KEY",
        "moonshot",
        "https://api.moonshot.ai/v1",
        "moonshot/kimi-k2.5",
    ),
    "kimi-code": (
        """{
  env: { KIMICODE_API_KEY: "sk-..." },
  agents: {
    defaults: { model: { primary: "kimi-code/kimi-for-coding" } }
  },
  models: {
    mode: "merge",
    providers: {
      "kimi-code": {
        baseUrl: "https://api.kimi.com/coding/v1",
        apiKey: "${KIMICODE_API_KEY}",
        api: "openai-completions",
        models: [{ id: "kimi-for-coding", name: "Kimi For Coding" }]
      }
    }
  }
}""",
        "KIMICODE_API_KEY",
        "kimi-code",
        "https://api.kimi.com/coding/v1",
        "kimi-code/kimi-for-coding",
    ),
    "synthetic": (
        """{
  agents: {
    defaults: { model: { primary: "synthetic/hf:MiniMaxAI/MiniMax-M2.1" } }
  },
  models: {
    mode: "merge",
    providers: {
      synthetic: {
        baseUrl: "https://api.synthetic.new/anthropic",
        apiKey: "${SYNTHETIC_API_KEY}",
        api: "anthropic-messages",
        models: [{ id: "hf:MiniMaxAI/MiniMax-M2.1", name: "MiniMax M2.1" }]
      }
    }
  }
}""",
        "SYNTHETIC_API_KEY",
        "synthetic",
        "https://api.synthetic.new/anthropic",
        "synthetic/hf:MiniMaxAI/MiniMax-M2.1",
    ),
    "lmstudio": (
        """{
  agents: {
    defaults: {
      model: { primary: "lmstudio/minimax-m2.1-gs32" },
      models: { "lmstudio/minimax-m2.1-gs32": { alias: "Minimax" } }
    }
  },
  models: {
    providers: {
      lmstudio: {
        baseUrl: "http://localhost:1234/v1",
        apiKey: "LMSTUDIO_KEY",
        api: "openai-completions",
        models: [
          {
            id: "minimax-m2.1-gs32",
            name: "MiniMax M2.1",
            reasoning: false,
            input: ["text"],
            cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
            contextWindow: 200000,
            maxTokens: 8192
          }
        ]
      }
    }
  }
}""",
        "LMSTUDIO_KEY",
        "lmstudio",
        "http://localhost:1234/v1",
        "lmstudio/minimax-m2.1-gs32",
    ),
    "synthetic with an alias": (
        """{
  env: { SYNTHETIC_API_KEY: "sk-..." },
  agents: {
    defaults: {
      model: { primary: "synthetic/hf:MiniMaxAI/MiniMax-M2.5" },
      models: { "synthetic/hf:MiniMaxAI/MiniMax-M2.5": { alias: "MiniMax M2.5" } },
    },
  },
  models: {
    mode: "merge",
    providers: {
      synthetic: {
        baseUrl: "https://api.synthetic.new/anthropic",
        apiKey: "${SYNTHETIC_API_KEY}",
        api: "anthropic-messages",
        models: [
          {
            id: "hf:MiniMaxAI/MiniMax-M2.5",
            name: "MiniMax M2.5",
            reasoning: false,
            input: ["text"],
            cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
            contextWindow: 192000,
            maxTokens: 65536,
          },
        ],
      },
    },
  },
}""",
        "SYNTHETIC_API_KEY",
        "synthetic",
        "https://api.synthetic.new/anthropic",
        "synthetic/hf:MiniMaxAI/MiniMax-M2.5",
    ),
    "synthetic elsewhere": (
        """    {
      models: {
        providers: {
          synthetic: {
            baseUrl: "https://new-api.synthetic.new/anthropic",
          },
        },
      },
    }
""",
        "",
        "synthetic",
        "https://new-api.synthetic.new/anthropic",
        "",
    ),
    "openai": (
        """{
  env: { OPENAI_API_KEY: "sk-..." },
  agents: { defaults: { model: { primary: "openai/gpt-5.2" } } }
}""",
        "",
        "",
        "",
        "openai/gpt-5.2",
    ),
    "venice": (
        """{
  env: { VENICE_API_KEY: "vapi_..." },
  agents: { defaults: { model: { primary: "venice/llama-3.3-70b" } } },
  models: {
    mode: "merge",
    providers: {
      venice: {
        baseUrl: "https://api.venice.ai/api/v1",
        apiKey: "${VENICE_API_KEY}",
        api: "openai-completions",
        models: [
          {
            id: "llama-3.3-70b",
            name: "Llama 3.3 70B",
            reasoning: false,
            input: ["text"],
            cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
            contextWindow: 131072,
            maxTokens: 8192
          }
        ]
      }
    }
  }
}""",
        "VENICE_API_KEY",
        "venice",
        "https://api.venice.ai/api/v1",
        "venice/llama-3.3-70b",
    ),
}
WITH_KEY = {name: page for name, page in PAGES.items() if page[1]}


@pytest.mark.parametrize("name", PAGES)
def test_a_block_of_the_pages_loads_as_printed(tmp_path: Path, name: str) -> None:
    text, variable, provider, base_url, primary = PAGES[name]
    config = load(tmp_path, text, **({variable: "elsewhere"} if variable else {}))

    assert config.warnings == ()
    assert (config.primary or "") == primary
    if provider:
        assert config.providers[provider].base_url == base_url
    if provider and primary:
        assert f"{provider}/{config.providers[provider].models[0].id}" == primary


@pytest.mark.parametrize("name", WITH_KEY)
def test_a_key_set_elsewhere_is_used(tmp_path: Path, name: str) -> None:
    text, variable, provider, *_ = WITH_KEY[name]
    key = load(tmp_path, text, **{variable: "elsewhere"}).providers[provider].api_key

    assert key
    assert key.secret.reveal() == "elsewhere"


@pytest.mark.parametrize("name", WITH_KEY)
def test_a_key_only_in_the_env_block_is_used(tmp_path: Path, name: str) -> None:
    text, variable, provider, *_ = WITH_KEY[name]
    # Where the page has a block its placeholder is the key, else the block is put in.
    has_block = "env:" in text
    with_block = text if has_block else text.replace("{", f'{{\n  env: {{ {variable}: "in-block" }},', 1)
    key = load(tmp_path, with_block).providers[provider].api_key

    assert key
    assert key.secret.reveal() in (("sk-...", "vapi_...") if has_block else ("in-block",))


@pytest.mark.parametrize("name", WITH_KEY)
def test_an_absent_key_is_no_error_until_it_is_needed(tmp_path: Path, name: str) -> None:
    text, variable, provider, *_ = WITH_KEY[name]
    without = "\n".join(line for line in text.splitlines() if "env:" not in line)
    config = load(tmp_path, without)
    entry = config.providers[provider]

    if "${" in text:
        assert entry.api_key is None
        assert [missing.name for missing in entry.missing] == [variable]
        assert config.warnings == (str(entry.missing[0]),)
    else:
        assert entry.api_key
        assert entry.api_key.secret.reveal() == variable


def test_models_named_on_a_page_are_its_allowlist(tmp_path: Path) -> None:
    config = load(tmp_path, PAGES["lmstudio"][0])

    assert config.aliases == {"minimax": "lmstudio/minimax-m2.1-gs32"}
    assert config.allow == AllowList(("lmstudio/minimax-m2.1-gs32",), "agents.defaults.models (jackfield.json:5)")
