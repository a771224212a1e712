"""What people paste when asked for a key, and what can be said of it before it is used.

Pure text; knows no provider and never repeats a key.
"""

from __future__ import annotations

import re

from jackfield.credential import Secret
from jackfield.errors import AuthError

QUOTES = "\"'`“”‘’«»"
INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\xa0"
# Every command imports these and few look at a key: they are compiled on use.
# `export X=`, PowerShell's `$env:X =`, cmd's `set X=`, a `.env` line; never the padding of a base64 key.
ASSIGNMENT = r"^(?:(?:export\s+|set\s+|\$env:)[A-Za-z_]\w*|[A-Z][A-Z0-9_]+)\s*=\s*(?=[^=\s])"
HEADER = r"(?i)^(?:(?:authorization|x-api-key|api-key|x-goog-api-key)\s*:\s*)?(?:bearer\s+)?"
WRAPPED = r"[\w./+~-]+(?:\s*\r?\n\s*[\w./+~=-]+)+"
UNSENDABLE = r"[\x00-\x1f\x7f-\x9f]"
EXAMPLE = r"(?i)\.\.\.$|x{6,}$|(?:your|my)[-_ ]?(?:api)?[-_ ]?key|<.*>"


def clean_key(text: str) -> str:
    """Return the key inside what was pasted: no quotes, `export X=`, `Bearer`, `;`, line wraps or blanks around it."""
    text = _trim(text)
    text = _trim(re.sub(ASSIGNMENT, "", text).removesuffix(";"))
    text = _trim(re.sub(HEADER, "", text))
    # A terminal wraps a long token, and copying it takes the line ends along.
    return re.sub(r"\s+", "", text) if re.fullmatch(WRAPPED, text) else text


def check_key(text: str, origin: str) -> Secret:
    """Return a key that can travel in a header; raise `AuthError` without showing it when it cannot.

    `origin` says in the message where the key stands.
    """
    problem = key_problem(text)
    if problem:
        raise AuthError(f"the key from {origin} {problem}", hint="copy the key again from the provider's page")
    return Secret(text.strip())


def key_problem(text: str) -> str:
    """Say why a key cannot travel in a header; empty when it can."""
    text = text.strip()
    if not text:
        return "is empty"
    if re.search(UNSENDABLE, text):
        return "holds a line break or another control character"
    if any(ord(char) > 0xFF for char in text):
        return "holds a character no key can have (is it a masked copy?)"
    return ""


def key_warnings(key: str, prefix: str = "") -> tuple[str, ...]:
    """Say what looks wrong about a key without refusing it; `prefix` is what the provider's keys start with."""
    found = []
    if prefix and not key.startswith(prefix):
        found.append(f"keys of this provider usually start with {prefix!r}; this one does not")
    if " " in key:
        found.append("the key holds a space")
    if re.search(EXAMPLE, key):
        found.append("the key looks like an example, not like a real one")
    return tuple(found)


def _trim(text: str) -> str:
    return text.strip().strip(INVISIBLE).strip().removesuffix(";").strip().strip(QUOTES).strip()
