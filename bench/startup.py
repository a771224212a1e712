"""What a command costs before it does any work, in starts of a bare interpreter.

Every round runs each case once, so that a busy moment of the machine meets all of them; the
medians' ratio to `python -c pass` is the figure. The budget is the most a release may show.

    python bench/startup.py [--rounds 25] [--write]      --write puts the table into bench/README.md
"""

from __future__ import annotations

import argparse
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

README = Path(__file__).with_name("README.md")
MODELS = 2_000
CONFIG_BYTES = 24_000
# With a key for each of these the catalog's models and the config's come to about two thousand.
KEYS = (
    "AI_GATEWAY_API_KEY", "AWS_BEARER_TOKEN_BEDROCK", "DASHSCOPE_API_KEY", "DIGITALOCEAN_ACCESS_TOKEN", "GITHUB_MODELS_TOKEN",
    "HELICONE_API_KEY", "HF_TOKEN", "KILOCODE_API_KEY", "NOVITA_API_KEY", "NVIDIA_API_KEY", "OPENAI_API_KEY", "OPENCODE_API_KEY",
    "OPENROUTER_API_KEY", "POE_API_KEY", "SILICONFLOW_API_KEY", "TOGETHER_API_KEY", "ZENMUX_API_KEY",
)  # fmt: skip
# A row as people write and format it.
ROW = """\
        {{
          id: "team/model-{number:02}",
          name: "Model {number:02}", // asked for by the team
          reasoning: true,
          input: ["text", "image"],
          cost: {{ input: 0.35, output: 1.4, cacheRead: 0.035, cacheWrite: 0 }},
          contextWindow: 131072,
          maxTokens: 16384,
        }},
"""
PROVIDER = """\
      // {id}: behind the company's proxy
      {id}: {{
        baseUrl: "https://{id}.example.com/v1",
        api: "openai-completions",
        apiKey: "${{{key}}}",
        models: [
{rows}        ],
      }},
"""
# A reply in three pieces, as a server streams it.
CHUNKS = [
    '{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}',
    '{"choices":[{"index":0,"delta":{"content":" there"}}]}',
    '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}',
    "[DONE]",
]
REPLY = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    + "".join(f"data: {chunk}\n\n" for chunk in CHUNKS).encode()
)


@dataclass
class Case:
    """One command, what it may cost, and what its runs cost."""

    name: str
    command: Sequence[str]
    budget: float | None
    environ: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=25)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, canned_server() as port:
        home = Path(folder)
        write_home(home, port)
        cases = list_cases()
        for _ in range(chosen.rounds):
            # In another order each time: whoever follows a heavy case finds cold caches.
            for case in random.sample(cases, len(cases)):
                case.seconds.append(time_once(case, home))
    table = render(cases, chosen.rounds)
    print(table)
    if chosen.write:
        write(table)


def list_cases() -> list[Case]:
    """Return the bare interpreter and every measured command, in the table's order."""
    python = sys.executable
    installed = Path(python).with_name("jackfield")
    jackfield = [str(installed)] if installed.exists() else [python, "-m", "jackfield"]
    return [
        Case("python -c pass", [python, "-c", "pass"], 1),
        Case("python -c 'import jackfield'", [python, "-c", "import jackfield"], 4),
        Case("jackfield --version", [*jackfield, "--version"], 2),
        Case("jackfield --help", [*jackfield, "--help"], 5),
        Case(
            f"jackfield models list ({MODELS:,} models, 24 kB config)",
            [*jackfield, "models", "list"],
            7,
            dict.fromkeys(KEYS, "k"),
        ),
        Case(
            f"jackfield models list ({MODELS:,} models, all of them in a 24 kB config)",
            [*jackfield, "--config", "dense.json", "models", "list"],
            None,
        ),
        Case(
            "jackfield chat (canned server)",
            [*jackfield, "--config", "one.json", "chat", "--model", "box/m0", "Hello"],
            25,
        ),
    ]


def write_home(home: Path, port: int) -> None:
    """Write a set-up as people have it, a config of nothing but rows, and a config of one; none of the developer's own is seen."""
    folder = home / ".jackfield"
    folder.mkdir(mode=0o700)
    (folder / "jackfield.json").write_text(usual_config(), encoding="utf-8")
    for path, count in ((home / "dense.json", MODELS), (home / "one.json", 1)):
        rows = ",".join(f'{{id:"m{number}"}}' for number in range(count))
        provider = f'baseUrl:"http://127.0.0.1:{port}/v1",api:"openai-completions",apiKey:"k",models:[{rows}]'
        path.write_text(f"{{models:{{providers:{{box:{{{provider}}}}}}}}}", encoding="utf-8")


def usual_config() -> str:
    """Return a config of `CONFIG_BYTES`: formatted and commented, three providers, rows that say what a row can."""
    count = CONFIG_BYTES // len(ROW.format(number=0))
    providers = []
    for first, name, key in ((0, "gateway", "OPENAI_API_KEY"), (1, "lab", "HF_TOKEN"), (2, "office", "NVIDIA_API_KEY")):
        rows = "".join(ROW.format(number=number) for number in range(first, count, 3))
        providers.append(PROVIDER.format(id=name, key=key, rows=rows))
    chosen = 'agents: { defaults: { model: { primary: "gateway/team/model-00", fallbacks: ["lab/team/model-01"] } } }'
    return f"{{\n  {chosen},\n  models: {{\n    providers: {{\n{''.join(providers)}    }},\n  }},\n}}\n"


def time_once(case: Case, home: Path) -> float:
    """Run a command with nothing of the developer's environment; return its wall time in seconds."""
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], **case.environ}
    start = time.perf_counter()
    done = subprocess.run(
        case.command, env=environ, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    took = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(case.command)}: {done.stderr.decode()}")
    return took


def answer(connection: socket.socket) -> None:
    """Send the canned reply when a request has come whole; nothing to a caller that leaves."""
    while heard := connection.recv(65536):
        if b"}" in heard or heard.startswith(b"GET "):
            connection.sendall(REPLY)
            return


@contextmanager
def canned_server() -> Iterator[int]:
    """Answer every request on a loopback port with the same reply, at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def render(cases: Sequence[Case], rounds: int) -> str:
    """Return the table; a ratio over its budget is marked."""
    bare = median(cases[0].seconds)
    lines = [f"Medians of {rounds} interleaved runs.", "", "| command | ms | × bare | budget |", "|---|---|---|---|"]
    for case in cases:
        ratio = median(case.seconds) / bare
        mark = " **over**" if case.budget and ratio > case.budget else ""
        budget = "–" if case.budget is None else f"{case.budget:g}"
        lines.append(f"| `{case.name}` | {median(case.seconds) * 1000:.0f} | {ratio:.1f}{mark} | {budget} |")
    return "\n".join(lines)


def write(table: str) -> None:
    """Replace the table between the marks in bench/README.md."""
    text = README.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- startup -->\n).*?(<!-- end -->)", re.DOTALL)
    README.write_text(marked.sub(lambda match: match[1] + table + "\n" + match[2], text), encoding="utf-8")


if __name__ == "__main__":
    main()
