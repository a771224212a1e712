"""Requests to AWS, signed: Signature Version 4, computed by AWS's own library (extra `bedrock`).

A signature holds for minutes and for one body, so that it is made when the request leaves.
Keys of a profile or of the machine (SSO, a container, EC2) are looked up then as well, in a
thread, since that may read files and ask other servers.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from jackfield.credential import AwsKeys, Secret, reveal
from jackfield.errors import AuthError, ConfigError, MissingKey
from jackfield.transport.request import HttpRequest

SERVICE = "bedrock"
# bedrock-runtime.us-east-1.amazonaws.com, bedrock-runtime-fips.…, vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com
REGION = re.compile(r"\bbedrock[a-z-]*\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws|api\.aws)", re.IGNORECASE)
# What is signed with the body: everything else a proxy may change on the way.
SIGNED = ("content-type",)


def sign(request: HttpRequest, keys: AwsKeys, now: datetime, service: str = SERVICE) -> HttpRequest:
    """Return the request with its signature; a colon in its path is escaped, as AWS reads it.

    Raises `ConfigError` when AWS's library is not installed.
    """
    auth, awsrequest, credentials = _library("auth"), _library("awsrequest"), _library("credentials")
    parts = urlsplit(request.url)
    url = urlunsplit(parts._replace(path=parts.path.replace(":", "%3A")))
    token = keys.session_token.reveal() if keys.session_token else None
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {name: reveal(request.headers[name]) for name in SIGNED if name in request.headers}
    headers |= {"x-amz-date": stamp} | ({"x-amz-security-token": token} if token else {})
    secret = keys.secret_key.reveal() if keys.secret_key else ""
    signer = auth.SigV4Auth(credentials.Credentials(keys.access_key, secret, token), service, pick_region(url, keys))
    draft = awsrequest.AWSRequest(request.method, url, headers, request.body)
    draft.context["timestamp"] = stamp
    names = signer.signed_headers(signer.headers_to_sign(draft))
    signature = signer.signature(signer.string_to_sign(draft, signer.canonical_request(draft)), draft)
    said = f"AWS4-HMAC-SHA256 Credential={signer.scope(draft)}, SignedHeaders={names}, Signature={signature}"
    added: dict[str, str | Secret] = {"x-amz-date": stamp, "authorization": Secret(said)}
    added |= {"x-amz-security-token": Secret(token)} if token else {}
    return replace(request, url=url, headers={**request.headers, **added})


def pick_region(url: str, keys: AwsKeys) -> str:
    """Return the region a request is signed for: the address's own, else the one the user named."""
    found = REGION.search(urlsplit(url).hostname or "")
    return found[1] if found else keys.region


class Signer:
    """Signs what leaves; keeps a profile's keys, which AWS's library renews before they end."""

    def __init__(self) -> None:
        self._held: dict[AwsKeys, Any] = {}

    async def sign(self, request: HttpRequest, keys: AwsKeys) -> HttpRequest:
        """Return the request signed for this moment; raise `MissingKey` when the machine has no keys."""
        return await asyncio.to_thread(self._sign, request, keys)

    def _sign(self, request: HttpRequest, keys: AwsKeys) -> HttpRequest:
        return sign(request, keys if keys.access_key else self._look_up(keys), datetime.now(UTC))

    def _look_up(self, keys: AwsKeys) -> AwsKeys:
        failures = _library("exceptions")
        try:
            held = self._held.get(keys) or _find_credentials(keys)
            found = held.get_frozen_credentials() if held else None
        except failures.BotoCoreError as error:
            raise AuthError(f"AWS gave no credentials: {error}", hint=_advise(keys)) from error
        if not found:
            raise MissingKey("no AWS credentials on this machine", hint=_advise(keys))
        self._held[keys] = held
        token = Secret(found.token) if found.token else None
        return replace(keys, access_key=found.access_key, secret_key=Secret(found.secret_key), session_token=token)


def _find_credentials(keys: AwsKeys) -> Any:
    session = _library("session").Session(profile=keys.profile or None)
    for name, path in (("credentials_file", keys.credentials_file), ("config_file", keys.config_file)):
        if path:
            session.set_config_variable(name, path)
    return session.get_credentials()


def _advise(keys: AwsKeys) -> str:
    if keys.profile:
        return f"sign in: aws sso login --profile {keys.profile}, or set AWS_BEARER_TOKEN_BEDROCK"
    return "set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"


def _library(module: str) -> Any:
    # Only who signs pays for the library, and only who signs needs it.
    try:
        return import_module(f"botocore.{module}")
    except ImportError as error:
        raise ConfigError(
            "requests signed with AWS keys need AWS's library", hint="pip install 'jackfield[bedrock]'"
        ) from error
