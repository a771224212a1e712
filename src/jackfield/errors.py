"""What can go wrong, by whose fault it is.

    Error                     .type
    ├─ ConfigError            config            the user's files
    ├─ UsageError             usage             the command line
    ├─ AuthError              auth              a credential was refused
    │  ├─ MissingKey          missing_key       there is none
    │  └─ PermissionDenied    permission        it may not do this
    ├─ RequestError                             the request itself; another try changes nothing
    │  ├─ InvalidRequest      invalid_request
    │  ├─ ContextLength       context_overflow
    │  ├─ ContentFilter       content_filter
    │  ├─ ModelNotFound       model_not_found
    │  ├─ NotAllowed          not_allowed       the user's own allowlist
    │  ├─ OverBudget          billing           the user's own limit; nothing was sent
    │  └─ Paced               rate_limit        the user's own pace; nothing was sent
    ├─ ProviderError                            the other side
    │  ├─ RateLimit           rate_limit
    │  ├─ Overloaded          overloaded
    │  ├─ Quota               billing
    │  ├─ ServerError         server_error
    │  └─ BadReply            protocol          an answer that is none
    ├─ TransportError                           the way there
    │  ├─ ConnectError        connection
    │  │  ├─ Offline          connection        nobody was called: this side stays on its machine
    │  │  └─ ConnectionLost   connection        before any answer; the request may have been heard
    │  ├─ TimeoutExpired      timeout
    │  └─ StreamBroken        stream_broken     `.partial` holds what was heard
    └─ Cancelled              cancelled

Messages are lower-case, name the value, and hold no secret; `hint` says what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

# `--help` needs the errors and none of the values they may carry.
if TYPE_CHECKING:
    from jackfield.message import Attempt, ChatResponse


class Error(Exception):
    """Base of all errors; `.retryable`: the same try may work later, `.failover`: another candidate may."""

    type: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    failover: ClassVar[bool] = False

    def __init__(
        self, message: str, *, hint: str = "", status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status  # the provider's HTTP status, where there was one
        self.retry_after_s = retry_after_s
        self.code: str | None = None  # the provider's own word for it
        self.param: str | None = None  # the field it complains of
        self.attempts: tuple[Attempt, ...] = ()
        self.partial: ChatResponse | None = None


def forget_way(error: BaseException | None) -> None:
    """Forget the frames that an error, and what caused it, came through.

    For whoever has told of it: frames that hold an error it has come through would wait for the collector of cycles.
    """
    if error is not None and error.__traceback__ is not None:
        error.__traceback__ = None
        forget_way(error.__cause__)
        forget_way(error.__context__)


class ConfigError(Error):
    """A file of the user's cannot be read, parsed or used."""

    type = "config"


class UsageError(Error):
    """The command line, or the program, asks for something that does not exist."""

    type = "usage"


class AuthError(Error):
    """The provider refused the credential."""

    type = "auth"
    failover = True


class MissingKey(AuthError):
    """There is no credential to send."""

    type = "missing_key"


class PermissionDenied(AuthError):
    """The credential is good but may not do this."""

    type = "permission"


class RequestError(Error):
    """The request cannot succeed as it stands."""

    type = "invalid_request"


class InvalidRequest(RequestError):
    """The provider does not accept a field or a value."""


class ContextLength(RequestError):
    """The conversation is longer than the model's window."""

    type = "context_overflow"


class ContentFilter(RequestError):
    """The provider's policy declines the request."""

    type = "content_filter"


class ModelNotFound(RequestError):
    """No such model, or none for this credential."""

    type = "model_not_found"
    failover = True


class NotAllowed(RequestError):
    """The user's own allowlist or policy excludes the model."""

    type = "not_allowed"


class OverBudget(RequestError):
    """The user's own limit of money does not cover the call; it was not sent, and a cheaper model may be."""

    type = "billing"
    failover = True


class Paced(RequestError):
    """The pace the user allows has no turn in time; nothing was sent, and another model may be free."""

    type = "rate_limit"
    retryable = True
    failover = True


class ProviderError(Error):
    """The provider failed."""

    type = "server_error"
    retryable = True
    failover = True


class RateLimit(ProviderError):
    """Too many requests or tokens for now."""

    type = "rate_limit"


class Overloaded(ProviderError):
    """The provider has no room for now."""

    type = "overloaded"


class Quota(ProviderError):
    """Credit or quota is used up; waiting does not help."""

    type = "billing"
    retryable = False


class ServerError(ProviderError):
    """The provider broke."""


class BadReply(ProviderError):
    """An answer that is none: wrong content type, no JSON, an empty body."""

    type = "protocol"
    retryable = False


