"""What is installed: a wheel of the project, built as a release is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PAGE = "jackfield/admin/static/"


def test_a_wheel_holds_every_file_of_the_page(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    source = ROOT / "src"
    files = {file.relative_to(source).as_posix() for file in (source / PAGE).rglob("*") if file.is_file()}

    assert PAGE + "index.html" in files
    assert {name for name in ZipFile(wheel).namelist() if name.startswith(PAGE)} == files
