"""Puts other people's clients into folders of their own, by exact version and hash; what is there already stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
INSTALL_S = 300


def install(package: str, folder: Path) -> Path:
    """Return the folder of a package's programs."""
    place = folder / package
    is_npm = (HERE / "npm" / package).is_dir()
    mark = place / ".installed"
    lock = HERE / "npm" / package / "package-lock.json" if is_npm else HERE / "pip" / f"{package}.txt"
    if not mark.exists() or mark.read_text(encoding="utf-8") != lock.read_text(encoding="utf-8"):
        shutil.rmtree(place, ignore_errors=True)
        (_install_npm if is_npm else _install_pip)(package, place)
        shutil.copy(lock, mark)
    return place / ("node_modules/.bin" if is_npm else "bin")


def _install_npm(package: str, place: Path) -> None:
    shutil.copytree(HERE / "npm" / package, place)
    _run("npm", "ci", "--no-audit", "--no-fund", "--prefix", str(place))


def _install_pip(package: str, place: Path) -> None:
    _run(sys.executable, "-m", "venv", str(place))
    _run(str(place / "bin" / "pip"), "install", "-q", "--require-hashes", "-r", str(HERE / "pip" / f"{package}.txt"))


def _run(*command: str) -> None:
    environ = {**os.environ, "npm_config_update_notifier": "false", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(command, check=True, timeout=INSTALL_S, env=environ, capture_output=True)
