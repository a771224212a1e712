"""What a profile adds to a request besides its secret: headers, fields, another address. Pure; the flow's data says which."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from jackfield.credential import Profile, RequestAuth
from jackfield.model import AuthMethod, Flow, ProviderInfo

# A name with a dot, or this machine's own with a port; nothing that leads elsewhere in an address.
HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+(?::\d+)?"


def pick_method(info: ProviderInfo, profile: Profile | None = None) -> AuthMethod | None:
    """Return the sign-in in a browser that a profile came from, else the provider's first."""
    methods = [method for method in info.auth if method.flow]
    told = profile.details if profile else {}
    return next((method for method in methods if _fits(method, told)), methods[0] if methods else None)


def _fits(method: AuthMethod, told: Mapping[str, str]) -> bool:
    """Tell whether only this way to sign in can have made a profile with such details."""
    by_address = bool(method.base_url) and method.base_url == told.get("resourceUrl")
    return by_address or bool(method.flow and method.flow.host_detail and told.get(method.flow.host_detail))


def pick_flow(info: ProviderInfo, profile: Profile | None = None) -> Flow | None:
    """Return the flow of that sign-in, at the company's own host where the profile is good there."""
    method = pick_method(info, profile)
    flow = method.flow if method else None
    host = parse_host(profile.details.get(flow.host_detail, "")) if flow and flow.host_detail and profile else ""
    return move_flow(flow, host) if flow and host else flow


def parse_host(text: str) -> str:
    """Return the host that a person or a file names by an address or by itself; empty for what is none."""
    host = text.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    return host if re.fullmatch(HOST, host) else ""


def move_flow(flow: Flow, host: str) -> Flow:
    """Return a sign-in with its addresses at a company's own host: `api.github.com` becomes `api.<host>`."""

    def moved(url: str) -> str:
        parts = urlsplit(url)
        start = parts.netloc.removesuffix(flow.host)
        own = parts.netloc.endswith(flow.host) and (not start or start.endswith("."))
        return urlunsplit(parts._replace(netloc=f"{start}{host}")) if own else url

    names = ("authorize_url", "device_url", "token_url", "exchange_url", "identity_url")
    at_home = {name: moved(getattr(flow, name)) for name in names}
    return replace(flow, **at_home, host=host, profile_name=host.replace(":", "-"), noted={flow.host_detail: host})


def has_flow(info: ProviderInfo) -> bool:
    """Tell whether a credential of the provider may come from a sign-in."""
    return any(method.flow for method in info.auth)


def is_renewable(info: ProviderInfo, profile: Profile) -> bool:
    """Tell whether an expired profile can be renewed: its refresh token has not been used up."""
    flow = pick_flow(info, profile)
    # One in the keyring is empty until the keyring is opened.
    usable = profile.type == "oauth" and profile.refresh is not None and profile.renewal in {"", "begun"}
    return bool(usable and flow and flow.token_url)


def with_details(auth: RequestAuth, info: ProviderInfo, profile: Profile | None, *, moved: bool) -> RequestAuth:
    """Return the credential with what goes with it; `moved`: the user gave an address, which stays."""
    flow = pick_flow(info, profile)
    if flow is None or profile is None:
        return auth
    told = profile.details
    base_url = told.get(flow.base_url_detail, "")
    if flow.noted:
        base_url = flow.host_base_url.format(host=flow.host)
    return replace(
        auth,
        headers={**auth.headers} | {name: told[key] for name, key in flow.request_headers.items() if told.get(key)},
        params={**auth.params} | {name: told[key] for name, key in flow.request_params.items() if told.get(key)},
        base_url=as_base_url(base_url, info.base_url) if base_url and not moved else "",
    )


def as_base_url(text: str, like: str) -> str:
    """Return an address that a server gave, over TLS, with the path of the usual one where it has none."""
    parts = urlsplit(text if "://" in text else f"https://{text}")
    is_near = parts.hostname in {"127.0.0.1", "localhost"}
    path = parts.path.rstrip("/") or urlsplit(like).path
    return urlunsplit((parts.scheme if is_near else "https", parts.netloc, path, "", ""))
