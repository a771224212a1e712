"""A config in a home of its own, loaded with variables of the test's choice."""

from __future__ import annotations

from pathlib import Path

from jackfield.config.load import Checked, check_config, load_config
from jackfield.config.paths import Paths, locate
from jackfield.config.schema import Config


def write(folder: Path, text: str | bytes, name: str = "jackfield.json") -> Paths:
    """Write a file into a folder that is the home; return the home's paths."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return locate({"JACKFIELD_HOME": str(folder)})


def load(folder: Path, text: str, **environ: str) -> Config:
    """Load a config text; raises what loading raises."""
    return load_config(write(folder, text), environ, cwd=folder / "nowhere")


def check(folder: Path, text: str, **environ: str) -> Checked:
    """Load a config text that may have issues."""
    return check_config(write(folder, text), environ, cwd=folder / "nowhere")
