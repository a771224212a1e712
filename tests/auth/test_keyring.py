"""Secrets in a real keyring: one on files, which works without a session of a desktop."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyrings.alt.file import PlaintextKeyring
from msgspec.structs import replace

from jackfield.auth.keyring import LONGEST_ENTRY, check_keyring, delete_entry, read_entry, save_entry
from jackfield.auth.refresh import Refresher
from jackfield.auth.resolve import resolve, sources
from jackfield.auth.sealed import own_ref
from jackfield.auth.store import FileStore
from jackfield.config.paths import locate
from jackfield.config.schema import Config
from jackfield.credential import Lease, Profile, RequestAuth, Secret, SecretRef
from jackfield.errors import ConfigError, MissingKey
from jackfield.model import ProviderInfo
from jackfield.transport.http import Transport
from tests.auth.oauth_server import make_info
from tests.servers import json_reply, serve

KEY = "sk-canary-4242424242424242"
INFO = ProviderInfo(id="box", base_url="https://box.example/v1", env=("BOX_API_KEY",))
REF = SecretRef("keyring", "entry")


class Narrow(PlaintextKeyring):
    """A keyring that takes as much as Windows does: 2,560 bytes of UTF-16 per entry."""

    def set_password(self, service: str, username: str, password: str) -> None:
        assert len(password.encode("utf-16-le")) <= 2_560
        super().set_password(service, username, password)


@pytest.fixture(autouse=True)
def ring(tmp_path: Path):
    before = keyring.get_keyring()
    ring = Narrow()
    ring.file_path = str(tmp_path / "ring.cfg")
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "home" / "auth-profiles.json", keyring=True)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(paths=locate({"JACKFIELD_HOME": str(tmp_path / "home")}), auth_store="keyring")


def profile(**more: object) -> Profile:
    return Profile(**{"id": "box:me", "provider": "box", "type": "api_key", "secret": Secret(KEY), **more})


def signed_in(**more: object) -> Profile:
    return profile(type="oauth", refresh=Secret(f"refresh-{KEY}"), expires_ms=10, **more)


def own(store: FileStore) -> SecretRef:
    return own_ref("box:me", store.path)


# -- entries -----------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, LONGEST_ENTRY, LONGEST_ENTRY + 1, 5 * LONGEST_ENTRY])
def test_a_text_of_any_length_comes_back(length: int):
    text = ("ab🔑" * length)[:length] if length < LONGEST_ENTRY // 2 else ("abc" * length)[:length]
    save_entry(REF, text)
    assert read_entry(REF) == text


def test_replacing_a_long_text_leaves_no_part_of_it(ring: KeyringBackend):
    save_entry(REF, "a" * 5_000)
    save_entry(REF, "b" * 3_000)
    assert read_entry(REF) == "b" * 3_000
    save_entry(REF, "short")
    delete_entry(REF)
    delete_entry(REF)
    assert read_entry(REF) is None
    left = Path(ring.file_path).read_text("utf-8")
    assert "YWFh" not in left
    assert "YmJi" not in left


def test_a_text_that_looks_like_ours_is_kept_as_it_is():
    save_entry(REF, "jackfield-parts:0:1")
    assert read_entry(REF) == "jackfield-parts:0:1"


def test_another_service_is_named_by_the_reference():
    keyring.set_password("work", "venice", "k")
    assert read_entry(SecretRef("keyring", "venice", "work")) == "k"


def test_without_a_keyring_the_error_says_what_to_do():
    keyring.set_keyring(NoKeyring())
    with pytest.raises(ConfigError, match="keyring cannot be used") as caught:
        read_entry(REF)
    assert "jackfield config set auth.store" in caught.value.hint
    with pytest.raises(ConfigError, match="no keyring"):
        check_keyring()


# -- the store ---------------------------------------------------------------------


def test_a_key_goes_into_the_keyring_and_the_file_refers_to_it(store: FileStore, config: Config):
    store.modify("box:me", lambda _: profile())
    record = json.loads(store.path.read_text("utf-8"))["profiles"]["box:me"]
    assert record == {
        "type": "api_key",
        "provider": "box",
        "keyRef": {"source": "keyring", "provider": "default", "id": own(store).id},
    }
    assert read_entry(own(store)) == KEY
    assert store.read("box:me").secret == Secret(KEY)
    assert resolve(INFO, config, store, 0).secret == Secret(KEY)


def test_listing_opens_no_keyring(store: FileStore, config: Config):
    store.modify("box:me", lambda _: signed_in())
    keyring.set_keyring(NoKeyring())
    (listed,) = store.list()
    assert (listed.secret, listed.refresh) == (Secret(""), Secret(""))
    assert not listed.is_expired(99)
    assert [source.reason for source in sources(INFO, config, store, 0)] == [""]


def test_both_tokens_of_a_sign_in_are_one_entry_and_change_together(store: FileStore):
    store.modify("box:me", lambda _: signed_in(details={"accountId": "a1"}))
    seen = []

    def renew(old: Profile | None) -> Profile:
        seen.append((old.secret, old.refresh, old.details))
        return replace(old, secret=Secret("new" * 900), refresh=Secret("next"), expires_ms=20)

    assert store.modify("box:me", renew).secret == Secret("new" * 900)
    assert seen == [(Secret(KEY), Secret(f"refresh-{KEY}"), {"accountId": "a1"})]
    assert KEY not in store.path.read_text("utf-8")
    renewed = FileStore(store.path).read("box:me")
    assert (renewed.secret, renewed.refresh, renewed.expires_ms) == (Secret("new" * 900), Secret("next"), 20)


def test_a_new_key_replaces_the_old_one_where_it_stands(store: FileStore):
    store.modify("box:me", lambda _: profile())
    FileStore(store.path).modify("box:me", lambda old: replace(old, secret=Secret("second")))
    assert read_entry(own(store)) == "second"
    assert "second" not in store.path.read_text("utf-8")


def test_a_token_is_there_for_who_changes_it_into_another(store: FileStore):
    store.modify("box:me", lambda _: profile(type="token"))
    lease = Lease(secret=Secret(f"lease-{KEY}"), expires_ms=9)
    store.modify("box:me", lambda old: replace(old, lease=lease if old.secret == Secret(KEY) else None))
    assert KEY not in store.path.read_text("utf-8")
    found = store.read("box:me")
    assert (found.secret, found.lease) == (Secret(KEY), lease)


async def lease(store: FileStore, url: str, times: int = 1) -> list[Secret | None]:
    """Return what requests get whose token is changed into another, as a program does it that has just started."""
    info = make_info(url, exchange_url=f"{url}/lease")
    auth = RequestAuth(secret=Secret(KEY), source="test", profile_id="box:me", type="token")
    refresher = Refresher(FileStore(store.path, keyring=store.keyring), {}, Transport, lambda: int(time.time() * 1000))
    return [(await refresher.fresh(info, auth)).secret for _ in range(times)]


@pytest.mark.parametrize("was_plain", [False, True])
async def test_a_leased_token_is_in_the_keyring_beside_the_one_it_came_from(store: FileStore, was_plain: bool):
    FileStore(store.path, keyring=not was_plain).modify("box:me", lambda _: profile(type="token"))
    lent = f"tid=1;lease-{KEY}"
    with serve(json_reply({"token": lent, "expires_at": time.time() + 1800})) as server:
        assert await lease(store, server.url) == await lease(store, server.url) == [Secret(lent)]
    assert len(server.journal) == 1
    text = store.path.read_text("utf-8")
    assert KEY not in text
    assert "tid=1" not in text


async def test_a_token_in_the_users_own_entry_is_changed_once_per_process(store: FileStore):
    keyring.set_password("jackfield", "mine", KEY)
    store.modify("box:me", lambda _: profile(type="token", secret=Secret(""), ref=SecretRef("keyring", "mine")))
    with serve(json_reply({"token": f"lease-{KEY}", "expires_at": time.time() + 1800})) as server:
        assert len(await lease(store, server.url, times=3)) == 3
    assert len(server.journal) == 1
    assert KEY not in store.path.read_text("utf-8")
    assert keyring.get_password("jackfield", "mine") == KEY


@pytest.mark.parametrize("damage", ["", "{", '"text"', '{"access": "a", "type": "api_key"}', "jackfield-parts:00:2"])
def test_a_damaged_entry_can_be_written_anew(store: FileStore, damage: str):
    store.modify("box:me", lambda _: signed_in())
    keyring.set_password("jackfield", own(store).id, damage)
    assert store.read("box:me").type == "oauth"
    store.modify("box:me", lambda _: signed_in())
    assert store.read("box:me").secret == Secret(KEY)


def test_a_removed_profile_leaves_nothing_in_the_keyring(store: FileStore):
    store.modify("box:me", lambda _: signed_in())
    assert store.delete("box:me")
    assert read_entry(own(store)) is None


def test_a_key_that_goes_back_into_the_file_leaves_the_keyring(store: FileStore):
    store.modify("box:me", lambda _: profile())
    FileStore(store.path).modify("box:me", lambda _: profile(secret=Secret("plain")))
    assert read_entry(own(store)) is None
    assert "plain" in store.path.read_text("utf-8")


def test_two_homes_of_one_user_do_not_share_an_entry(store: FileStore, tmp_path: Path):
    other = FileStore(tmp_path / "work" / "auth-profiles.json", keyring=True)
    store.modify("box:me", lambda _: profile())
    other.modify("box:me", lambda _: profile(secret=Secret("work")))
    other.delete("box:me")
    assert store.read("box:me").secret == Secret(KEY)


def test_an_entry_of_the_users_own_is_read_and_never_touched(store: FileStore, config: Config):
    keyring.set_password("jackfield", "mine", KEY)
    store.modify("box:me", lambda _: profile(secret=Secret(""), ref=SecretRef("keyring", "mine")))
    assert resolve(INFO, config, store, 0).secret == Secret(KEY)
    store.modify("box:me", lambda old: replace(old, email="me@box.test"))
    store.delete("box:me")
    assert keyring.get_password("jackfield", "mine") == KEY


def test_a_keyring_that_refuses_leaves_the_file_as_it_was(store: FileStore):
    keyring.set_keyring(NoKeyring())
    with pytest.raises(ConfigError, match="keyring"):
        store.modify("box:me", lambda _: profile())
    assert not store.path.exists()


def test_a_lost_entry_is_passed_over_for_the_next_credential(store: FileStore, config: Config):
    store.modify("box:me", lambda _: profile())
    delete_entry(own(store))
    with pytest.raises(MissingKey, match=r"profile:box:me \(unresolved_ref\): the keyring has no entry"):
        resolve(INFO, config, store, 0)
    assert resolve(INFO, replace(config, environ={"BOX_API_KEY": "k"}), store, 0).source == "env: BOX_API_KEY"


def test_a_sign_in_cannot_refer_to_a_file(store: FileStore, config: Config, tmp_path: Path):
    (tmp_path / "token").write_text(KEY, encoding="utf-8")
    store.modify("box:me", lambda _: signed_in(ref=SecretRef("file", str(tmp_path / "token"))))
    assert next(source.reason for source in sources(INFO, config, store, 0)) == "unresolved_ref"


def test_without_the_extra_one_line_says_how_to_get_it(tmp_path: Path):
    code = f"""
import sys
sys.modules["keyring"] = None  # what Python itself puts there for a package that is not to be imported
from pathlib import Path
from jackfield.auth.store import FileStore
from jackfield.credential import Profile, Secret
from jackfield.errors import ConfigError
store = FileStore(Path({str(tmp_path / "profiles.json")!r}), keyring=True)
try:
    store.modify("a:b", lambda _: Profile(id="a:b", provider="a", type="api_key", secret=Secret("k")))
except ConfigError as error:
    print(error.message, "|", error.hint, "|", store.path.exists())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "secrets in the keyring need an extra | pip install 'jackfield[keyring]' | False\n"
