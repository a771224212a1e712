"""Which way a request goes: proxies, exemptions, the loopback."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

import pytest

from jackfield.errors import BadReply, ConfigError, ConnectError, Error
from jackfield.model import Network, Timeouts
from jackfield.transport.http import Transport
from jackfield.transport.network import check_offline, is_exempt, is_loopback, pick_proxy
from jackfield.transport.request import HttpRequest
from tests.patience import PATIENCE_S
from tests.servers import CUT, free_port, head, json_reply, serve

OPENAI = "https://api.openai.com/v1/chat/completions"


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True), ("LOCALHOST.", True), ("ollama.localhost", True), ("127.0.0.1", True), ("127.9.9.9", True),
        ("::1", True), ("[::1]", True), ("0.0.0.0", True), ("::ffff:127.0.0.1", False), ("192.168.1.5", False),
        ("host.docker.internal", False), ("localhost.example.com", False), ("127.0.0.1.nip.io", False), ("", False),
    ],
)  # fmt: skip
def test_only_names_that_can_only_mean_this_machine_are_loopback(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, OPENAI, None),
        ({"HTTPS_PROXY": "http://p:8080"}, OPENAI, "http://p:8080"),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:2"}, OPENAI, "http://low:1"),
        ({"HTTP_PROXY": "http://p:8080"}, OPENAI, None),
        ({"HTTP_PROXY": "http://p:8080"}, "http://models.example/v1", "http://p:8080"),
        ({"ALL_PROXY": "p:8080"}, OPENAI, "http://p:8080"),
        ({"HTTPS_PROXY": " "}, OPENAI, None),
        ({"ALL_PROXY": "http://p:1"}, "http://localhost:11434/v1", None),
        ({"ALL_PROXY": "http://p:1"}, "http://127.0.0.1:11434/v1", None),
        ({"ALL_PROXY": "http://p:1"}, "http://[::1]:11434/v1", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com,openai.com"}, OPENAI, None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, OPENAI, None),
    ],
)
def test_the_environment_names_the_proxy(environ: dict[str, str], url: str, proxy: str | None) -> None:
    assert pick_proxy(url, Network(), environ) == proxy


def test_a_proxy_in_the_config_beats_the_environment() -> None:
    environ = {"HTTPS_PROXY": "http://env:1", "NO_PROXY": "*"}

    assert pick_proxy(OPENAI, Network(proxy="http://cfg:2"), environ) == "http://cfg:2"
    assert pick_proxy(OPENAI, Network(proxy=""), {"HTTPS_PROXY": "http://env:1"}) is None


@pytest.mark.parametrize(
    ("rule", "url", "answer"),
    [
        ("openai.com", OPENAI, True), (".openai.com", OPENAI, True), ("*.openai.com", OPENAI, True),
        ("API.OpenAI.com", OPENAI, True), ("penai.com", OPENAI, False), ("openai.com.evil", OPENAI, False),
        ("api.openai.com:443", OPENAI, True), ("api.openai.com:8443", OPENAI, False),
        ("a.com api.openai.com", OPENAI, True), ("", OPENAI, False), (",", OPENAI, False), (".", OPENAI, False),
        ("10.0.0.0/8", "http://10.1.2.3:8000/v1", True), ("10.0.0.0/8", "http://11.1.2.3/v1", False),
        ("10.1.2.3", "http://10.1.2.3/v1", True), ("10.1.2.3:80", "http://10.1.2.3/v1", True),
        ("10.1.2.3:81", "http://10.1.2.3/v1", False), ("fd00::/8", "http://[fd00::5]:1/v1", True),
        ("[fd00::5]", "http://[fd00::5]:1/v1", True), ("[fd00::5]:1", "http://[fd00::5]:1/v1", True),
        ("[fd00::5]:2", "http://[fd00::5]:1/v1", False),
    ],
)  # fmt: skip
def test_no_proxy_rules(rule: str, url: str, answer: bool) -> None:
    assert is_exempt(urlsplit(url), rule) is answer


def test_a_proxy_of_another_kind_is_named_without_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        pick_proxy(OPENAI, Network(), {"ALL_PROXY": "socks5://me:hunter2@p:1080"})

    assert "socks5://p:1080 (all_proxy)" in caught.value.message.replace("ALL_PROXY", "all_proxy")
    assert "hunter2" not in caught.value.message


def test_offline_refuses_a_proxy_on_another_machine() -> None:
    request = HttpRequest(url="http://127.0.0.1:1/v1")

    check_offline(request, None)
    with pytest.raises(ConnectError, match="--offline"):
        check_offline(request, "http://proxy.example:8080")


# -- through real proxies ----------------------------------------------------------


async def fail(request: HttpRequest, environ: dict[str, str]) -> Error:
    async with Transport(environ=environ) as transport:
        with pytest.raises(Error) as caught:
            await transport.open(request)
    return caught.value


async def test_a_plain_request_goes_through_the_proxy_with_its_password() -> None:
    with serve(json_reply(1)) as proxy:
        environ = {"HTTP_PROXY": f"http://me:hunter2@127.0.0.1:{proxy.port}"}
        async with Transport(environ=environ) as transport:
            reply = await transport.open(HttpRequest(url="http://models.example/v1/x", body=b"{}"))
            assert await reply.read() == b"1"

    assert proxy.journal[0].target == "http://models.example/v1/x"
    assert proxy.journal[0].headers["proxy-authorization"] == f"Basic {base64.b64encode(b'me:hunter2').decode()}"


async def test_an_encrypted_request_asks_the_proxy_for_a_tunnel_and_shows_it_no_header_of_ours() -> None:
    with serve([head(407, proxy_authenticate="Basic", content_length="0"), CUT]) as proxy:
        url = "https://models.example/v1/x"
        request = HttpRequest(
            url=url, headers={"x-api-key": "k1"}, network=Network(proxy=proxy.url), settings="models.providers.p"
        )
        error = await fail(request, {})

    assert type(error) is ConnectError
    assert error.message.startswith(f"cannot reach {url}: the proxy refused with HTTP 407")
    assert "models.providers.p.network.proxy" in error.hint
    assert (proxy.journal[0].method, proxy.journal[0].target) == ("CONNECT", "models.example:443")
    assert "x-api-key" not in proxy.journal[0].headers


async def test_a_proxy_that_is_down_is_named() -> None:
    port = free_port()
    error = await fail(
        HttpRequest(url="https://models.example/v1"), {"HTTPS_PROXY": f"http://me:hunter2@127.0.0.1:{port}"}
    )

    assert type(error) is ConnectError
    assert f"the proxy 127.0.0.1:{port} does not answer (connection refused)" in error.message
    assert "hunter2" not in error.message + error.hint


async def test_a_proxy_whose_name_is_unknown_is_not_mistaken_for_the_provider() -> None:
    error = await fail(HttpRequest(url="https://models.example/v1"), {"HTTPS_PROXY": "http://proxy.invalid:3128"})

    assert type(error) is ConnectError
    assert "proxy.invalid" in error.message
    assert "HTTPS_PROXY" in error.hint


async def test_a_proxy_that_never_answers_ends_with_the_connect_timer() -> None:
    with serve([PATIENCE_S]) as proxy:
        request = HttpRequest(url="https://models.example/v1", timeouts=Timeouts(connect=0.2))
        error = await fail(request, {"HTTPS_PROXY": proxy.url})

    assert "(timer: connect)" in error.message


async def test_a_redirecting_captive_portal_is_refused() -> None:
    with serve([head(302, location="http://login.hotel.example/", content_length="0")]) as portal:
        error = await fail(HttpRequest(url="http://models.example/v1"), {"HTTP_PROXY": portal.url})

    assert type(error) is BadReply
    assert "redirects to http://login.hotel.example/" in error.message
