"""The credential store: one JSON file, readable by its owner only, in OpenClaw's format.

Every change happens under a lock between processes, on the file as it is at that moment,
and replaces it in one step; what this version does not understand is kept. A file that
cannot be read is never written. Who answered last is noted in it; no profile is put to rest.
The secrets may be in the system's keyring instead; the file then has references to them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from jackfield.auth.file import load_object, save_object
from jackfield.auth.record import FORMAT, as_store, parse_profile, refers, render_profile, update_record
from jackfield.auth.secret import file_warning
from jackfield.auth.usage import Usage, end_rests, note_successes, parse_usage
from jackfield.config.schema import Config
from jackfield.credential import Profile
from jackfield.errors import ConfigError
from jackfield.message import JsonObject

Result = TypeVar("Result")


class FileStore:
    """Profiles in a file, which need not exist; reading takes no lock.

    `keyring`: the secrets of what is written from now on go into the system's keyring.
    """

    def __init__(self, path: Path, *, keyring: bool = False) -> None:
        self.path = path
        self.keyring = keyring
        self._stamp: tuple[int, ...] | None = None
        self._root: JsonObject = {}
        self._used: dict[str, int] = {}  # successes of this process, written or not
        self._is_settled = False

    # -- reading ---------------------------------------------------------------

    def read(self, profile_id: str) -> Profile | None:
        """Return one profile with its secrets, those in the keyring too; raises `ConfigError` when the file is damaged."""
        return parse_profile(profile_id, _opened(_section(self._load(), "profiles").get(profile_id)))

    def list(self) -> tuple[Profile, ...]:
        """Return all usable entries in the file's order; others are passed over. No keyring is opened."""
        found = [parse_profile(name, record) for name, record in _section(self._load(), "profiles").items()]
        return tuple(profile for profile in found if profile)

    def order(self, provider: str) -> tuple[str, ...] | None:
        """Return the user's order of profile ids for a provider; `None`: there is none, `()`: use no profile."""
        listed = _section(self._load(), "order").get(provider)
        return tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else None

    def usage(self, profile_id: str) -> Usage:
        """Return when a profile was used last, and until when it rests."""
        found = parse_usage(_section(self._load(), "usageStats").get(profile_id))
        if self._is_settled and profile_id in self._used:
            return replace(found, last_used_ms=-1)
        return replace(found, last_used_ms=max(found.last_used_ms, self._used.get(profile_id, 0)))

    @property
    def place(self) -> str:
        """Where a new secret goes, in words."""
        return f"the system's keyring; {self.path} refers to it" if self.keyring else str(self.path)

    def warning(self) -> str:
        """Say so when others on this machine may read the file; the next change closes it."""
        return file_warning(self.path)

    # -- writing ---------------------------------------------------------------

    def modify(
        self, profile_id: str, *changes: Callable[[Profile | None], Profile | None], wait_s: float = 15
    ) -> Profile | None:
        """Replace a profile by what the change makes of it; `None` removes it. The only way to write one.

        A change runs under the lock, with the profile as it is on disk then (`None`: absent);
        it must not use the store. When it raises, nothing is written. Of several changes each
        is on disk before the next begins, all under one lock, waited for `wait_s` seconds.
        """

        def edit(root: JsonObject, change: Callable[[Profile | None], Profile | None]) -> Profile | None:
            profiles = root["profiles"]
            record = _opened(profiles.get(profile_id))
            old = parse_profile(profile_id, record)
            new = change(old)
            if new is None:
                _forget(root, profile_id)
            elif new != old:
                profiles[profile_id] = self._sealed(profile_id, update_record(record, old, new))
            return new

        return self._edit(*(partial(edit, change=change) for change in changes), wait_s=wait_s)[-1]

    def delete(self, profile_id: str) -> bool:
        """Remove an entry, whatever it holds, and its place in every order; tell whether it was there."""
        return self._edit(lambda root: _forget(root, profile_id))[-1]

    def remember_use(self, profile_id: str, now_ms: int) -> None:
        """Know in this process, at once, that a profile answered."""
        self._used[profile_id] = now_ms

    def settle(self) -> None:
        """Have whoever answered in this process come first from now on: one conversation stays with one account."""
        self._is_settled = True

    def note_successes(self, used_ms: Mapping[str, int], *, wait_s: float = 1) -> None:
        """Write down when profiles answered, which ends their rest; raises `ConfigError` when the file is held longer."""
        self._edit(lambda root: note_successes(root, used_ms), wait_s=wait_s)

    def end_rests(self, profile_ids: Sequence[str]) -> None:
        """Let profiles be used again at once that a program of OpenClaw's has put to rest."""
        self._edit(lambda root: end_rests(root, profile_ids))

    def set_order(self, provider: str, ids: Sequence[str] | None) -> None:
        """Set the order of a provider's profiles, or clear it with `None`."""

        def edit(root: JsonObject) -> None:
            orders = {name: order for name, order in _section(root, "order").items() if name != provider}
            _put_orders(root, orders if ids is None else {**orders, provider: [*ids]})

        self._edit(edit)

    def _edit(self, *changes: Callable[[JsonObject], Result], wait_s: float = 15) -> Sequence[Result]:
        from copy import deepcopy  # noqa: PLC0415  every command reads, few write

        from jackfield.config.disk import hold_lock  # noqa: PLC0415

        results = []
        with hold_lock(self.path.with_name(f".{self.path.name}.lock"), timeout_s=wait_s):
            root = as_store(_checked(load_object(self.path), self.path))
            sealed = self._in_keyring(root)
            for change in changes:
                before = deepcopy(root)
                results.append(change(root))
                if root != before or not self.path.exists() or self.warning():
                    save_object(self.path, root)
            self._drop(sealed - self._in_keyring(root))
        return results

    def _sealed(self, profile_id: str, record: JsonObject) -> JsonObject:
        """Return an entry as the file keeps it, its secrets in the keyring where they belong there."""
        if not self.keyring and not refers(record):
            return record
        from jackfield.auth.sealed import own_ref, seal_record  # noqa: PLC0415  few entries refer to anything

        return seal_record(record, own_ref(profile_id, self.path), wanted=self.keyring)

    def _in_keyring(self, root: JsonObject) -> set[str]:
        """Return the profiles whose secrets are in this store's own place in the keyring."""
        referring = {name: record for name, record in root["profiles"].items() if "keyring" in refers(record)}
        if not referring:
            return set()
        from jackfield.auth.sealed import own_ref, owns  # noqa: PLC0415

        return {name for name, record in referring.items() if owns(record, own_ref(name, self.path))}

    def _drop(self, profile_ids: set[str]) -> None:
        for profile_id in profile_ids:
            from jackfield.auth.sealed import drop_secrets, own_ref  # noqa: PLC0415

            drop_secrets(own_ref(profile_id, self.path), self.path)

    def _load(self) -> JsonObject:
        stamp = _stamp(self.path)
        if stamp is None or stamp != self._stamp:
            self._root = as_store(_checked(load_object(self.path), self.path))
            self._stamp = stamp
        return self._root


