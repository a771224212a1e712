"""The clients, as data: what each is started with and what it must say. `{root}`, `{key}` and `{model}` are filled in."""

from __future__ import annotations

from dataclasses import dataclass, field

AFTER_TOOL = "The tool's reply has reached me."  # the model says so when a tool's result has come back, never before
ANSWER = "Hello from Jackfield."


@dataclass(frozen=True)
class Client:
    """One client: `package` is its folder under npm/ or its list under pip/."""

    package: str
    command: tuple[str, ...]  # the first word is a program of the package
    says: str = AFTER_TOOL
    times: int = 1  # how often it says so
    files: dict[str, str] = field(default_factory=dict)  # under its home
    environ: dict[str, str] = field(default_factory=dict)


CODEX = """\
model = "{model}"
model_provider = "gateway"
[model_providers.gateway]
name = "gateway"
base_url = "{root}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
"""
PI = """\
{{"providers": {{"chat": {{"baseUrl": "{root}/v1", "api": "openai-completions", "apiKey": "{key}", "models": [{{
  "id": "{model}", "name": "m", "reasoning": false, "input": ["text"], "contextWindow": 128000, "maxTokens": 512,
  "cost": {{"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}}}]}},
"messages": {{"baseUrl": "{root}", "api": "anthropic-messages", "apiKey": "{key}", "models": [{{
  "id": "{model}", "name": "m", "reasoning": false, "input": ["text"], "contextWindow": 128000, "maxTokens": 512,
  "cost": {{"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}}}]}}}}}}
"""
OPENCODE = """\
{{"model": "gateway/{model}", "small_model": "gateway/{model}", "provider": {{"gateway": {{
  "npm": "@ai-sdk/openai-compatible", "name": "gateway", "options": {{"baseURL": "{root}/v1", "apiKey": "{key}"}},
  "models": {{"{model}": {{"name": "m"}}}}}}}}}}
"""
LLM = """\
- model_id: gateway
  model_name: {model}
  api_base: {root}/v1
  api_key_name: gateway
  supports_tools: true
"""
WEATHER = 'def weather(city: str) -> str:\n    "Tell the weather."\n    return "18"'
GIVEN = ("{root}", "{key}", "{model}")
PI_FILES = {".pi/agent/models.json": PI}

CLIENTS: dict[str, Client] = {
    "LangChain, 4 wires": Client("langchain", ("python", "{programs}/langchain_loop.py", *GIVEN), times=8),
    "pydantic-ai, 4 wires": Client("pydantic-ai", ("python", "{programs}/pydantic_ai_loop.py", *GIVEN), times=8),
    "AI SDK, 4 wires": Client("aisdk", ("node", "{package}/aisdk.mjs", *GIVEN), times=8),
    "llm": Client(
        "llm",
        ("llm", "-m", "gateway", "--functions", WEATHER, "The weather?"),
        files={"llm/extra-openai-models.yaml": LLM, "llm/keys.json": '{{"gateway": "{key}"}}'},
        environ={"LLM_USER_PATH": "{home}/llm"},
    ),
    "Codex CLI": Client(
        "codex",
        ("codex", "exec", "--skip-git-repo-check", "--sandbox", "read-only", "List the files."),
        files={".codex/config.toml": CODEX},
        environ={"GATEWAY_KEY": "{key}"},
    ),
    "opencode": Client(
        "opencode",
        ("{package}/node_modules/opencode-linux-x64/bin/opencode", "run", "-m", "gateway/{model}", "List the files."),
        files={"work/opencode.json": OPENCODE},
    ),
    "pi, chat": Client("pi", ("pi", "--provider", "chat", "--model", "{model}", "-p", "List."), files=PI_FILES),
    "pi, messages": Client("pi", ("pi", "--provider", "messages", "--model", "{model}", "-p", "List."), files=PI_FILES),
    # Its edits are texts; it has no tools to call.
    "aider": Client(
        "aider",
        ("aider", "--model", "openai/{model}", "--message", "Hello", "--no-git", "--yes-always", "--no-check-update",
         "--no-show-model-warnings", "--analytics-disable", "--no-detect-urls", "--map-tokens", "0"),
        says=ANSWER,
        environ={"OPENAI_API_BASE": "{root}/v1", "OPENAI_API_KEY": "{key}"},
    ),
}  # fmt: skip
