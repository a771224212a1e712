"""A JSON file that only its owner may read: load it whole, replace it in one step.

Knows nothing of what the object means.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from jackfield.errors import ConfigError
from jackfield.message import JsonObject


def load_object(path: Path) -> JsonObject:
    """Read a JSON object; a missing or empty file is an empty one. Raises `ConfigError` naming the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}", hint=_repair(path)) from error
    try:
        root = msgspec.json.decode(text) if text.strip() else {}
    except (msgspec.DecodeError, RecursionError):
        root = _read_again(path, text)
    if not isinstance(root, dict):
        raise ConfigError(f"{path}:1: not a JSON object", hint=_repair(path))
    return root


def save_object(path: Path, root: JsonObject) -> None:
    """Replace the file by a JSON object, readable by its owner only; the caller holds its lock."""
    import json  # noqa: PLC0415  every command reads, few write

    from jackfield.config.disk import save_text  # noqa: PLC0415

    save_text(path, json.dumps(root, indent=2) + "\n")


def _read_again(path: Path, text: str) -> Any:
    # The standard library takes NaN, and knows line and column; every start would pay for its import.
    import json  # noqa: PLC0415

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigError(f"{path}{place}: not JSON", hint=_repair(path)) from error


def _repair(path: Path) -> str:
    return f"nothing was changed; correct the file, or move it away and sign in again: mv {path} {path}.broken"