class TransportError(Error):
    """The request or the answer was lost on the way."""

    type = "connection"
    retryable = True
    failover = True


class ConnectError(TransportError):
    """No connection: name, refusal, TLS."""


class Offline(ConnectError):
    """Nobody was called: this side was told to stay on its machine."""


class ConnectionLost(ConnectError):
    """The connection ended before any answer; the request may have been heard."""


class TimeoutExpired(TransportError):
    """A timer ran out; the message names which."""

    type = "timeout"


class StreamBroken(TransportError):
    """The answer ended before its end; `.partial` holds what was heard."""

    type = "stream_broken"


class Cancelled(Error):
    """The user stopped it."""

    type = "cancelled"


# -- from a provider's own words ---------------------------------------------------

# Status first: a 500 that mentions "policy" is an outage. Order matters only inside WORDS.
STATUSES: dict[int, type[Error]] = {
    400: InvalidRequest, 401: AuthError, 402: Quota, 403: PermissionDenied, 404: ModelNotFound,
    408: TimeoutExpired, 413: ContextLength, 422: InvalidRequest, 429: RateLimit,
    499: TimeoutExpired, 503: Overloaded, 504: TimeoutExpired, 522: TimeoutExpired, 524: TimeoutExpired, 529: Overloaded,
}  # fmt: skip
# Words that say more than their status. They are looked for in code, type and message of an
# error body only, never in a model's text; each row names the statuses it may overrule.
WORDS: tuple[tuple[frozenset[int], tuple[str, ...], type[Error]], ...] = (
    (
        frozenset({200, 400, 413, 422, 500}),
        ("context_length", "exceed_context_size", "context length exceeded", "max context length", "maximum context length",
         "exceeds the context length", "greater than the context length", "longer than the model's context length",
         "maximum model length", "maximum prompt length", "exceed context limit", "context window", "available context size",
         "context size has been exceeded", "prompt is too long", "prompt too long", "prompt tokens too long", "too long to fit",
         "input is too long", "input too long", "input length exceeds", "maximum allowed input length", "range of input length",
         "prompt exceeds max length", "prompt exceeds the length limit", "prompt 超长", "exceeded model token limit",
         "max_prompt_tokens_exceeded", "prompt token count", "too_many_prompt_tokens", "too many tokens", "too many input tokens",
         "exceeds the maximum number of tokens", "exceed max message tokens", "token limit reached", "`max_new_tokens` must be",
         "reduce the length of the messages", "length of all messages is too long", "request_too_large"),
        ContextLength,
    ),
    # A refused key is no matter of money, however often its refusal speaks of a page for billing.
    (frozenset({401}), ("invalid_api_key", "incorrect api key", "invalid api key", "invalid x-api-key", "authentication_error"), AuthError),
    (
        frozenset({200, 400, 401, 403, 429}),
        ("insufficient_quota", "exceeded your current quota", "credit balance", "insufficient credits", "insufficient balance",
         "payment required", "key limit exceeded", "plans & billing", "specified api usage limits", "all available credits",
         "arrearage"),
        Quota,
    ),
    (
        frozenset({200, 400, 403}),
        ("content_filter", "content_policy", "content management policy", "responsibleaipolicyviolation", "safety system"),
        ContentFilter,
    ),
    (frozenset({200, 400, 403}), ("model_not_found", "model not found", "does not exist", "invalid_model", "supported api model names"), ModelNotFound),
    (frozenset({200, 400}), ("invalid_api_key", "incorrect api key", "invalid api key", "authentication_error"), AuthError),
    (frozenset({200}), ("permission_error",), PermissionDenied),
    (frozenset({200, 400}), ("not_found_error",), ModelNotFound),
    (frozenset({200, 400}), ("rate_limit", "too many requests", "usage_limit_reached"), RateLimit),
    (frozenset({200, 400, 429, 500}), ("overloaded",), Overloaded),
    (frozenset({200}), ("server_error", "api_error", "internal error"), ServerError),
)  # fmt: skip


def classify(status: int, message: str, *, code: str | None = None, kind: str | None = None) -> type[Error]:
    """Return the class of a provider's error from its HTTP status and its body's own words.

    `status` is 200 for an error inside a successful reply. `code` and `kind` are the body's
    machine-readable fields. An unknown 4xx is an invalid request, everything else a server error.
    """
    said = " ".join(filter(None, (code, kind, message))).lower()
    for statuses, words, error in WORDS:
        if status in statuses and any(word in said for word in words):
            return error
    if status in STATUSES:
        return STATUSES[status]
    return InvalidRequest if 400 <= status < 500 else ServerError
