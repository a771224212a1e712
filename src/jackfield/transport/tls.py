"""Whom to trust and who to be on an encrypted connection.

Authorities named by the config or the environment come on top of the machine's own, so that
a company's proxy works without giving up the rest of the world. There is no switch that
turns verification off.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jackfield.errors import ConfigError
from jackfield.model import Network

# What other programs on the machine already use for this purpose.
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
CERT_VARIABLE, KEY_VARIABLE = "JACKFIELD_CLIENT_CERT", "JACKFIELD_CLIENT_KEY"
# Where systems keep their authorities, for a Python that was built to look elsewhere.
SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Trust:
    """The TLS settings of each network, read once; the library's defaults are `None`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._opened: dict[Network, ssl.SSLContext | None] = {}

    def find(self, network: Network) -> ssl.SSLContext | None:
        """Return the settings for a network; raise `ConfigError` as `open_trust` does."""
        if network not in self._opened:
            self._opened[network] = open_trust(network, self._environ)
        return self._opened[network]

    def find_own(self, network: Network) -> ssl.SSLContext:
        """Return the settings for a network, the defaults as settings too."""
        return self.find(network) or default_trust()


@cache
def default_trust() -> ssl.SSLContext:
    """Return what holds without any settings: the machine's own authorities, read once, which takes a while."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def open_trust(network: Network, environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return the TLS settings for a network, or `None` where the library's defaults are right.

    Raises `ConfigError` naming the file that cannot be used and the setting that names it.
    """
    authorities = _authorities(network, environ)
    certificate = shows_certificate(network, environ)
    if not authorities and not certificate and network.system_trust is not False and _has_system_trust():
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if network.system_trust is not False:
        _trust_system(context)
    for source, path in authorities:
        place = Path(path).expanduser()
        try:
            context.load_verify_locations(None, place) if place.is_dir() else context.load_verify_locations(place)
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot read the authorities in {path} ({source}): {_say(error)}") from error
    if certificate:
        _load_certificate(context, certificate, network.client_key or environ.get(KEY_VARIABLE) or None)
    return context


def shows_certificate(network: Network, environ: Mapping[str, str]) -> str:
    """Return the file of the certificate that servers are shown, empty for none."""
    return network.client_cert or environ.get(CERT_VARIABLE, "")


def _authorities(network: Network, environ: Mapping[str, str]) -> list[tuple[str, str]]:
    if network.ca:
        return [("network.ca", network.ca)]
    if network.system_trust is False:
        return []
    return [(name, environ[name]) for name in CA_VARIABLES if environ.get(name)]


def _has_system_trust() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile or paths.capath) or not any(Path(each).is_file() for each in SYSTEM_FILES)


def _trust_system(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    # OpenSSL lets SSL_CERT_FILE replace its own file; here it only adds to it.
    for path in (paths.openssl_cafile, *SYSTEM_FILES):
        if Path(path).is_file():
            context.load_verify_locations(path)
            return


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    try:
        context.load_cert_chain(Path(certificate).expanduser(), Path(key).expanduser() if key else None)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot use the client certificate {certificate}: {_say(error)}",
            hint="it is a PEM file; its key stands in the same file or in network.clientKey",
        ) from error


def _say(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
