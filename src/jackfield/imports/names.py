"""What other tools call the providers that stand in our catalog, and which family a bare model name belongs to.

Facts only. Names that equal one of our ids or aliases are not repeated here.
"""

from __future__ import annotations

# Their word → our id: LiteLLM's prefixes, aichat's client types, models.dev's ids (opencode, Kilo), llm's key names.
OTHER_NAMES = {
    "alibaba_cloud": "alibaba",
    "bedrock_converse": "amazon-bedrock",
    "claude": "anthropic",
    "codestral": "mistral",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "github": "github-models",
    "github_copilot": "github-copilot",
    "hosted_vllm": "vllm",
    "lm_studio": "lmstudio",
    "nvidia_nim": "nvidia",
    "ollama_chat": "ollama",
    "openai-native": "openai",
    "qianwen": "alibaba-cn",
    "together_ai": "together",
    "vercel_ai_gateway": "vercel-ai-gateway",
    "vertex_ai": "google-vertex",
    "vertexai": "google-vertex",
}

# How a model's own name begins → the provider that made it; the first that fits holds.
FAMILIES = (
    ("gpt-oss", ""), ("gpt-", "openai"), ("chatgpt-", "openai"), ("codex-", "openai"), ("o1", "openai"),
    ("o3", "openai"), ("o4-", "openai"), ("claude-", "anthropic"), ("gemini-", "google"), ("mistral-", "mistral"),
    ("codestral-", "mistral"), ("command-", "cohere"), ("deepseek-", "deepseek"), ("grok-", "xai"), ("kimi-", "moonshot"),
)  # fmt: skip

# What stands for a key where a server takes none.
PLACEHOLDERS = frozenset(
    {
        "-", "any", "anything", "dummy", "empty", "fake", "fake-key", "lm-studio", "lmstudio", "n/a", "no-key",
        "no-key-required", "none", "not-needed", "not-provided", "null", "ollama", "ollama-local", "placeholder",
        "qwen-oauth", "minimax-oauth", "sk-no-key-required", "unused", "xxx",
    }
)  # fmt: skip

# Sign-ins that their vendor gives to its own programs alone; a copy of one would have to pretend.
RESTRICTED = {
    "anthropic": "Anthropic gives this sign-in to Claude Code alone; use an API key or a setup token",
    "google-antigravity": "Google gives this sign-in to Antigravity alone; use an API key for google",
}


def family_of(model: str) -> str:
    """Return the provider whose model has such a name; empty when the name tells nothing."""
    name = model.lower()
    return next((provider for start, provider in FAMILIES if name.startswith(start)), "")
