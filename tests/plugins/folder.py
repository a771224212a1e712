"""Plugins on a disk: rows, folders and the config that enables them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jackfield.config.default import load_default
from jackfield.plugins.load import Plugins

ROW = 'id = "acme"\nname = "Acme"\nbaseUrl = "http://127.0.0.1:9/v1"\nkeyOptional = true\n[[models]]\nid = "small"\n'
# A sign-in on another device at a server of the test's own: a format.
DEVICE = """
[[auth]]
choice = "acme-device"
kind = "device-code"
label = "Acme on another device"
[auth.flow]
engine = "device"
deviceUrl = "{url}/device"
tokenUrl = "{url}/token"
"""


def plugin_home(home: Path) -> Path:
    """Return the user's folder of plugins, made."""
    folder = home / ".jackfield" / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_row(folder: Path, text: str = ROW, name: str = "acme") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def write_code(folder: Path, code: str, plugin_id: str = "mine", **manifest: Any) -> Path:
    """Write a plugin's folder and return it."""
    own = folder / plugin_id
    own.mkdir(parents=True)
    own.joinpath("jackfield.plugin.json").write_text(json.dumps({"id": plugin_id, **manifest}), encoding="utf-8")
    own.joinpath("plugin.py").write_text(code, encoding="utf-8")
    return own


def switched_on(*ids: str, **more: Any) -> dict[str, Any]:
    """Return a config that enables plugins."""
    return {"plugins": {"entries": {name: {"enabled": True} for name in ids}, **more}}


def load(*ids: str, **more: Any) -> Plugins:
    """Load plugins of the test's home by a config that enables them."""
    return Plugins(load_default(switched_on(*ids, **more)))
