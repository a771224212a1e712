"""Ways to sign in on a provider's own page: which there are, at whose server, and what stands in their way. Sends nothing."""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.auth.details import move_flow, parse_host
from jackfield.config.schema import Config
from jackfield.errors import AuthError, UsageError
from jackfield.model import AuthMethod, ProviderInfo
from jackfield.plugins.load import is_enabled

BROWSER = frozenset({"oauth", "device-code"})  # kinds that open a page elsewhere


def is_browser(method: AuthMethod) -> bool:
    """Tell whether this way of signing in happens in a browser, and somebody knows how: a flow or a plugin."""
    return method.kind in BROWSER and (method.flow is not None or bool(method.plugin))


def runs_code(method: AuthMethod) -> bool:
    """Tell whether this way of signing in is a plugin's own code, which nobody runs before it is enabled."""
    return bool(method.plugin) and method.flow is None and method.kind in BROWSER


def at_company(info: ProviderInfo, way: AuthMethod, text: str) -> AuthMethod:
    """Return the way to sign in at the company's server that is named; the same where none is, or the public one."""
    if not text.strip():
        return way
    if way.flow is None or not way.flow.host_detail:
        raise UsageError(f"{info.name or info.id} has no servers of companies", hint="leave out --enterprise-url")
    host = parse_host(text)
    if not host:
        raise UsageError(f"{text!r} is no server's name", hint="write it like company.ghe.com")
    return way if host == way.flow.host else replace(way, flow=move_flow(way.flow, host))


def require_enabled(config: Config, info: ProviderInfo, way: AuthMethod) -> None:
    """Raise `AuthError` for a sign-in of a plugin that is disabled."""
    if way.plugin and not is_enabled(config, way.plugin):
        raise AuthError(
            f"signing in to {info.id} is a plugin's business, and {way.plugin} is disabled",
            hint=f"run: jackfield plugins enable {way.plugin}",
        )
