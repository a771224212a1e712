"""Which way a request leaves this machine: proxy or none, and whether it leaves at all. Opens nothing.

The environment is an argument. `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are
read in lower case first, as curl does; a proxy in the config beats them all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from jackfield.errors import ConfigError, Offline
from jackfield.model import Network
from jackfield.transport.request import HttpRequest, shown_url

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    name = host.strip("[]").partition("%")[0].rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _as_address(name)
    # A call to the unspecified address ends at this machine too; people copy it from a server's log.
    return address is not None and (address.is_loopback or address.is_unspecified)


def check_offline(request: HttpRequest, proxy: str | None) -> None:
    """Raise `Offline` when a request would leave this machine."""
    for url in filter(None, (request.url, proxy)):
        host = urlsplit(url).hostname or ""
        if not is_loopback(host):
            raise Offline(
                f"cannot reach {shown_url(request.url)}: --offline allows this machine only, not {host}",
                hint="leave out --offline, or choose a model that runs on this machine",
            )


def pick_proxy(url: str, network: Network, environ: Mapping[str, str]) -> str | None:
    """Return the proxy URL for a request, or `None` to go straight."""
    if network.proxy is not None:
        return _checked(network.proxy, "network.proxy") if network.proxy else None
    parts = urlsplit(url)
    if is_loopback(parts.hostname or "") or is_exempt(parts, _lookup(environ, "no_proxy")[1]):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        found, value = _lookup(environ, name)
        if value:
            return _checked(value, found)
    return None


def is_exempt(parts: SplitResult, no_proxy: str) -> bool:
    """Tell whether `NO_PROXY` names a URL's host: `*`, names and their subdomains, `host:port`, addresses, CIDR blocks."""
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    return any(_matches(rule, host, port) for rule in no_proxy.lower().replace(",", " ").split())


def _matches(rule: str, host: str, port: int) -> bool:
    if rule == "*":
        return True
    address = _as_address(host)
    if address is not None and (block := _as_block(rule)) is not None:
        return address in block
    if rule.count(":") == 1 or "]:" in rule:
        rule, _, wanted = rule.rpartition(":")
        if wanted != str(port):
            return False
    if address is not None:
        return address == _as_address(rule.strip("[]"))
    name = rule.removeprefix("*").removeprefix(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _lookup(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    for spelling in (name, name.upper()):
        if value := environ.get(spelling, "").strip():
            return spelling, value
    return name, ""


def _checked(proxy: str, source: str) -> str:
    text = proxy if "://" in proxy else f"http://{proxy}"
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(
            f"cannot use the proxy {shown_url(text)} ({source}): only http:// and https:// proxies can be used",
            hint="set network.proxy of the provider, or NO_PROXY for its host",
        )
    return text


def _as_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _as_block(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
