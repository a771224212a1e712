"""What a profile adds to a request besides its secret: headers, fields, another address. Pure; the flow's data says which."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from jackfield.credential import Profile, RequestAuth
from jackfield.model import AuthMethod, Flow, ProviderInfo


def pick_method(info: ProviderInfo, profile: Profile | None = None) -> AuthMethod | None:
    """Return the sign-in in a browser that a profile came from, else the provider's first."""
    methods = [method for method in info.auth if method.flow]
    base_url = profile.details.get("resourceUrl") if profile else None
    return next(
        (method for method in methods if base_url and method.base_url == base_url), methods[0] if methods else None
    )


def pick_flow(info: ProviderInfo, profile: Profile | None = None) -> Flow | None:
    """Return the flow of that sign-in."""
    method = pick_method(info, profile)
    return method.flow if method else None


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
