"""Plugins of installed packages, in real processes with a package on their path; and what plugins cost at the start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import run, write_config
from tests.plugins.folder import plugin_home, switched_on, write_code, write_row
from tests.test_imports import command, modules_after

CODE = """
from jackfield.model import Model, ProviderInfo
def providers():
    yield ProviderInfo(id="packed", base_url="http://127.0.0.1:9/v1", key_optional=True, models=(Model(id="m"),))
"""
METADATA = "Metadata-Version: 2.1\nName: acme-kit\nVersion: 2.5\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the package `acme-kit` in a folder of Python's path."""
    site = tmp_path / "site"
    about = site / "acme_kit-2.5.dist-info"
    about.mkdir(parents=True)
    about.joinpath("METADATA").write_text(METADATA, encoding="utf-8")
    entries = "[jackfield.plugins]\nkit = acme_kit\nqwen-portal-auth = acme_kit\ngone = acme_gone:plugin\n"
    about.joinpath("entry_points.txt").write_text(entries, encoding="utf-8")
    site.joinpath("acme_kit.py").write_text(CODE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(site))
    return site


def test_a_package_is_listed_and_off_until_it_is_enabled(package: Path) -> None:
    row = run("plugins", "info", "kit", "--json").json()
    assert (row["origin"], row["version"], row["source"], row["status"]) == ("package", "2.5", "acme-kit", "disabled")
    assert "packed/m" not in run("models", "list", "--all", "--plain").out

    assert run("plugins", "enable", "kit").code == 0
    assert "packed/m" in run("models", "list", "--all", "--plain").out
    assert run("plugins", "info", "kit", "--json").json()["providerIds"] == ["packed"]
    assert "pip uninstall acme-kit" in run("plugins", "uninstall", "kit").err


def test_no_package_takes_the_place_of_a_bundled_plugin(package: Path) -> None:
    assert run("plugins", "info", "qwen-portal-auth", "--json").json()["origin"] == "bundled"


def test_a_package_that_cannot_be_imported_is_named_and_stops_nothing(package: Path) -> None:
    write_config(json.dumps(switched_on("gone", "kit")))
    listed = run("models", "list", "--all", "--plain")

    assert listed.code == 0
    assert "packed/m" in listed.out
    assert "plugin 'gone' is left out: ModuleNotFoundError: No module named 'acme_gone'" in listed.err
    said = {row["id"]: row for row in run("plugins", "list", "--json").json()["plugins"]}
    assert (said["gone"]["status"], said["kit"]["status"]) == ("error", "enabled")
    assert "acme_gone" in said["gone"]["reason"]
    assert "broken plugin: gone: ModuleNotFoundError" in run("plugins", "doctor").out


@pytest.mark.parametrize("ids", [[], ["qwen-portal-auth"], ["of-another-program"]], ids=["none", "bundled", "foreign"])
def test_a_start_without_plugins_of_ones_own_reads_no_package(home: Path, ids: list[str]) -> None:
    write_row(plugin_home(home).parent)
    write_config(json.dumps(switched_on(*ids)))
    modules = modules_after(command("models", "list"))

    assert not modules & {"importlib.metadata", "jackfield.plugins.install", "zipfile"}
    assert ("jackfield.plugins.find" in modules) is bool(ids)


def test_a_plugin_of_a_folder_costs_no_look_at_packages(home: Path, package: Path) -> None:
    write_code(plugin_home(home), CODE)
    write_config(json.dumps(switched_on("mine")))
    program = command("models", "list", "--all")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\nprint('importlib.metadata' in sys.modules)"],
        capture_output=True, encoding="utf-8", check=True, env=dict(os.environ),
    )  # fmt: skip

    assert done.stdout.endswith("False\n")
    assert "packed" in done.stdout
