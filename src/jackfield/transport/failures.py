"""What the HTTP library's errors mean, in our words: the one boundary where they are translated.

Every message names the URL called, without its secrets, and the cause as a user can act on
it: the name, the port, the certificate, the proxy, or the other side hanging up.
"""

from __future__ import annotations

import errno
import ssl
from urllib.parse import urlsplit

import aiohttp

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
_ADVISE_PROXY = "check HTTPS_PROXY, or {}"
TIMERS = {
    "connect": ("no connection to", "connect"),
    "first_token": ("no first token from", "firstToken"),
    "idle": ("nothing more from", "idle"),
    "total": ("no complete answer from", "total"),
}


def explain_opening(error: aiohttp.ClientError | OSError | ValueError, request: HttpRequest) -> Error:
    """Return our error for one that came before the reply's headers."""
    url = shown_url(request.url)
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return _explain_certificate(error.certificate_error, request)
        case aiohttp.ClientConnectorSSLError():
            return _explain_tls(error, request)
        case aiohttp.ClientConnectorDNSError():
            cause = f"the name {error.host} is unknown"
            is_proxy = error.host != urlsplit(request.url).hostname
            hint = (
                _ADVISE_PROXY.format(request.key("network.proxy"))
                if is_proxy
                else f"check {request.key('baseUrl')} and the network"
            )
        case aiohttp.ClientProxyConnectionError():
            cause = f"the proxy {error.host}:{error.port} does not answer ({_say(error)})"
            hint = _ADVISE_PROXY.format(request.key("network.proxy"))
        case aiohttp.ClientHttpProxyError():
            return refuse_proxy(error.status, error.message, request)
        case aiohttp.ClientConnectorError():
            cause, hint = _say(error), _advise_refused(request)
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return BadReply(f"{url} answered something that is not HTTP", hint=f"check {request.key('baseUrl')}")
        case aiohttp.InvalidURL() | UnicodeError():
            cause, hint = "the URL is not valid", f"check {request.key('baseUrl')}"
        case ValueError():
            cause = "a header or the URL holds a character that cannot be sent"
            hint = f"check {request.key('headers')} and the key for line breaks"
        case _:
            return ConnectionLost(f"cannot reach {url}: the connection was lost before any answer ({_say(error)})")
    return ConnectError(f"cannot reach {url}: {cause}", hint=hint)


def explain_reading(error: aiohttp.ClientError | OSError | RuntimeError, request: HttpRequest) -> Error:
    """Return our error for one that came while the body was read."""
    return StreamBroken(f"the answer of {shown_url(request.url)} broke off ({_say(error)})")


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


def _explain_certificate(error: Exception, request: HttpRequest) -> ConnectError:
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
    fault, mendable = CERTIFICATE_FAULTS.get(code, (f"its certificate is not accepted: {error}", True))
    hint = f"check {request.key('baseUrl')}; the server's certificate must be mended on its side"
    if mendable:
        hint = f"behind a company's proxy, or for a server of your own, name its authority's PEM file in {request.key('network.ca')} or SSL_CERT_FILE"
    return ConnectError(f"cannot reach {shown_url(request.url)}: TLS: {fault}", hint=hint)


def _explain_tls(error: aiohttp.ClientConnectorSSLError, request: HttpRequest) -> ConnectError:
    reason = str(getattr(error.os_error, "reason", "") or error.os_error)
    hint = f"check {request.key('baseUrl')}"
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        reason, hint = (
            "the server does not speak TLS on this port",
            f"perhaps {request.key('baseUrl')} should begin with http://",
        )
    elif "CERTIFICATE_REQUIRED" in reason:
        hint = f"name your certificate in {request.key('network.clientCert')} or JACKFIELD_CLIENT_CERT"
    return ConnectError(f"cannot reach {shown_url(request.url)}: TLS: {reason}", hint=hint)


def _advise_refused(request: HttpRequest) -> str:
    host = urlsplit(request.url).hostname or ""
    return "is the server running?" if is_loopback(host) else f"check {request.key('baseUrl')} and the network"


def _say(error: Exception) -> str:
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError) and not _is_reset(error):
        return "closed by the other side"
    cause: BaseException = getattr(error, "os_error", None) or error.__cause__ or error
    if _is_reset(error):
        return "reset by the other side"
    if getattr(cause, "errno", None) == errno.ECONNREFUSED:
        return "connection refused"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _is_reset(error: BaseException) -> bool:
    # A payload error keeps the socket's own error only in its text.
    return getattr(error, "errno", None) in {errno.ECONNRESET, errno.EPIPE} or "ConnectionResetError" in str(error)
