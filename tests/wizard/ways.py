"""Every way to sign in that the wizard offers, and what a person does on it: one row each."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from jackfield.cli.choices import CHOICES, Choice
from tests.wizard.terminal import ENTER, Step

# All that OpenClaw's pages and its wizard name, one of the newer ones, and one that has no flag.
KEYED = (
    "venice-api-key", "openai-api-key", "synthetic-api-key", "opencode-zen", "gemini-api-key", "zai-api-key",
    "ai-gateway-api-key", "minimax-api", "minimax-api-lightning", "moonshot-api-key", "kimi-code-api-key",
    "openrouter-api-key", "xiaomi-api-key", "xai-api-key", "mistral-api-key", "groq-api-key", "cerebras-api-key",
    "apiKey", "token", "setup-token", "302ai-api-key",
)  # fmt: skip
PAGES = ("openai-codex", "google-gemini-cli", "google-antigravity", "chutes")
CODES = ("github-copilot", "qwen-portal", "minimax-portal", "minimax-cn-oauth", "xai-oauth")
SERVERS = (
    "ollama", "lmstudio", "minimax", "vllm", "sglang", "llama-cpp", "atomic-chat", "litellm-api-key", "copilot-proxy",
)  # fmt: skip
AWS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s3cret-s3cret", "AWS_REGION": "eu-west-1"}
GOOGLE = {"GOOGLE_CLOUD_PROJECT": "project-1", "GOOGLE_CLOUD_LOCATION": "us-east5"}


def find(choice_id: str) -> Choice:
    """Return a choice of the catalog."""
    return next(choice for choice in CHOICES if choice.id == choice_id)


def host(choice: Choice) -> str:
    """Return the host that a choice's models are asked at."""
    return urlsplit(choice.method.base_url or choice.info.endpoint or choice.info.base_url).netloc


def key(choice: Choice, word: str) -> str:
    """Return a secret that looks like one of this choice's, with a word in it."""
    prefix = choice.method.secret_prefix or choice.info.key_prefix or "sk-"
    return f"{prefix}{word}-0123456789".ljust(choice.method.secret_min_length or 1, "a")


def sign_in(choice: Choice) -> list[Step]:
    """Return what a person does to sign in on a page, or with a code."""
    if choice.id in CODES:
        return [("enter the code: ABCD-1234", "")]
    return [("paste the address", landing())]


def landing(**fields: str) -> Callable[[str], str]:
    """Return what a person pastes: the address landed on from the page shown last, with a code unless said otherwise."""

    def paste(shown: str) -> str:
        asked = dict(parse_qsl(urlsplit(re.findall(r"https?://\S+\?\S+", shown)[-1]).query))
        return f"{asked['redirect_uri']}?{urlencode({'code': 'c1', 'state': asked['state'], **fields})}{ENTER}"

    return paste


def client(choice: Choice) -> dict[str, str]:
    """Return the variable that names a client for a sign-in."""
    return {f"JACKFIELD_{choice.info.id.upper().replace('-', '_')}_OAUTH_CLIENT_ID": "our-client"}


def write_adc() -> None:
    """Write the sign-in that gcloud keeps."""
    path = Path(os.environ["HOME"]) / ".config" / "gcloud" / "application_default_credentials.json"
    path.parent.mkdir(parents=True)
    own = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    path.write_text(json.dumps(own), encoding="utf-8")
