"""An entry of the store whose secrets are in the keyring: the file has the reference, the rest is as ever.

Works on the entry as the file writes it. One secret stands in the keyring as itself, several
(an OAuth profile's two tokens, a lease) as one JSON object, so that they change together.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from jackfield.auth.keyring import delete_entry, read_entry, save_entry
from jackfield.auth.record import SEALED, SECRET_FIELDS, parse_ref, render_ref
from jackfield.credential import SecretRef
from jackfield.errors import ConfigError
from jackfield.message import JsonObject

SECRETS = (*SECRET_FIELDS.values(), "refresh", "lease")


def own_ref(profile_id: str, path: Path) -> SecretRef:
    """Return where a store keeps a profile's secrets; the folder keeps two set-ups of one user apart."""
    return SecretRef("keyring", f"{profile_id} in {path.parent}")


def open_record(record: JsonObject) -> JsonObject:
    """Return an entry with the secrets its reference leads to; unchanged when the keyring has none, or damaged ones.

    Raises `ConfigError` when the keyring cannot be asked.
    """
    field = _field(record)
    ref = parse_ref(record.get(f"{field}Ref"))
    text = read_entry(ref) if ref and ref.source == "keyring" else None
    if not text or ref is None:
        return record
    if SEALED not in record:
        return {**record, field: text.strip()}
    try:
        secrets = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return record
    return {**record, **{name: value for name, value in secrets.items() if name in SECRETS}}


def seal_record(record: JsonObject, own: SecretRef, *, wanted: bool) -> JsonObject:
    """Return an entry fit for the file, its secrets put into the keyring where they belong there.

    They do when that is `wanted`, or when the entry refers to its own place already; one that
    refers to a place of the user's keeps nothing but the reference.
    """
    field = _field(record)
    ref = parse_ref(record.get(f"{field}Ref"))
    secrets = {name: record[name] for name in SECRETS if record.get(name)}
    bare = {name: value for name, value in record.items() if name not in SECRETS and name != SEALED}
    if ref is not None and ref != own:
        return bare
    if not secrets or not (wanted or ref):
        return {name: value for name, value in record.items() if name != SEALED}
    single = secrets.keys() == {field}
    save_entry(own, secrets[field] if single else json.dumps(secrets, separators=(",", ":")))
    sealed = {} if single else {SEALED: sorted(secrets)}
    return {**bare, f"{field}Ref": render_ref(own), **sealed}


def owns(record: object, own: SecretRef) -> bool:
    """Tell whether an entry's secrets are in its own place in the keyring."""
    return isinstance(record, dict) and parse_ref(record.get(f"{_field(record)}Ref")) == own


def drop_secrets(own: SecretRef, path: Path) -> None:
    """Remove a forgotten profile's entry; the error says what is left over."""
    try:
        delete_entry(own)
    except ConfigError as error:
        raise ConfigError(
            f"{path} no longer refers to it, but the keyring still holds {own.id!r}: {error.message}",
            hint=f"remove it: keyring del jackfield '{own.id}'",
        ) from error


def _field(record: JsonObject) -> str:
    kind = record.get("type")
    return next((field for name, field in SECRET_FIELDS.items() if name == kind), "key")
