"""What is measured side by side: nginx as the limit, the gateway in three ways, LiteLLM's proxy as the peer."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

UPSTREAM = 9400
TOKEN, LIMITED = "gw-bench-0123456789", "gw-bench-limited-012345"
PACES = ("m-100-0", "m-3-1", "m-100-20", "m-20-200")
CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Target:
    """A program that passes requests on."""

    name: str
    port: int
    command: tuple[str, ...]
    key: str = ""
    models: dict[str, str] = field(default_factory=dict)  # upstream's wire → how the model's name begins
    environ: dict[str, str] = field(default_factory=dict)


def list_targets(folder: Path, litellm: str) -> list[Target]:
    """Write what each program reads, and return how it is started."""
    home = {"HOME": str(folder), "JACKFIELD_GATEWAY_TOKEN": TOKEN, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    plain, counted = folder / "jackfield.json", folder / "limited.json"
    plain.write_text(json.dumps(config()), encoding="utf-8")
    key = {"key": LIMITED, "budgetDay": 1e6, "budgetMonth": 1e7, "requestsPerMinute": 10**8, "tokensPerMinute": 10**11,
           "concurrency": 10**5}  # fmt: skip
    counted.write_text(json.dumps(config() | {"gateway": {"keys": {"bench": key}}}), encoding="utf-8")
    serve = (sys.executable, "-m", "jackfield", "--config")
    own = {"chat": "chat/", "messages": "messages/"}
    rest = ("gateway", "--admin-port", "0", "--port")
    found = [
        Target("jackfield", 9402, (*serve, str(plain), *rest, "9402"), TOKEN, own, home),
        Target("jackfield, every limit", 9403, (*serve, str(counted), *rest, "9403"), LIMITED, own, home),
        Target("jackfield, bare", 9404, (sys.executable, str(Path(__file__).with_name("bare.py")), str(plain), "9404"), TOKEN, own, home),
    ]  # fmt: skip
    if nginx := shutil.which("nginx"):
        found.insert(0, Target("nginx", 9401, (nginx, "-c", str(write_nginx(folder)))))
    if litellm:
        given = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        command = (litellm, "--config", str(write_litellm(folder)), "--port", "9405", "--host", "127.0.0.1")
        found.append(Target("LiteLLM", 9405, command, TOKEN, own, {**given, "HOME": str(folder)}))
    return found


def config() -> dict[str, object]:
    models = [
        {"id": name, "contextWindow": 128_000, "maxTokens": 4096, "cost": {"input": 1, "output": 2}} for name in PACES
    ]
    root, key = f"http://127.0.0.1:{UPSTREAM}", "sk-0123456789"
    chat = {"baseUrl": f"{root}/v1", "api": "openai-completions", "apiKey": key, "models": models}
    messages = {"baseUrl": root, "api": "anthropic-messages", "apiKey": key, "models": models}
    return {
        "models": {"providers": {"chat": chat, "messages": messages}},
        "agents": {"defaults": {"model": {"primary": f"chat/{PACES[0]}"}}},
    }


def write_nginx(folder: Path) -> Path:
    temporary = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"""worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log crit;
events {{ worker_connections 8192; }}
http {{ access_log off; {temporary} keepalive_requests 100000000;
  upstream model {{ server 127.0.0.1:{UPSTREAM}; keepalive 512; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:9401 backlog=4096; location / {{
    proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    client_body_buffer_size 1m; proxy_request_buffering off; }} }} }}
""",
        encoding="utf-8",
    )
    return path


def write_litellm(folder: Path) -> Path:
    root = f"http://127.0.0.1:{UPSTREAM}"
    rows = [("chat/*", {"model": "openai/*", "api_base": f"{root}/v1", "api_key": "sk"}),
            ("messages/*", {"model": "anthropic/*", "api_base": root, "api_key": "sk"})]  # fmt: skip
    path = folder / "litellm.yaml"  # JSON is YAML, too
    models = [{"model_name": name, "litellm_params": said} for name, said in rows]
    settings = {"num_retries": 0, "request_timeout": 60, "callbacks": [], "telemetry": False}
    whole = {"model_list": models, "litellm_settings": settings, "general_settings": {"master_key": "sk-" + TOKEN}}
    path.write_text(json.dumps(whole).replace("sk-" + TOKEN, TOKEN), encoding="utf-8")
    return path
