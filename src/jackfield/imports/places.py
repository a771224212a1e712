"""Where each tool keeps its files, as data: one row per tool, patterns under the platform's own directories.

`{home}`, `{cwd}`, `{config}`, `{data}`, `{app}` and `{local}` are directories (see `roots`); a variable of the tool's own
comes first. A `*` is one name. Pure: opens nothing and looks at nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from jackfield.config.paths import find_home

Part = Literal["models", "keys", "logins"]


class Place(Struct, frozen=True, kw_only=True):
    """One tool that can be imported from."""

    parser: str  # module:function under jackfield.imports
    files: tuple[str, ...]  # relative to each of its directories
    folders: tuple[str, ...]
    variable: str = ""  # names the directory instead
    parts: tuple[Part, ...] = ("models", "keys", "logins")
    usual: tuple[Part, ...] = ("models", "keys")  # without --only; a sign-in is taken on request alone
    title: str = ""
    includes: str = ""  # the file that may have parts of it in others, by `$include`


OPENCODE_FILES = ("opencode.json", "opencode.jsonc", "config.json", "auth.json")
PLACES: dict[str, Place] = {
    "openclaw": Place(
        title="OpenClaw",
        includes="openclaw.json",
        parser="openclaw:parse_openclaw",
        variable="OPENCLAW_STATE_DIR",
        folders=("{home}/.openclaw",),
        files=("openclaw.json", "agents/main/agent/auth-profiles.json", "agents/*/agent/auth-profiles.json", "credentials/oauth.json", ".env"),
    ),
    "kilo": Place(
        title="Kilo Code",
        parser="kilo:parse_kilo",
        folders=("{config}/kilo", "{data}/kilo", "{home}/.kilocode/cli"),
        files=("kilo.json", "kilo.jsonc", "config.json", "opencode.json", "auth.json", "kilo-code-settings.json"),
    ),
    "litellm": Place(
        title="LiteLLM", parser="litellm:parse_litellm", folders=("{cwd}",), parts=("models", "keys"),
        files=("litellm_config.yaml", "litellm.config.yaml", "litellm-config.yaml", "config.yaml"),
    ),
    "llm": Place(
        title="llm", parser="llm:parse_llm", variable="LLM_USER_PATH", folders=("{app}/io.datasette.llm",), parts=("models", "keys"),
        files=("keys.json", "extra-openai-models.yaml", "default_model.txt", "aliases.json"),
    ),
    "aichat": Place(
        title="aichat", parser="aichat:parse_aichat", variable="AICHAT_CONFIG_DIR", folders=("{app}/aichat",), parts=("models", "keys"),
        files=("config.yaml", ".env"),
    ),
    "opencode": Place(
        title="opencode", parser="opencode:parse_opencode", folders=("{config}/opencode", "{data}/opencode"), files=OPENCODE_FILES,
    ),
    "codex": Place(
        title="Codex", parser="codex:parse_codex", variable="CODEX_HOME", folders=("{home}/.codex",),
        files=("config.toml", "*.config.toml", "auth.json"),
    ),
    "qwen": Place(
        title="Qwen Code", parser="logins:parse_qwen", folders=("{home}/.qwen",), files=("oauth_creds.json",),
        parts=("logins",), usual=("logins",),
    ),
    "gemini": Place(
        title="Gemini CLI", parser="logins:parse_gemini", folders=("{home}/.gemini",), files=("oauth_creds.json",),
        parts=("logins",), usual=("logins",),
    ),
    "copilot": Place(
        title="GitHub Copilot", parser="logins:parse_copilot", folders=("{config}/github-copilot", "{local}/github-copilot"),
        files=("apps.json", "hosts.json"), parts=("logins",), usual=("logins",),
    ),
}  # fmt: skip


def folders_of(place: Place, environ: Mapping[str, str], cwd: Path, platform: str) -> tuple[Path, ...]:
    """Return the directories a tool may have its files in; the tool's own variable names the only one."""
    named = environ.get(place.variable, "").strip() if place.variable else ""
    if named:
        return (Path(named),)
    at = roots(environ, cwd, platform)
    return tuple(dict.fromkeys(Path(folder.format_map(at)) for folder in place.folders))


def roots(environ: Mapping[str, str], cwd: Path, platform: str) -> dict[str, str]:
    """Return the directories that the patterns name; `platform` is Python's `sys.platform`."""
    home = find_home(environ) or str(cwd)
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    app = {
        "darwin": f"{home}/Library/Application Support",
        "win32": environ.get("APPDATA") or f"{home}/AppData/Roaming",
    }
    return {
        "home": home,
        "cwd": str(cwd),
        "config": config,
        "data": environ.get("XDG_DATA_HOME") or f"{home}/.local/share",
        "app": app.get(platform, config),
        "local": environ.get("LOCALAPPDATA") or f"{home}/AppData/Local",
    }