class HeldProfile(FileStore):
    """A store of one profile that is on no disk: for trying a credential before it is kept."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(Path(os.devnull))
        self._held = {"profiles": {profile.id: render_profile(profile)}}

    def note_successes(self, used_ms: Mapping[str, int], *, wait_s: float = 1) -> None:
        """Write nothing: there is no file."""

    def modify(
        self,
        profile_id: str,
        *changes: Callable[[Profile | None], Profile | None],
        wait_s: float = 15,  # noqa: ARG002  nobody else can hold it
    ) -> Profile | None:
        """Change the profile in memory only."""
        for change in changes:
            new = change(self.read(profile_id))
            self._held = {"profiles": {profile_id: render_profile(new)} if new else {}}
        return self.read(profile_id)

    def _load(self) -> JsonObject:
        return self._held


def open_store(config: Config) -> FileStore:
    """Return the store a config means."""
    return FileStore(config.paths.auth, keyring=config.auth_store == "keyring")


def _opened(record: object) -> object:
    """Return an entry with its secrets in it, wherever of the two they are."""
    if not isinstance(record, dict) or "keyring" not in refers(record):
        return record
    from jackfield.auth.sealed import open_record  # noqa: PLC0415

    return open_record(record)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    except OSError:
        return None  # what is wrong is said by reading it
    return found.st_ino, found.st_mtime_ns, found.st_size


def _checked(root: JsonObject, path: Path) -> JsonObject:
    version = root.get("version", FORMAT)
    if not isinstance(version, int) or version > FORMAT:
        raise ConfigError(
            f"{path} has format {version!r}, this program knows {FORMAT}",
            hint="upgrade jackfield; the file is unchanged",
        )
    return root


def _section(root: JsonObject, name: str) -> dict[str, Any]:
    value = root.get(name)
    return value if isinstance(value, dict) else {}


def _forget(root: JsonObject, profile_id: str) -> bool:
    known = root["profiles"].pop(profile_id, None) is not None
    orders = _section(root, "order")
    listing = [provider for provider, order in orders.items() if isinstance(order, list) and profile_id in order]
    left = {provider: [name for name in orders[provider] if name != profile_id] for provider in listing}
    # An order that names nobody would forbid every profile; nobody asked for that.
    _put_orders(root, {name: left.get(name, order) for name, order in orders.items() if left.get(name) != []})
    return known or bool(listing)


def _put_orders(root: JsonObject, orders: dict[str, Any]) -> None:
    root.pop("order", None)
    if orders:
        root["order"] = orders
