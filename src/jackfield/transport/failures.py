"""What goes wrong between us and a server, in our words, whichever way a request took.

Every message names the URL called, without its secrets, and the cause as a user can act on
it: the name, the port, the certificate, the proxy, or the other side hanging up.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from jackfield.errors import BadReply, ConnectError, ConnectionLost, Error, StreamBroken, TimeoutExpired
from jackfield.transport.network import is_loopback
from jackfield.transport.request import HttpRequest, shown_url

# OpenSSL's X509_V_ERR codes (openssl/x509_vfy.h): what is wrong, and whether another authority would mend it.
CERTIFICATE_FAULTS: dict[int, tuple[str, bool]] = {
    9: ("its certificate is not valid yet", False),
    10: ("its certificate has expired", False),
    18: ("its certificate is self-signed", True),
    19: ("its certificate chain ends in an unknown, self-signed authority", True),
    20: ("its certificate comes from an unknown authority", True),
    21: ("its certificate chain is incomplete", True),
    62: ("its certificate is for another host name", False),
    64: ("its certificate is for another address", False),
}
PROXY_REFUSES = 407  # what a proxy says that wants a password; nobody else does
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ADVISE_PROXY = "check HTTPS_PROXY, or {}"
CLOSED, RESET = "closed by the other side", "reset by the other side"
TIMERS = {
    "connect": ("no connection to", "connect"),
    "first_token": ("no first token from", "firstToken"),
    "idle": ("nothing more from", "idle"),
    "total": ("no complete answer from", "total"),
}


def explain_connecting(error: OSError, request: HttpRequest) -> ConnectError:
    """Return our error for a connection that did not come about."""
    match error:
        case ssl.SSLCertVerificationError():
            return explain_certificate(error, request)
        case ssl.SSLError():
            return explain_tls(error, request)
        case socket.gaierror():
            return explain_name(urlsplit(request.url).hostname or "", request)
        case _:
            return explain_unreachable(say(error), request)


def explain_unreachable(cause: str, request: HttpRequest) -> ConnectError:
    """Return our error for a server that takes no connection."""
    host = urlsplit(request.url).hostname or ""
    hint = "is the server running?" if is_loopback(host) else _advise_network(request)
    return _fail(cause, hint, request)


def explain_name(name: str, request: HttpRequest) -> ConnectError:
    """Return our error for a name that cannot be looked up: the server's own, else its proxy's."""
    hint = _advise_network(request)
    if name != urlsplit(request.url).hostname:
        hint = ADVISE_PROXY.format(request.key("network.proxy"))
    return _fail(f"the name {name} is unknown", hint, request)


def explain_proxy(where: str, cause: str, request: HttpRequest) -> ConnectError:
    """Return our error for a proxy that takes no connection."""
    hint = ADVISE_PROXY.format(request.key("network.proxy"))
    return _fail(f"the proxy {where} does not answer ({cause})", hint, request)


def explain_lost(cause: str, request: HttpRequest) -> ConnectionLost:
    """Return our error for a connection that ended before the reply's headers."""
    return ConnectionLost(f"cannot reach {shown_url(request.url)}: the connection was lost before any answer ({cause})")


def explain_broken(cause: str, request: HttpRequest) -> StreamBroken:
    """Return our error for a body that ended before its end."""
    return StreamBroken(f"the answer of {shown_url(request.url)} broke off ({cause})")


def refuse_url(request: HttpRequest) -> ConnectError:
    """Return the error for a URL that names no place."""
    return _fail("the URL is not valid", f"check {request.key('baseUrl')}", request)


def refuse_characters(request: HttpRequest) -> ConnectError:
    """Return the error for a request that would be read as another one."""
    hint = f"check {request.key('headers')} and the key for line breaks"
    return _fail("a header or the URL holds a character that cannot be sent", hint, request)


