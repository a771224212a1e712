"""Sign-in with a token that the provider's own program prints: what can be said of it before it is used. Pure."""

from __future__ import annotations

from jackfield.auth.paste import check_key, clean_key
from jackfield.credential import Secret
from jackfield.errors import AuthError
from jackfield.model import AuthMethod


def parse_token(text: str, method: AuthMethod) -> Secret:
    """Return the token inside pasted text; raise `AuthError`, without showing it, when it is cut off or another kind."""
    key = clean_key(text)
    token = check_key(key, "the terminal")
    if method.secret_prefix and not key.startswith(method.secret_prefix):
        raise AuthError(f"expected a token that starts with {method.secret_prefix}", hint=method.hint)
    if len(key) < method.secret_min_length:
        raise AuthError(
            f"the token is too short: {len(key)} characters, at least {method.secret_min_length} expected",
            hint="paste the whole token; terminals wrap it over several lines",
        )
    return token
