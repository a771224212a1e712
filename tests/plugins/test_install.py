"""`plugins install`: what comes in, what is refused, and that nothing enables itself."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from jackfield.errors import ConfigError
from jackfield.plugins import install as installer
from jackfield.plugins.install import install
from jackfield.plugins.manifest import LIMIT
from tests.commands import run, write_config
from tests.plugins.folder import ROW, plugin_home, write_code, write_row


def write_tar(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def write_zip(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


MANIFEST = ("acme-1.0/jackfield.plugin.json", b'{"id": "acme-kit", "version": "1.0"}')
ACME = ("acme-1.0/acme.toml", ROW.encode())


def test_a_row_is_installed_enabled_listed_and_removed(home: Path, tmp_path: Path) -> None:
    path = write_row(tmp_path)
    done = run("plugins", "install", str(path))
    assert (done.code, done.out) == (0, 'Installed plugin "acme".\n')
    assert "jackfield plugins enable acme" in done.err
    assert not (home / ".jackfield" / "jackfield.json").exists()
    assert "acme/small" not in run("models", "list", "--all", "--plain").out

    assert run("plugins", "enable", "acme").code == 0
    assert "acme/small" in run("models", "list", "--all", "--plain").out
    row = run("plugins", "info", "acme", "--json").json()
    assert (row["status"], row["origin"], row["providerIds"]) == ("enabled", "home", ["acme"])

    assert run("plugins", "uninstall", "acme").out == 'Removed plugin "acme".\n'
    assert list(plugin_home(home).iterdir()) == []
    assert "acme" not in (home / ".jackfield" / "jackfield.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("write", [write_tar, write_zip], ids=["tar", "zip"])
def test_an_archive_of_a_folder_is_installed_under_its_id(home: Path, tmp_path: Path, write: object) -> None:
    assert callable(write)
    path = write(tmp_path / ("kit.zip" if write is write_zip else "kit.tar.gz"), MANIFEST, ACME)

    assert run("plugins", "install", str(path), "--json").json()["id"] == "acme-kit"
    assert {each.name for each in (plugin_home(home) / "acme-kit").iterdir()} == {"jackfield.plugin.json", "acme.toml"}
    assert list(plugin_home(home).iterdir()) == [plugin_home(home) / "acme-kit"]


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil", "C:evil", "\\\\host\\evil"]
)
@pytest.mark.parametrize("write", [write_tar, write_zip], ids=["tar", "zip"])
def test_an_archive_that_leads_out_of_itself_is_refused(home: Path, tmp_path: Path, write: object, name: str) -> None:
    assert callable(write)
    path = write(tmp_path / ("kit.zip" if write is write_zip else "kit.tgz"), MANIFEST, ACME, (name, b"x"))
    with pytest.raises(ConfigError, match="leads out of it"):
        install(path, plugin_home(home))

    assert list(plugin_home(home).iterdir()) == []
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_an_archive_holds_files_and_folders_only(home: Path, tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "kit.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(ConfigError, match="neither a file nor a folder"):
        install(path, plugin_home(home))


@pytest.mark.parametrize("write", [write_tar, write_zip], ids=["tar", "zip"])
def test_what_unpacks_to_too_much_is_refused(home: Path, tmp_path: Path, write: object) -> None:
    assert callable(write)
    path = write(tmp_path / ("k.zip" if write is write_zip else "k.tgz"), MANIFEST, ("big", bytes(installer.LIMIT)))
    with pytest.raises(ConfigError, match="at most"):
        install(path, plugin_home(home))


def test_an_archive_that_is_none_is_refused(home: Path, tmp_path: Path) -> None:
    for name in ("a.zip", "a.tar.gz", "a.tar.xz"):
        (tmp_path / name).write_bytes(b"not an archive")
        with pytest.raises(ConfigError, match="cannot unpack"):
            install(tmp_path / name, plugin_home(home))


def test_a_folder_is_copied_without_its_links_or_linked_as_a_whole(home: Path, tmp_path: Path) -> None:
    own = write_code(tmp_path, "", "mine")
    (own / "secret").symlink_to("/etc/passwd")
    (own / "__pycache__").mkdir()
    install(own, plugin_home(home))
    assert {each.name for each in (plugin_home(home) / "mine").iterdir()} == {"jackfield.plugin.json", "plugin.py"}

    with pytest.raises(ConfigError, match="is there already"):
        install(own, plugin_home(home))
    assert run("plugins", "uninstall", "mine").code == 0
    assert run("plugins", "install", "--link", str(own)).code == 0
    assert (plugin_home(home) / "mine").resolve() == own
    assert run("plugins", "uninstall", "mine").code == 0
    assert own.is_dir()


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("{", "broken"),
        ('{"name": "no id"}', "broken"),
        ('{"id": "../up"}', "names no folder"),
        ('{"id": ""}', "broken"),
    ],
    ids=["json", "no id", "leads up", "empty"],
)
def test_a_folder_with_a_bad_manifest_is_refused(home: Path, tmp_path: Path, manifest: str, said: str) -> None:
    own = write_code(tmp_path, "")
    own.joinpath("jackfield.plugin.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        install(own, plugin_home(home))

    assert list(plugin_home(home).iterdir()) == []


def test_of_a_package_the_command_for_pip_is_printed_and_not_run() -> None:
    for spec in ("acme-plugin", "acme[x]==1.0", "git+https://acme.example/kit"):
        done = run("plugins", "install", spec)
        assert done.code == 0
        assert "-m pip install" in done.out
        assert done.out.strip().strip("'").endswith(spec)
    assert run("plugins", "install", "./nothing.toml").code == 1
    assert run("plugins", "install", "nothing.tar.gz").code == 1


def test_bundled_ones_and_those_elsewhere_are_not_removed(tmp_path: Path) -> None:
    path = write_row(tmp_path)
    write_config(json.dumps({"plugins": {"load": {"paths": [str(path)]}}}))

    assert "bundled" in run("plugins", "uninstall", "qwen-portal-auth").err
    assert "was not installed here" in run("plugins", "uninstall", "acme").err
    assert "unknown plugin" in run("plugins", "uninstall", "nope").err
    assert path.exists()


def test_an_archive_is_not_linked(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be linked"):
        install(write_tar(tmp_path / "kit.tgz", MANIFEST, ACME), plugin_home(home), link=True)


def test_a_file_or_folder_that_is_no_plugin_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(ConfigError, match="is no plugin"):
            install(path, plugin_home(home))


def test_a_row_of_megabytes_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"acme\.toml is over"):
        install(write_row(tmp_path, ROW + "#" * LIMIT), plugin_home(home))


def test_a_home_that_cannot_hold_plugins_is_told(home: Path, tmp_path: Path) -> None:
    (home / "plugins").write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot write"):
        install(write_row(tmp_path), home / "plugins")
