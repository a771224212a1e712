"""Tokens from Google's application default credentials: real files, and a token server on the loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from jackfield.client import AsyncClient
from jackfield.config.load import load_config
from jackfield.config.paths import locate
from jackfield.credential import AdcFile
from jackfield.errors import AuthError, ConfigError, ConnectError
from jackfield.message import ChatRequest, Message
from jackfield.transport.adc import _library
from jackfield.transport.http import Transport
from jackfield.transport.request import HttpRequest
from tests.servers import Received, Reply, json_reply, serve, text_reply

ANSWER = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}
TOKEN = {"access_token": "ya29.first", "expires_in": 3600, "token_type": "Bearer"}
USER = {"type": "authorized_user", "client_id": "id", "client_secret": "cl13nt", "refresh_token": "1//refresh"}


def write(path: Path, url: str, **fields: str) -> AdcFile:
    path.write_text(json.dumps({"token_uri": f"{url}/token", **fields}), encoding="utf-8")
    return AdcFile(path=str(path))


def bearers(server_journal: list[Received]) -> list[str]:
    return [each.headers["authorization"] for each in server_journal if each.target != "/token"]


def asked(journal: list[Received]) -> list[dict[str, list[str]]]:
    return [parse_qs(each.body.decode()) for each in journal if each.target == "/token"]


def by_place(token: Reply, answer: Reply) -> Callable[[Received], Reply]:
    return lambda received: token if received.target == "/token" else answer


async def send(url: str, file: AdcFile, times: int = 1) -> None:
    async with Transport() as transport:
        for _ in range(times):
            reply = await transport.open(HttpRequest(url=url, body=b"{}", adc=file))
            await reply.read()


async def test_a_client_that_is_signed_in_with_gcloud_asks_vertex(home: Path) -> None:
    with serve(by_place(json_reply(TOKEN), json_reply(ANSWER))) as server:
        file = write(home / "adc.json", server.url, **USER, quota_project_id="billed")
        folder = home / "jackfield"
        folder.mkdir()
        config = {"models": {"providers": {"google-vertex": {"baseUrl": f"{server.url}/v1/p"}}}}
        (folder / "jackfield.json").write_text(json.dumps(config), encoding="utf-8")
        environ = {
            "JACKFIELD_HOME": str(folder), "HOME": str(home), "GOOGLE_APPLICATION_CREDENTIALS": file.path,
            "GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_CLOUD_LOCATION": "us-east5",
        }  # fmt: skip
        async with AsyncClient(load_config(locate(environ), environ, cwd=home)) as client:
            request = ChatRequest(model="google-vertex/gemini-2.5-flash", messages=[Message.user("Hello?")])
            assert (await client.chat(request)).text == "Hi"
            assert (await client.chat(request)).text == "Hi"
    (question,) = asked(server.journal)
    assert question["refresh_token"] == ["1//refresh"]
    assert bearers(server.journal) == ["Bearer ya29.first"] * 2
    assert server.journal[1].headers["x-goog-user-project"] == "billed"
    assert "x-goog-api-key" not in server.journal[1].headers


async def test_a_service_account_signs_for_its_token(home: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with serve(by_place(json_reply(TOKEN), json_reply({}))) as server:
        file = write(
            home / "key.json", server.url, type="service_account", client_email="robot@p.example",
            private_key=pem, private_key_id="1", project_id="p",
        )  # fmt: skip
        await send(server.url, file)
    assert bearers(server.journal) == ["Bearer ya29.first"]
    signed, _, signature = asked(server.journal)[0]["assertion"][0].rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    key.public_key().verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"


@pytest.mark.parametrize(("lasts_s", "fetched"), [(3600, 1), (299, 3)])
async def test_a_token_is_kept_until_five_minutes_before_its_end(home: Path, lasts_s: int, fetched: int) -> None:
    with serve(by_place(json_reply(TOKEN | {"expires_in": lasts_s}), json_reply({}))) as server:
        await send(server.url, write(home / "adc.json", server.url, **USER), times=3)
    assert len(asked(server.journal)) == fetched


async def test_many_requests_at_a_time_share_one_token(home: Path) -> None:
    with serve(by_place([0.05, *json_reply(TOKEN)], json_reply({}))) as server:
        request = HttpRequest(url=server.url, adc=write(home / "adc.json", server.url, **USER))
        async with Transport() as transport:
            for reply in await asyncio.gather(*(transport.open(request) for _ in range(5))):
                await reply.read()
    assert len(asked(server.journal)) == 1
    assert len(bearers(server.journal)) == 5


async def test_a_new_sign_in_counts_at_once(home: Path) -> None:
    with serve(by_place(json_reply(TOKEN), json_reply({}))) as server:
        request = HttpRequest(url=server.url, adc=write(home / "adc.json", server.url, **USER))
        async with Transport() as transport:
            await (await transport.open(request)).read()
            write(home / "adc.json", server.url, **{**USER, "refresh_token": "1//other"})
            os.utime(home / "adc.json", (1, 1))
            await (await transport.open(request)).read()
    assert [each["refresh_token"] for each in asked(server.journal)] == [["1//refresh"], ["1//other"]]


async def test_a_sign_in_that_google_takes_no_more_names_the_file_and_the_command(home: Path) -> None:
    refusal = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    with serve(json_reply(refusal, status=400)) as server:
        file = write(home / "adc.json", server.url, **USER)
        with pytest.raises(AuthError, match="expired or revoked") as caught:
            await send(server.url, file)
    assert file.path in caught.value.message
    assert "gcloud auth application-default login" in caught.value.hint
    assert "1//refresh" not in str(caught.value)
    assert len(server.journal) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        ("[]", "its type is None"),
        ('{"type": "gdch"}', "its type is 'gdch'"),
        ('{"type": "authorized_user", "client_id": "id"}', "refresh_token"),
        ('{"type": "service_account", "client_email": "a@b"}', "token_uri"),
        ('{"type": "external_account"}', "token_url|audience|required|credential"),
    ],
)
async def test_a_file_that_is_none_is_named_with_the_reason(home: Path, text: str, why: str) -> None:
    path = home / "adc.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AuthError, match=why) as caught:
        await send("http://127.0.0.1:9/", AdcFile(path=str(path)))
    assert str(path) in caught.value.message
    assert "gcloud auth application-default login" in caught.value.hint


async def test_a_file_that_went_away_is_named(home: Path) -> None:
    with pytest.raises(AuthError, match=r"gone\.json"):
        await send("http://127.0.0.1:9/", AdcFile(path=str(home / "gone.json")))


async def test_an_answer_that_is_no_token_is_an_error_of_ours(home: Path) -> None:
    with serve(text_reply("<html>", status=404)) as server, pytest.raises(AuthError, match=r"adc\.json"):
        await send(server.url, write(home / "adc.json", server.url, **USER))


async def test_offline_no_token_is_fetched_elsewhere(home: Path) -> None:
    file = write(home / "adc.json", "https://token.example", **USER)
    async with Transport(offline=True) as transport:
        with pytest.raises(ConnectError, match=r"token\.example.*offline"):
            await transport.open(HttpRequest(url="http://127.0.0.1:9/", adc=file))


def test_who_lacks_the_library_is_told_what_to_install() -> None:
    with pytest.raises(ConfigError) as caught:
        _library("auth.a_part_that_is_not_there")
    assert caught.value.hint == "pip install 'jackfield[vertex]'"