def refuse_answer(request: HttpRequest) -> BadReply:
    """Return the error for an answer whose head cannot be read."""
    url, hint = shown_url(request.url), f"check {request.key('baseUrl')}"
    return BadReply(f"{url} answered something that is not HTTP", hint=hint)


def refuse_status(status: int, reason: str, headers: Mapping[str, str], request: HttpRequest) -> Error | None:
    """Return the error for an answer that is none: a redirect, or a proxy that wants a password."""
    if status in REDIRECTS:
        return refuse_redirect(status, headers.get("location", ""), request)
    return refuse_proxy(status, reason, request) if status == PROXY_REFUSES else None


def explain_packing(error: Exception, request: HttpRequest) -> BadReply:
    """Return our error for a body that cannot be unpacked."""
    return BadReply(f"the answer of {shown_url(request.url)} is not compressed as it says: {error}")


def explain_timeout(timer: str, limit_s: float, request: HttpRequest) -> TimeoutExpired:
    """Return the error for a timer that ran out: which, after how long, and the key that changes it."""
    what, key = TIMERS[timer]
    error = TimeoutExpired(
        f"{what} {shown_url(request.url)} within {limit_s:g} s (timer: {key})",
        hint=f"to wait longer, raise {request.key(f'timeouts.{key}')}",
    )
    error.code = key
    return error


def refuse_proxy(status: int, reason: str, request: HttpRequest) -> ConnectError:
    """Return the error for a proxy that lets nothing through."""
    said = f"HTTP {status} {reason}".rstrip()
    return ConnectError(
        f"cannot reach {shown_url(request.url)}: the proxy refused with {said}",
        hint=f"check the user and password in HTTPS_PROXY, or {request.key('network.proxy')}",
    )


def refuse_redirect(status: int, target: str, request: HttpRequest) -> BadReply:
    """Return the error for a redirect: following it could hand the credentials to someone else."""
    where = shown_url(target) if target else "nowhere"
    return BadReply(
        f"{shown_url(request.url)} redirects to {where} (HTTP {status}); redirects are not followed",
        hint=f"if that is the right address, write it into {request.key('baseUrl')}",
        status=status,
    )


def explain_certificate(error: Exception, request: HttpRequest) -> ConnectError:
    """Return our error for a server whose certificate is not accepted."""
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
    fault, mendable = CERTIFICATE_FAULTS.get(code, (f"its certificate is not accepted: {error}", True))
    hint = f"check {request.key('baseUrl')}; the server's certificate must be mended on its side"
    if mendable:
        hint = f"behind a company's proxy, or for a server of your own, name its authority's PEM file in {request.key('network.ca')} or SSL_CERT_FILE"
    return _fail(f"TLS: {fault}", hint, request)


def explain_tls(error: OSError, request: HttpRequest) -> ConnectError:
    """Return our error for a connection that could not be encrypted."""
    reason = str(getattr(error, "reason", "") or error)
    hint = f"check {request.key('baseUrl')}"
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        reason, hint = (
            "the server does not speak TLS on this port",
            f"perhaps {request.key('baseUrl')} should begin with http://",
        )
    elif "CERTIFICATE_REQUIRED" in reason:
        hint = f"name your certificate in {request.key('network.clientCert')} or JACKFIELD_CLIENT_CERT"
    return _fail(f"TLS: {reason}", hint, request)


def say(error: BaseException | None) -> str:
    """Return in a few words why a connection ended or did not begin; `None` for one that was closed."""
    if error is None:
        return CLOSED
    number = getattr(error, "errno", None)
    if number in {errno.ECONNRESET, errno.EPIPE}:
        return RESET
    if number == errno.ECONNREFUSED:
        return "connection refused"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _fail(cause: str, hint: str, request: HttpRequest) -> ConnectError:
    return ConnectError(f"cannot reach {shown_url(request.url)}: {cause}", hint=hint)


def _advise_network(request: HttpRequest) -> str:
    # A sign-in's address stands in no config.
    return f"check {request.key('baseUrl')} and the network" if request.settings else "check the network"
