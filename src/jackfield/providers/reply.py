"""Whether an HTTP reply is an answer at all, and if not, what to tell the user.

The provider's own words are read by its protocol; here they get what the protocol cannot
know: which provider, which credential, which URL, how long to wait. A key that the other
side echoes is blotted out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from jackfield.catalog import defaults
from jackfield.credential import Secret
from jackfield.errors import AuthError, BadReply, ConfigError, ConnectError, Error, ModelNotFound, ProviderError
from jackfield.model import Model, ProviderInfo
from jackfield.protocols import load
from jackfield.protocols.base import preview
from jackfield.providers.delay import parse_delay_s
from jackfield.providers.url import other_url
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest, shown_url

# What an answer may call itself; some servers say nothing, or only that it is text.
ANSWER_TYPES = ("json", "event-stream", "eventstream", "text/plain", "octet-stream")
NO_SUCH_ROUTE = frozenset({404, 405})
# What helps where the provider is at fault, by type of error.
ADVICE = {
    "rate_limit": "wait a little, or give a fallback model",
    "overloaded": "try again, or give a fallback model",
    "server_error": "try again, or give a fallback model",
    "billing": "add credit at the provider, or give a fallback model",
}


async def check_reply(reply: HttpReply, info: ProviderInfo, model: Model, source: str) -> None:
    """Return when the reply's body is the model's answer; else read it, close, and raise what it says.

    `source` is where the credential came from, in words.
    """
    if is_answer(reply.status, reply.headers):
        return
    kind, body = _read_type(reply.headers.get("content-type", ""))[0], await reply.read_refusal()
    if reply.status < 400:
        raise redact(_not_an_answer(reply, kind, body, info, model), reply.request)
    error = _explain(reply, kind, body, info, model, source)
    if isinstance(error, ProviderError):
        said = (error.retry_after_s, parse_delay_s(reply.headers, body))
        error.retry_after_s = max((wait for wait in said if wait is not None), default=None)
    raise redact(error, reply.request)


def is_answer(status: int, headers: Mapping[str, str]) -> bool:
    """Tell whether a reply's body is the model's answer, as far as its head says."""
    return status < 400 and _read_type(headers.get("content-type", ""))[1]


@lru_cache(64)
def _read_type(text: str) -> tuple[str, bool]:
    """Return the bare type, and whether an answer may call itself so."""
    kind = text.partition(";")[0].strip().lower()
    return kind, not kind or any(word in kind for word in ANSWER_TYPES)


def redact(error: Error, request: HttpRequest) -> Error:
    """Blot out of an error's texts every secret the request carried."""
    for secret in _blottable(request):
        error.message = error.message.replace(secret, "****")
        error.hint = error.hint.replace(secret, "****")
        error.code = error.code and error.code.replace(secret, "****")
        error.param = error.param and error.param.replace(secret, "****")
    error.args = (error.message,)
    return error


def _explain(reply: HttpReply, kind: str, body: bytes, info: ProviderInfo, model: Model, source: str) -> Error:
    if reply.status in NO_SUCH_ROUTE and not _speaks_of_model(kind, body, model):
        return ConnectError(
            f"cannot reach {reply.url}: HTTP {reply.status}, it knows no such route: {preview(body)}",
            hint=_other_reading(info, model),
            status=reply.status,
        )
    error = load(defaults.api(model, info)).parse_error(reply.status, body, reply.headers)
    error.status = reply.status
    match error:
        case AuthError(type="auth"):
            keys = _sent_keys(reply.request)
            refused = f"invalid API key for provider {info.id!r} (source: {source})"
            error.message = f"{refused if keys else f'provider {info.id!r} wants a key'}: {error.message}"
            error.hint = error.hint or _advise_key(info, keys)
        case ModelNotFound():
            error.message = f"model not found: {info.id}/{model.id}: {error.message}"
            error.hint = error.hint or f"see: jackfield models list --all --provider {info.id}"
        case _:
            error.message = f"{info.id}/{model.id}: {error.message} (HTTP {reply.status})"
            error.hint = error.hint or ADVICE.get(error.type, "")
    return error


def _not_an_answer(reply: HttpReply, kind: str, body: bytes, info: ProviderInfo, model: Model) -> Error:
    return BadReply(
        f"got {kind} from {reply.url} where the model's answer should be: {preview(body)}",
        hint=_other_reading(info, model),
        status=reply.status,
    )


def _speaks_of_model(kind: str, body: bytes, model: Model) -> bool:
    text = body.decode("utf-8", "replace").lower()
    return "html" not in kind and ("model" in text or defaults.wire_id(model).lower() in text)


def _other_reading(info: ProviderInfo, model: Model) -> str:
    base = model.base_url or info.base_url
    key = f"models.providers.{info.id}"
    try:
        other = other_url(base, defaults.api(model, info), endpoint=info.endpoint or None)
    except ConfigError:
        other = None
    if other is None:
        return f"check {key}.{'endpoint' if info.endpoint else 'baseUrl'}"
    return f"check {key}.baseUrl; read the other way it means {shown_url(other)}: if that is right, set {key}.endpoint to it"


def _blottable(request: HttpRequest) -> set[str]:
    whole = {value.reveal() for value in request.headers.values() if isinstance(value, Secret)}
    # `Bearer sk-…` is echoed without its first word; very short words would blot out innocent ones.
    return {secret for secret in whole | set(_sent_keys(request)) if len(secret) >= 6}


def _sent_keys(request: HttpRequest) -> list[str]:
    return [value.reveal().rpartition(" ")[2] for value in request.headers.values() if isinstance(value, Secret)]


def _advise_key(info: ProviderInfo, keys: list[str]) -> str:
    if info.key_prefix and keys and not any(key.startswith(info.key_prefix) for key in keys):
        return f"check the key: one for {info.id} starts with {info.key_prefix}"
    what = "check the key, or store another" if keys else "store a key"
    return f"{what}: jackfield models auth paste-api-key --provider {info.id}"
