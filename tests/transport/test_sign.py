"""Signed requests: AWS's published examples, and a server that reckons the signature itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from jackfield.client import AsyncClient
from jackfield.config.load import load_config
from jackfield.config.paths import locate
from jackfield.credential import AwsKeys, Secret
from jackfield.errors import AuthError, ConfigError, ConnectError, MissingKey
from jackfield.message import ChatRequest, Message
from jackfield.transport.http import Transport
from jackfield.transport.request import HttpRequest
from jackfield.transport.sign import Signer, _library, pick_region, sign
from tests.servers import Received, json_reply, serve

NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
KEYS = AwsKeys(access_key="AKIDEXAMPLE", secret_key=Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"


def shown(request: HttpRequest) -> dict[str, str]:
    return {
        name: str(value.reveal() if isinstance(value, Secret) else value) for name, value in request.headers.items()
    }


@pytest.mark.parametrize(
    ("request_", "service", "signature"),
    [
        # docs.aws.amazon.com, Signature Version 4: the example of ListUsers, and two cases of its test suite.
        (
            HttpRequest(method="GET", url="https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", headers=FORM),
            "iam", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
        (
            HttpRequest(method="GET", url="https://example.amazonaws.com/"),
            "service", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            HttpRequest(method="POST", url="https://example.amazonaws.com/"),
            "service", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
    ],
)  # fmt: skip
def test_a_published_example_gets_its_published_signature(request_: HttpRequest, service: str, signature: str) -> None:
    said = shown(sign(request_, KEYS, NOW, service))
    assert said["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{service}/")
    assert said["authorization"].endswith(f"Signature={signature}")
    assert said["x-amz-date"] == "20150830T123600Z"


def test_neither_the_secret_nor_the_signature_is_ever_shown() -> None:
    keys = AwsKeys(access_key="AKIDEXAMPLE", secret_key=Secret("topsecret"), session_token=Secret("t0ken"))
    signed = sign(HttpRequest(url="https://example.amazonaws.com/"), keys, NOW)
    assert "topsecret" not in repr(signed) + str(shown(signed))
    assert "t0ken" not in repr({name: value for name, value in signed.headers.items() if isinstance(value, Secret)})
    assert shown(signed)["x-amz-security-token"] == "t0ken"


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://bedrock-runtime.eu-central-1.amazonaws.com/x", "eu-central-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("https://vpce-0a1-b2.bedrock-runtime.us-west-2.vpce.amazonaws.com", "us-west-2"),
        ("https://bedrock-runtime.ap-south-1.api.aws", "ap-south-1"),
        ("http://127.0.0.1:4010/", "mars-1"),
    ],
)
def test_the_region_is_the_addresss_own(url: str, region: str) -> None:
    assert pick_region(url, AwsKeys(region="mars-1")) == region


# -- on the wire -------------------------------------------------------------------


def reckon(received: Received, secret: str) -> str:
    """Return the signature a request should have, from what arrived alone, as AWS describes it."""
    said = dict(part.strip().split("=", 1) for part in received.headers["authorization"].split(" ", 1)[1].split(","))
    names = said["SignedHeaders"].split(";")
    heads = "".join(f"{name}:{' '.join(received.headers[name].split())}\n" for name in names)
    body = hashlib.sha256(received.body).hexdigest()
    path = quote(received.target.partition("?")[0], safe="/~-_.")
    canonical = "\n".join([received.method, path, "", heads, said["SignedHeaders"], body])
    scope = said["Credential"].split("/", 1)[1]
    text = (
        f"AWS4-HMAC-SHA256\n{received.headers['x-amz-date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    )
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
    "stopReason": "end_turn",
    "usage": {},
}


def client_of(url: str, home: Path, **environ: str) -> AsyncClient:
    folder = home / "jackfield"
    folder.mkdir(exist_ok=True)
    config = {"models": {"providers": {"amazon-bedrock": {"baseUrl": url, "models": []}}}}
    (folder / "jackfield.json").write_text(json.dumps(config), encoding="utf-8")
    variables = {"JACKFIELD_HOME": str(folder), "HOME": str(home), **environ}
    return AsyncClient(load_config(locate(variables), variables, cwd=home))


async def ask(client: AsyncClient, model: str = MODEL) -> str:
    async with client:
        return (
            await client.chat(ChatRequest(model=f"amazon-bedrock/{model}", messages=[Message.user("Hello: ü?")]))
        ).text


@pytest.mark.parametrize("model", [MODEL, "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.a-b_c"])
async def test_a_server_that_checks_the_signature_accepts_it(model: str, home: Path) -> None:
    with serve(json_reply(ANSWER)) as server:
        keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s3cret", "AWS_SESSION_TOKEN": "t0ken"}
        assert await ask(client_of(server.url, home, AWS_REGION="eu-west-1", **keys), model) == "Hi"
    (received,) = server.journal
    assert received.target == f"/model/{quote(model, safe='')}/converse"
    assert received.headers["x-amz-security-token"] == "t0ken"
    assert "/eu-west-1/bedrock/aws4_request" in received.headers["authorization"]
    assert received.headers["authorization"].endswith(f"Signature={reckon(received, 's3cret')}")


async def test_a_profile_of_awss_own_files_signs_as_well(home: Path) -> None:
    file = home / "credentials"
    file.write_text("[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = w0rk\n", encoding="utf-8")
    with serve(json_reply(ANSWER)) as server:
        assert await ask(client_of(server.url, home, AWS_PROFILE="work", AWS_SHARED_CREDENTIALS_FILE=str(file))) == "Hi"
    (received,) = server.journal
    assert "Credential=AKIDWORK/" in received.headers["authorization"]
    assert received.headers["authorization"].endswith(f"Signature={reckon(received, 'w0rk')}")


async def test_a_bedrock_key_travels_as_it_is_before_any_key_that_signs(home: Path) -> None:
    with serve(json_reply(ANSWER)) as server:
        keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s3cret"}
        await ask(client_of(server.url, home, AWS_BEARER_TOKEN_BEDROCK="abc", **keys))
    assert server.journal[0].headers["authorization"] == "Bearer abc"
    assert "x-amz-date" not in server.journal[0].headers


async def test_a_profile_that_is_not_there_is_named(home: Path) -> None:
    with pytest.raises(AuthError, match="gone") as caught:
        await Signer().sign(HttpRequest(url="https://example.amazonaws.com/"), AwsKeys(profile="gone"))
    assert "aws sso login --profile gone" in caught.value.hint


def test_who_lacks_the_library_is_told_what_to_install() -> None:
    with pytest.raises(ConfigError) as caught:
        _library("a_part_that_is_not_there")
    assert caught.value.hint == "pip install 'jackfield[bedrock]'"


async def test_offline_nobody_is_asked_for_keys(home: Path) -> None:
    async with Transport(offline=True) as transport:
        with pytest.raises(ConnectError, match="offline"):
            await transport.open(HttpRequest(url="https://example.amazonaws.com/", aws=AwsKeys(profile="gone")))


async def test_a_machine_without_keys_says_what_to_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(MissingKey) as caught:
        await Signer().sign(HttpRequest(url="https://example.amazonaws.com/"), AwsKeys())
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
