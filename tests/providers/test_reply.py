"""What a user is told when a reply is no answer; every reply comes from a real server."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from jackfield.credential import RequestAuth, Secret
from jackfield.errors import (
    AuthError,
    BadReply,
    ConnectError,
    ContextLength,
    Error,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    PermissionDenied,
    Quota,
    RateLimit,
    ServerError,
)
from jackfield.message import ChatRequest, Message
from jackfield.model import Api, Model, ProviderInfo
from jackfield.providers.provider import render
from jackfield.providers.reply import check_reply
from jackfield.transport.http import Transport
from tests.servers import RESET, Step, head, json_reply, serve, sse_reply, text_reply

KEY = "vapi_1234567890abcdef"
PAGE = "<!doctype html><html><head><title>Not here</title></head></html>"


async def check(
    reply: Sequence[Step], *, path: str = "/v1", api: Api = "openai-completions", key: str | None = KEY, **row: object
) -> str:
    """Ask a server that answers so; return what an accepted body says."""
    with serve(reply) as server:
        info = ProviderInfo(id="venice", api=api, base_url=server.url + path, key_prefix="vapi_", **row)
        model = Model(id="llama-3.3-70b")
        auth = RequestAuth(secret=Secret(key) if key else None, source="env: VENICE_API_KEY")
        sent = render(ChatRequest(model="", messages=[Message.user("Hello")]), info, model, auth)
        async with Transport() as transport:
            opened = await transport.open(sent)
            await check_reply(opened, info, model, auth.source)
            return (await opened.read()).decode()


async def refuse(reply: Sequence[Step], *, path: str = "/v1", **row: object) -> Error:
    with pytest.raises(Error) as caught:
        await check(reply, path=path, **row)
    return caught.value


def refusal(message: str, code: str | None = None) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}


# -- answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"ok": 1}),
        sse_reply({"ok": 1}),
        text_reply('{"ok": 1}', content_type="text/plain; charset=utf-8"),
        text_reply('{"ok": 1}', content_type="application/vnd.api+json"),
        [head(200, content_length="9") + b'{"ok": 1}'],
    ],
)
async def test_an_answer_is_left_unread(reply: list[Step]) -> None:
    assert '"ok": 1' in await check(reply)


async def test_a_web_page_is_no_answer_and_the_other_address_is_named() -> None:
    error = await refuse(text_reply(PAGE, content_type="text/html"), path="/api")

    assert type(error) is BadReply
    assert "got text/html from http://127.0.0.1:" in error.message
    assert "/api/chat/completions" in error.message
    assert "<title>Not here" in error.message
    assert "/api/v1/chat/completions" in error.hint
    assert "models.providers.venice.baseUrl" in error.hint


# -- no such route, no such model --------------------------------------------------


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize(
    "body", [text_reply(PAGE, 404, "text/html"), json_reply({"detail": "Not Found"}, 404), text_reply("404 page not found", 404), json_reply({}, 404)]
)  # fmt: skip
async def test_an_unknown_route_names_both_addresses(status: int, body: list[Step]) -> None:
    assert isinstance(body[0], bytes)
    error = await refuse([body[0].replace(b" 404 ", b" %d " % status)], path="/v1")

    assert type(error) is ConnectError
    assert error.status == status
    assert error.message.startswith("cannot reach http://127.0.0.1:")
    assert "/v1/chat/completions: HTTP" in error.message
    assert "set models.providers.venice.endpoint to it" in error.hint


async def test_a_web_page_that_speaks_of_models_is_an_unknown_route_all_the_same() -> None:
    page = "<html>We make model trains. llama-3.3-70b</html>"

    assert type(await refuse(text_reply(page, 404, "text/html"))) is ConnectError


async def test_an_unknown_route_of_an_endpoint_names_the_endpoint() -> None:
    with serve(text_reply(PAGE, 404, "text/html")) as server:
        error = await refuse(text_reply("", 404), endpoint=f"{server.url}/odd")

    assert error.hint == "check models.providers.venice.endpoint"


@pytest.mark.parametrize(
    ("message", "status"),
    [("The model `llama-3.3-70b` does not exist", 404), ("model: llama-3.3-70b", 404), ("No endpoints found for llama-3.3-70b.", 404), ("model_not_found", 400)],
)  # fmt: skip
async def test_an_unknown_model_is_named_with_the_command_that_lists_them(message: str, status: int) -> None:
    error = await refuse(json_reply(refusal(message), status))

    assert type(error) is ModelNotFound
    assert error.message.startswith("model not found: venice/llama-3.3-70b: ")
    assert "jackfield models list --all --provider venice" in error.hint


# -- credentials -------------------------------------------------------------------


async def test_a_refused_key_says_whose_and_where_it_came_from() -> None:
    error = await refuse(json_reply(refusal("Incorrect API key provided", "invalid_api_key"), 401))

    assert type(error) is AuthError
    assert (
        error.message
        == "invalid API key for provider 'venice' (source: env: VENICE_API_KEY): Incorrect API key provided"
    )
    assert "jackfield models auth paste-api-key --provider venice" in error.hint


async def test_a_key_of_the_wrong_kind_is_pointed_out() -> None:
    error = await refuse(json_reply(refusal("bad key"), 401), key="sk-1234567890")

    assert "vapi_" in error.hint


@pytest.mark.parametrize("api", ["openai-completions", "anthropic-messages"])
async def test_an_echoed_key_is_blotted_out(api: Api) -> None:
    error = await refuse(json_reply(refusal(f"Bearer {KEY} is wrong, {KEY!r}!"), 401), api=api)

    assert KEY not in error.message + error.hint + str(error)
    assert "****" in str(error)


async def test_a_key_echoed_on_a_web_page_is_blotted_out() -> None:
    error = await refuse(text_reply(f"<p>{KEY}</p>", 200, "text/html"))

    assert KEY not in str(error)


async def test_a_server_that_wants_a_key_and_got_none_says_so() -> None:
    error = await refuse(json_reply(refusal("no key"), 401), key=None)

    assert error.message == "provider 'venice' wants a key: no key"
    assert error.hint == "store a key: jackfield models auth paste-api-key --provider venice"


# -- everything else ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message", "code", "kind"),
    [
        (400, "bad field", None, InvalidRequest),
        (400, "maximum context length is 4096", "context_length_exceeded", ContextLength),
        (402, "pay", None, Quota),
        (403, "not you", None, PermissionDenied),
        (429, "slow down", None, RateLimit),
        (500, "oh", None, ServerError),
        (503, "busy", None, Overloaded),
        (529, "overloaded", None, Overloaded),
    ],
)
async def test_a_refusal_is_its_protocols_error_with_the_model_in_front(
    status: int, message: str, code: str | None, kind: type[Error]
) -> None:
    error = await refuse(json_reply(refusal(message, code), status))

    assert type(error) is kind
    assert error.message == f"venice/llama-3.3-70b: {message} (HTTP {status})"
    assert error.status == status


@pytest.mark.parametrize(
    ("reply", "wait_s"),
    [
        (json_reply(refusal("slow"), 429, retry_after="2"), 2),
        (json_reply(refusal("slow"), 429, retry_after_ms="1500"), 1.5),
        (json_reply(refusal("Please try again in 1.8s"), 429), 1.8),
        (json_reply(refusal("slow"), 503, x_ratelimit_reset_tokens="6s"), 6),
        (json_reply(refusal("slow"), 429), None),
        (json_reply(refusal("bad; try again in 5s"), 400), None),
    ],
)
async def test_the_wait_a_provider_asks_for_is_kept(reply: list[Step], wait_s: float | None) -> None:
    assert (await refuse(reply)).retry_after_s == wait_s


async def test_a_refusal_that_breaks_off_is_still_its_status() -> None:
    error = await refuse([head(500, content_type="application/json", content_length="500") + b'{"error"', 0.02, RESET])

    assert type(error) is ServerError


async def test_the_anthropic_wires_refusals_are_read_too() -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    error = await refuse(
        [
            head(529, content_type="application/json", content_length=str(len(json.dumps(body))))
            + json.dumps(body).encode()
        ],
        api="anthropic-messages",
        path="",
    )

    assert type(error) is Overloaded
