"""The page's pure modules, run by node without a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import jackfield.admin
from tests.patience import PATIENCE_S

STATIC = Path(jackfield.admin.__file__).parent / "static"
NODE = shutil.which("node")
NEEDS_NODE = pytest.mark.skipif(NODE is None, reason="there is no node on this machine")


def run_module(folder: Path, imports: str, body: str, **given: Any) -> Any:
    """Return what a script returns that imports names of a module of the playground: `{splitBlocks} from markdown.js`."""
    home = folder / "static"
    if not home.exists():
        shutil.copytree(STATIC, home)
        (home / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    names, _, module = imports.partition(" from ")
    said = f"""
import {names} from "./views/playground/{module}";
const given = {json.dumps(given)};
const made = await (async () => {{ {body} }})();
process.stdout.write(JSON.stringify(made ?? null));
"""
    script = home / "run.js"
    script.write_text(said, encoding="utf-8")
    done = subprocess.run([str(NODE), str(script)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
