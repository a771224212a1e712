"""One key, put everywhere a key may come from: every command of the program runs, and no place but the store holds it.

With the key in the file store each command is started once as the installed one is, imports and all: that no command
wants an import which another one made is shown here for all of them. Otherwise, and with the keyring, they are forks.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import click
import pytest

from jackfield.cli.main import main
from tests import forks
from tests.patience import LOOK_S, PATIENCE_S
from tests.plugins.folder import DEVICE, write_row
from tests.servers import HANG, Received, Step, json_reply, serve, sse_reply
from tests.terminals import interrupt, open_terminal, pexpect

STORE = ".jackfield/auth-profiles.json"
RING = ".local/share/python_keyring/keyring_pass.cfg"  # of the keyring on files, below the home
KEYRING = {"PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
ACME = (
    """
id = "acme"
name = "Acme"
baseUrl = "{url}/v1"
"""
    + DEVICE
    + """[[models]]
id = "small"
"""
)


@dataclass(frozen=True)
class Run:
    """One command line: what it is fed, when it is stopped, how it ends."""

    words: str
    stdin: str = ""
    code: int = 0
    until: str = ""  # stopped by Ctrl-C once it has shown this
    asks: tuple[tuple[str, str], ...] = ()  # before that, of the address it showed: path, body
    typed: tuple[tuple[str, str], ...] = ()  # on a terminal: what it asks, what is answered
    env: Mapping[str, str] = field(default_factory=dict)


SAY = '"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 9}'
CALLS = (
    ("/v1/chat/completions", '{"model": "box/m", ' + SAY),
    ("/v1/chat/completions", '{"model": "box/good", ' + SAY),
    ("/v1/chat/completions", '{"model": "shelf/m", "stream": true, ' + SAY),
    ("/v1/messages", '{"model": "box/m", ' + SAY),
    ("/v1/models", ""),
    ("/healthz", ""),
    ("/metrics", ""),
    ("/nowhere", ""),
)
CTRL_C = "\x03"
KEY_IN = "{canary}\n"  # piped in
# In this order, each behind `-v --offline`; whatever is new in the program gets its row here (a test compares).
# `REFUSED`: the server says the key back in its error.
REFUSED = 1
RUNS = (
    Run("onboard --non-interactive --auth-choice openrouter-api-key --json", env={"OPENROUTER_API_KEY": "{canary}"}),
    Run("onboard --auth-choice anthropic-api-key --secret-input-mode ref", env={"ANTHROPIC_API_KEY": "{canary}"}),
    Run("models auth paste-api-key --provider shelf", KEY_IN),
    Run("models auth paste-api-key --provider shelf --profile-id work --json", 'export BOX_KEY="{canary}"\n'),
    Run("models auth paste-token --provider shelf --profile-id token --expires-in 1d --json", KEY_IN),
    Run("models auth setup-token", KEY_IN),
    Run("models auth setup-token --json", "{canary}" * 3),
    Run("models auth add", typed=((r"\[1\]: ", "venice"), ("Keep it as", ""), ("key", KEY_IN))),
    Run("plugins list --verbose"),
    Run("plugins list --json"),
    Run("plugins enable acme"),
    Run("plugins info acme --json"),
    Run("plugins doctor"),
    Run("plugins doctor --json"),
    Run("plugins install {cwd}/other.toml --json"),
    Run("plugins uninstall other --json"),
    Run("models auth login --provider acme", typed=(("enter the code", ""),)),
    Run("models auth login-github-copilot", code=1, typed=(("(?s)public client|offline|client id", ""),)),
    Run("models auth login --provider acme", code=1),
    Run("plugins disable acme --json"),
    Run("import openclaw {old}/auth-profiles.json --dry-run"),
    Run("import openclaw {old}/auth-profiles.json --yes --json"),
    Run("configure --section allowlist", code=130, typed=(("(?i)model", CTRL_C),)),
    Run("configure", code=1),
    Run("chat Hello", code=REFUSED),
    Run("chat --json Hello", code=REFUSED),
    Run("chat -m shelf/m --json --record {cwd}/tape Hello", code=REFUSED),
    Run("chat -m shelf/m@shelf:work Hello", code=REFUSED),
    Run("chat -m box/good Hello"),
    Run("chat -m box/good --record {cwd}/tape --json Hello"),
    Run("chat -m box/good --replay {cwd}/tape --json Hello"),
    Run("chat -m box/good", typed=((">", "/exit"),)),
    Run("tokens Hello"),
    Run("tokens --json Hello"),
    Run("embed -m box/m Hello", code=REFUSED),
    Run("embed -m box/good --json Hello"),
    Run("models"),
    Run("models list --json"),
    Run("models list --all --provider box"),
    Run("models status"),
    Run("models status --json"),
    Run("models status --probe --json"),
    Run("models status --check", code=2),
    Run("models refresh box shelf"),
    Run("models refresh box --json"),
    Run("models scan --no-input --json", code=REFUSED),
    Run("models why --json"),
    Run("models why shelf/m"),
    Run("budget"),
    Run("budget show --json"),
    Run("budget reset --json"),
    Run("models audit --json", code=1),
    Run("models audit", code=1),
    Run("models set box/m"),
    Run("models set-image box/good --json"),
    Run("models aliases add quick box/m"),
    Run("models aliases list --json"),
    Run("models aliases remove quick"),
    Run("models fallbacks add shelf/m"),
    Run("models fallbacks list --json"),
    Run("chat Hello", code=REFUSED),
    Run("models fallbacks remove shelf/m"),
    Run("models fallbacks clear"),
    Run("models image-fallbacks add shelf/m"),
    Run("models image-fallbacks list"),
    Run("models image-fallbacks remove shelf/m --json"),
    Run("models image-fallbacks clear"),
    Run("models auth list"),
    Run("models auth list --json"),
    Run("models auth order set --provider shelf shelf:work shelf:default"),
    Run("models auth order get --provider shelf --json"),
    Run("models auth order clear --provider shelf"),
    Run("config"),
    Run("config file --json"),
    Run("config get --json"),
    Run("config get models.providers.box.apiKey"),
    Run("config get env --json", code=1),
    Run("config set models.providers.box.name Box"),
    Run("config set models.providers.box.name Box --dry-run --json", code=2),
    Run("config unset models.providers.box.name"),
    Run("config history"),
    Run("config history --json"),
    Run("config undo --json"),
    Run("config validate --json"),
    Run("config schema"),
    Run("doctor", code=1),
    Run("doctor --json", code=1),
    Run("doctor --net", code=1),
    Run("doctor --net --json", code=1),
    Run("doctor --fix --yes", code=1),
    Run("health"),
    Run("health list --json"),
    Run("health reset --all --json"),
    Run("batch {cwd}/rows.jsonl {cwd}/answers.jsonl --json", code=1),
    Run("gateway keys create app --json"),
    Run("gateway keys list --json"),
    Run("gateway keys revoke app --json"),
    Run("gateway --port 0 --auth none", code=130, until="http://", asks=(("/v1/models", ""),)),
    Run("gateway run --port 0 --auth none", code=130, until="http://", asks=CALLS),
    Run("usage --json"),
    Run("usage"),
    Run("convert openai-completions anthropic-messages --json", '{{"model": "m", "messages": []}}'),
    Run("fake", code=130, until="A scripted provider answers"),
    Run("demo", env={"PATH": ""}),
    Run("completion bash"),
    Run("nonsense", code=2),
    Run("config set models.providers.box.baseUrl {url}/hang"),
    Run("chat -m box/good Hello", code=130, typed=(("Slowly", CTRL_C),)),
    Run("models auth logout shelf:work --yes --json"),
)


# -- the other side: it says the key back, as some servers do ----------------------


def answer(received: Received) -> list[Step]:
    """Refuse with the key in words, but serve the model `good`, lists and a sign-in."""
    named = received.json() if received.body[:1] == b"{" else {}
    match received.target:
        case "/device":
            code = {"device_code": "d1", "user_code": "ABCD", "verification_uri": "https://acme.example/d"}
            return json_reply({**code, "interval": 1})
        case "/token":
            return json_reply({"access_token": CANARY, "refresh_token": f"r{CANARY}", "expires_in": 3600})
        case "/v1/models":
            return json_reply({"data": [{"id": "m"}, {"id": "good"}]})
        case "/free/models":
            free = {"id": "acme/big-70b:free", "context_length": 8192, "pricing": {"prompt": "0", "completion": "0"}}
            return json_reply({"data": [{**free, "supported_parameters": ["tools"]}]})
        case "/hang/chat/completions":
            return sse_reply({"choices": [{"index": 0, "delta": {"content": "Slowly"}}]}, HANG)
        case "/v1/embeddings" if named.get("model") == "good":
            return json_reply({"data": [{"index": 0, "embedding": [0.5]}], "model": "good", "usage": {}})
    if named.get("model") == "good":
        message = {"role": "assistant", "content": "OK."}
        return json_reply({"id": "1", "model": "good", "choices": [{"message": message, "finish_reason": "stop"}]})
    said = received.headers.get("authorization", "")
    return json_reply({"error": {"message": f"bad key in {said!r}", "param": said}}, 401, x_echo=said)


CANARY = f"sk-canary/{secrets.token_urlsafe(9)}+{secrets.token_hex(8)}=Zq"
HALF = len(CANARY) // 2


def spellings() -> dict[str, bytes]:
    """Return the forms in which the key must not be found."""
    # Wherever it stands in a longer text, one of three shifts is its base64; the ends depend on the neighbours.
    shifted = {f"base64 +{at}": base64.b64encode(b"x" * at + CANARY.encode())[8:-8].decode() for at in range(3)}
    words = {
        "plain": CANARY, "first half": CANARY[:HALF], "second half": CANARY[HALF:], "backwards": CANARY[::-1],
        "quoted": quote(CANARY, safe=""), "quoted as a form": quote_plus(CANARY), "as JSON": CANARY.replace("/", "\\/"),
        "hex": CANARY.encode().hex(), **shifted,
    }  # fmt: skip
    return {name: text.encode() for name, text in words.items()}


def found_in(data: bytes) -> list[str]:
    return [name for name, spelling in spellings().items() if spelling in data]


def holders(*folders: Path) -> dict[str, list[str]]:
    """Return the files that hold the key, in their name or their content, and in which forms."""
    files = {path: folder for folder in folders for path in folder.rglob("*")}
    names = {path: str(path.relative_to(folder)) for path, folder in files.items()}
    seen = {
        names[path]: found_in(names[path].encode() + (path.read_bytes() if path.is_file() else b"")) for path in files
    }
    return {name: forms for name, forms in seen.items() if forms}


@contextmanager
def watched() -> Iterator[set[bytes]]:
    """Collect every command line of this machine while the block runs."""
    lines: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        looks: Counter[str] = Counter()
        while not over.wait(0.01):
            with os.scandir("/proc") as entries:
                listed = {entry.name for entry in entries if entry.name.isdigit()}
            # What a process is called by is settled soon after its start; to read all of them each time is half a core.
            for name in listed:
                if looks[name] < 20:
                    looks[name] += 1
                    with suppress(OSError):  # it has ended
                        lines.add(Path("/proc", name, "cmdline").read_bytes())
            for name in looks.keys() - listed:
                del looks[name]

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lines
    finally:
        over.set()
        thread.join()


# -- running -----------------------------------------------------------------------

FIRST = ("-v", "--offline")


def execute(run: Run, env: Mapping[str, str], places: Mapping[str, str], *, start: bool) -> tuple[int, bytes]:
    """Run one row, from its very start or as a fork; return its code and all that it showed."""
    words = [*FIRST, *(word.format_map(places) for word in run.words.split())]
    env = {**env, **{name: text.format_map(places) for name, text in run.env.items()}}
    if run.typed:
        return on_terminal(words, run, env, places, start=start)
    given = run.stdin.format_map(places).encode()
    if not (start or run.until):
        done = forks.run(words, stdin=given, env=env, cwd=places["cwd"], timeout_s=PATIENCE_S)
        return done.returncode, done.stdout + done.stderr
    command = [sys.executable, "-m", "jackfield", *words]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=places["cwd"]
    )
    first = b""
    if run.until:
        assert child.stdout
        while run.until.encode() not in first:
            first += child.stdout.readline()
        address = re.search(rb"http://127\.0\.0\.1:\d+", first)
        first += b"".join(call(address[0].decode() + path, body) for path, body in run.asks if address)
        child.send_signal(signal.SIGINT)
    out, err = child.communicate(given, timeout=PATIENCE_S)
    return child.returncode, first + out + err


def call(url: str, body: str) -> bytes:
    """Ask a server that has just been started; return all it says, its headers too."""
    request = urllib.request.Request(url, body.encode() or None, {"content-type": "application/json"})
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
                return str(reply.headers).encode() + reply.read()
        except urllib.error.HTTPError as error:
            return str(error.headers).encode() + error.read()
        except ConnectionError:  # it says where it listens before it does
            time.sleep(LOOK_S)
        except urllib.error.URLError:
            time.sleep(LOOK_S)
    raise AssertionError(f"{url} does not answer")


def on_terminal(
    words: list[str], run: Run, env: Mapping[str, str], places: Mapping[str, str], *, start: bool
) -> tuple[int, bytes]:
    shown: list[bytes] = []
    env = {**env, "TERM": "dumb", "PROMPT_TOOLKIT_NO_CPR": "1"}
    child = open_terminal(*words, env=env, cwd=places["cwd"], size=(50, 400), start=start)
    for question, reply in run.typed:
        child.expect(question)
        shown += [child.before, child.after]
        text = reply.format_map(places)
        if text == CTRL_C:
            interrupt(child)
        else:
            child.send(text.rstrip("\n") + "\r")
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus if child.exitstatus is not None else -child.signalstatus, b"".join([*shown, child.before])


def leaves(command: click.Command, path: str = "") -> Iterator[str]:
    """Yield every command of the program that does something itself."""
    if not isinstance(command, click.Group):
        yield path.strip()
        return
    if command.invoke_without_command:
        yield path.strip()
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child, name
        yield from leaves(child, f"{path} {name}")


def leaf_of(run: Run) -> str:
    """Return the command of a row: the longest name that its words begin with."""
    return max((leaf for leaf in ["", *leaves(main)] if f"{run.words} ".startswith(f"{leaf} ")), key=len, default="")


def first_runs() -> list[bool]:
    """Tell of each row whether it is the first of its command: that one shows what a real start imports."""
    commands = [leaf_of(run) for run in RUNS]
    return [command not in commands[:at] for at, command in enumerate(commands)]


def test_every_command_has_a_row() -> None:
    assert set(leaves(main)) <= {leaf_of(run) for run in RUNS}


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc")
@pytest.mark.parametrize("kept_in", ["file", "keyring"])
def test_whatever_runs_the_key_is_in_the_store_and_nowhere_else(home: Path, tmp_path: Path, kept_in: str) -> None:
    folders = {name: tmp_path / name for name in ("cwd", "tmp", "old")}
    for folder in folders.values():
        folder.mkdir()
    env = {**os.environ, **(KEYRING if kept_in == "keyring" else {}), "BOX_KEY": CANARY, "TMPDIR": str(folders["tmp"])}
    env["JACKFIELD_ACME_OAUTH_CLIENT_ID"] = "our-client"
    with serve(answer) as server, watched() as lines:
        path = lay_out(home, folders, server.url, kept_in)
        places = {"canary": CANARY, "url": server.url, **{name: str(folder) for name, folder in folders.items()}}
        for run, is_first in zip(RUNS, first_runs(), strict=True):
            code, shown = execute(run, env, places, start=kept_in == "file" and is_first)
            assert (run.words, code) == (run.words, run.code), shown[-2000:].decode()
            assert (run.words, found_in(shown)) == (run.words, [])
            assert b"Traceback" not in shown, run.words
    assert f"Bearer {CANARY}" in {received.headers.get("authorization") for received in server.journal}
    assert any(b"jackfield" in line for line in lines)
    assert [line for line in lines if found_in(line)] == []
    assert set(holders(home, folders["cwd"], folders["tmp"])) == {RING if kept_in == "keyring" else STORE}
    root = json.loads(path.read_text(encoding="utf-8"))
    assert root["models"]["providers"]["box"]["apiKey"] == "${BOX_KEY}"


def lay_out(home: Path, folders: Mapping[str, Path], url: str, kept_in: str) -> Path:
    """Write a set-up that names the key and holds it nowhere; return the config."""
    write_row(folders["cwd"], ACME.format(url=url).replace("acme", "other"), "other")
    rows = ({"model": model, "prompt": "Hi"} for model in ("box/good", "shelf/m"))
    (folders["cwd"] / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    own = home / ".jackfield"
    (own / "plugins").mkdir(parents=True, mode=0o700)
    own.chmod(0o700)
    write_row(own / "plugins", ACME.format(url=url))
    profile = {"type": "api_key", "provider": "openai", "key": CANARY}
    old = {"version": 1, "profiles": {"openai:old": profile}}
    (folders["old"] / "auth-profiles.json").write_text(json.dumps(old), encoding="utf-8")
    models = [{"id": "m"}, {"id": "good"}]
    box: dict[str, Any] = {"baseUrl": f"{url}/v1", "apiKey": "${BOX_KEY}", "models": models}
    root = {
        "agents": {"defaults": {"model": {"primary": "box/m"}}},
        "auth": {"store": kept_in},
        "models": {"providers": {
            "box": {**box, "headers": {"x-trace": "${BOX_KEY}"}},
            "shelf": {"baseUrl": f"{url}/v1", "models": models},
            "openrouter": {"baseUrl": f"{url}/free"},
        }},
    }  # fmt: skip
    path = own / "jackfield.json"
    path.write_text(json.dumps(root, indent=2), encoding="utf-8")
    path.chmod(0o600)
    return path
