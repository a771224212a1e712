"""Credentials as values: what a profile holds and what a request may receive.

Nothing here reads a file or the environment. A `Secret` never shows its content by
accident: not in repr, str, format, pickle, JSON or a traceback's locals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NoReturn

from msgspec import Struct

ProfileType = Literal["api_key", "token", "oauth"]
# `begun`: sent, or about to be; `lost`: sent, the answer never arrived; `refused`: its issuer takes it no more.
Renewal = Literal["", "begun", "lost", "refused"]


class Secret:
    """A string that prints as `****`; `reveal()` is the one way to its content."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the content; call it at the socket and nowhere earlier."""
        return self.__text

    def masked(self) -> str:
        """Return at most four characters from each end, and never more than half of the whole."""
        text = self.__text
        shown = min(4, len(text) // 4)
        return f"{text[:shown]}…{text[-shown:]}" if shown else "…"

    def __repr__(self) -> str:
        return "****"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "****"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.__text == self.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")


def reveal(value: str | Secret) -> str:
    """Return what a header says, secret or not; call it at the socket and nowhere earlier."""
    return value.reveal() if isinstance(value, Secret) else value


class SecretRef(Struct, frozen=True):
    """Where a secret stands, so that no file of ours need hold it."""

    source: Literal["env", "file", "exec", "keyring"]
    id: str  # the variable, the file (`path#/json/pointer` for a field of it), the command line, the keyring's entry
    provider: str = "default"  # OpenClaw's name for a configured source; kept


class Lease(Struct, frozen=True, kw_only=True):
    """A short-lived token that a profile's own was changed into (GitHub Copilot)."""

    secret: Secret
    expires_ms: int
    base_url: str = ""  # where it is good, when its issuer says so


class Profile(Struct, frozen=True, kw_only=True):
    """One way to sign in at one provider, as the credential store knows it."""

    id: str  # `<provider>:<name>`
    provider: str
    type: ProfileType
    secret: Secret  # the key, the token, or an OAuth access token
    refresh: Secret | None = None
    expires_ms: int | None = None  # Unix milliseconds; `None` never expires
    email: str | None = None
    details: Mapping[str, str] = {}  # accountId, projectId, resourceUrl, enterpriseUrl, clientId
    ref: SecretRef | None = None  # where the secret stands, when the store only refers to it
    lease: Lease | None = None
    renewal: Renewal = ""  # how the last refresh with this refresh token ended; empty: it has not been sent

    def is_expired(self, now_ms: int) -> bool:
        """Tell whether a static token is past its date (an OAuth profile can be refreshed)."""
        return self.expires_ms is not None and now_ms >= self.expires_ms and self.refresh is None


class AwsKeys(Struct, frozen=True, kw_only=True):
    """What signs a request to AWS: these keys, or those that a profile or the machine gives when it leaves."""

    access_key: str = ""
    secret_key: Secret | None = None
    session_token: Secret | None = None
    profile: str = ""  # of AWS's own files; empty, without an access key: AWS's chain
    region: str = "us-east-1"  # where the address names none
    credentials_file: str = ""  # empty: AWS's own place
    config_file: str = ""


class AdcFile(Struct, frozen=True, kw_only=True):
    """Google's application default credentials: the file that becomes a token when a request leaves."""

    path: str


class RequestAuth(Struct, frozen=True, kw_only=True):
    """All that a request may receive of a credential, and in words where it came from."""

    secret: Secret | None  # `None`: a server that asks for no key
    source: str  # `profile:venice:default` · `env: VENICE_API_KEY` · `config: models.providers.x.apiKey` · `none`
    profile_id: str | None = None
    type: ProfileType = "api_key"
    headers: Mapping[str, str | Secret] = {}  # what goes with the credential: an account's id
    base_url: str = ""  # where this credential is good, instead of the provider's own address
    params: Mapping[str, str] = {}  # request fields that go with it: a project
    aws: AwsKeys | None = None  # signs the request, where no secret travels with it
    adc: AdcFile | None = None  # becomes the secret when the request leaves


NO_AUTH = RequestAuth(secret=None, source="none")
