"""What the page's files must be, since nothing builds or checks them on their way to a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jackfield.admin.page import POLICY

STATIC = Path(__file__).parents[2] / "src/jackfield/admin/static"
OURS = [file for file in sorted(STATIC.rglob("*.*")) if file.parent.name != "vendor"]
SCRIPTS = [file for file in OURS if file.suffix == ".js"]
LONGEST = 300
# A script that a model's answer could reach, a style the policy refuses, a request to somewhere else.
BANNED = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function|"
    r"[\s\"']style=\"|\son[a-z]+=\"|(?:src|href)=\"(?:https?:)?//|\burl\((?!#)|@import"
)
IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*?from\s+"([^"]+)";|^import\s+"([^"]+)";""", re.MULTILINE)


def name(file: Path) -> str:
    return file.relative_to(STATIC).as_posix()


@pytest.mark.parametrize("file", OURS, ids=name)
def test_a_file_is_short_and_does_nothing_that_the_policy_is_there_to_stop(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert BANNED.findall(text) == []


@pytest.mark.parametrize("file", SCRIPTS, ids=name)
def test_a_script_imports_what_is_there(file: Path) -> None:
    assert [found for found in imports_of(file) if not found.is_file()] == []


def test_what_the_first_view_imports_is_loaded_at_once() -> None:
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    loaded = set(re.findall(r'rel="modulepreload" href="([^"]+)"', index))
    needed: set[Path] = set()
    pending = [STATIC / "app.js"]
    while pending:
        for found in imports_of(pending.pop()):
            if found not in needed:
                needed.add(found)
                pending.append(found)
    assert loaded == {name(file) for file in needed}


def test_the_policy_lets_nothing_in_from_elsewhere_and_no_script_inside_a_page() -> None:
    assert "default-src 'none'" in POLICY
    assert "script-src 'self';" in POLICY
    assert "style-src 'self';" in POLICY
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'none'" in POLICY


def imports_of(file: Path) -> list[Path]:
    text = file.read_text(encoding="utf-8")
    return [(file.parent / (a or b)).resolve() for a, b in IMPORT.findall(text)]
