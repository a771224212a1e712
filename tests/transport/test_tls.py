"""Encrypted connections: whom we trust, who we are, and what is wrong when we do not."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from jackfield.errors import ConfigError, ConnectError
from jackfield.model import Network
from jackfield.transport.http import Transport
from jackfield.transport.request import HttpRequest
from jackfield.transport.tls import open_trust
from tests.servers import HANG, head, json_reply, serve, sse_reply

PLAIN = Network()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def server_side(certificate: trustme.LeafCert, client_authority: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    if client_authority:
        client_authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def ask(url: str, network: Network = PLAIN, environ: dict[str, str] | None = None) -> bytes:
    async with Transport(environ=environ or {}) as transport:
        reply = await transport.open(HttpRequest(url=f"{url}/v1", network=network, settings="models.providers.corp"))
        return await reply.read()


async def test_an_unknown_authority_is_named_with_the_setting_that_mends_it(authority: trustme.CA) -> None:
    certificate = authority.issue_cert("127.0.0.1")
    with serve(json_reply(1), tls=server_side(certificate)) as server, pytest.raises(ConnectError) as caught:
        await ask(server.url)

    assert caught.value.message.startswith(f"cannot reach {server.url}/v1: TLS: its certificate")
    assert "authority" in caught.value.message
    assert "models.providers.corp.network.ca" in caught.value.hint


async def test_an_authority_of_the_config_is_trusted(authority: trustme.CA, ca_file: str) -> None:
    with serve(json_reply(1), tls=server_side(authority.issue_cert("127.0.0.1"))) as server:
        assert await ask(server.url, Network(ca=ca_file)) == b"1"
        assert await ask(server.url, Network(ca=ca_file, system_trust=False)) == b"1"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"])
async def test_an_authority_of_the_environment_is_trusted(authority: trustme.CA, ca_file: str, name: str) -> None:
    with serve(json_reply(1), tls=server_side(authority.issue_cert("127.0.0.1"))) as server:
        assert await ask(server.url, environ={name: ca_file}) == b"1"


def test_further_authorities_come_on_top_of_the_machines_own(ca_file: str) -> None:
    own = ssl.create_default_context().cert_store_stats()["x509_ca"]
    both = open_trust(Network(ca=ca_file), {})
    alone = open_trust(Network(ca=ca_file, system_trust=False), {"SSL_CERT_FILE": ca_file})

    assert both is not None
    assert alone is not None
    assert both.cert_store_stats()["x509_ca"] == own + 1
    assert alone.cert_store_stats()["x509_ca"] == 1
    assert both.verify_mode == alone.verify_mode == ssl.CERT_REQUIRED


def test_a_folder_of_authorities_will_do(ca_file: str) -> None:
    assert open_trust(Network(), {"SSL_CERT_FILE": str(Path(ca_file).parent)}) is not None


def test_without_settings_the_librarys_defaults_hold() -> None:
    assert open_trust(Network(), {}) is None


def test_without_any_trust_nothing_is_trusted() -> None:
    context = open_trust(Network(system_trust=False), {})

    assert context is not None
    assert context.cert_store_stats()["x509_ca"] == 0


@pytest.mark.parametrize("text", [None, "no certificate"])
async def test_a_file_of_authorities_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "ca.pem"
    if text:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"cannot read the authorities in {path} \(network.ca\)"):
        await ask("https://127.0.0.1:1", Network(ca=str(path)))


async def test_another_host_name_is_named(authority: trustme.CA, ca_file: str) -> None:
    with serve(json_reply(1), tls=server_side(authority.issue_cert("other.example"))) as server:
        with pytest.raises(ConnectError, match=r"certificate is for another (host name|address)"):
            await ask(server.url, Network(ca=ca_file))
        with pytest.raises(ConnectError, match=r"certificate is for another (host name|address)"):
            await ask(server.url.replace("127.0.0.1", "localhost"), Network(ca=ca_file))


async def test_an_expired_certificate_is_named(authority: trustme.CA, ca_file: str) -> None:
    expired = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))
    expected = pytest.raises(ConnectError, match="certificate has expired")
    with serve(json_reply(1), tls=server_side(expired)) as server, expected as caught:
        await ask(server.url, Network(ca=ca_file))

    assert "network.ca" not in caught.value.hint


async def test_a_server_that_speaks_plain_http_is_named() -> None:
    with serve([b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"]) as server:
        plain = server.url.replace("http:", "https:")
        with pytest.raises(ConnectError, match="does not speak TLS on this port") as caught:
            await ask(plain)

    assert caught.value.hint == "perhaps models.providers.corp.baseUrl should begin with http://"


@pytest.mark.parametrize("from_environ", [False, True])
async def test_a_client_certificate_is_shown(
    authority: trustme.CA, ca_file: str, tmp_path: Path, from_environ: bool
) -> None:
    mine = authority.issue_cert("me@corp.example")
    cert, key = tmp_path / "me.pem", tmp_path / "me.key"
    mine.cert_chain_pems[0].write_to_path(cert)
    mine.private_key_pem.write_to_path(key)
    named = {"JACKFIELD_CLIENT_CERT": str(cert), "JACKFIELD_CLIENT_KEY": str(key)} if from_environ else {}
    network = Network(ca=ca_file) if from_environ else Network(ca=ca_file, client_cert=str(cert), client_key=str(key))

    with serve(json_reply(1), tls=server_side(authority.issue_cert("127.0.0.1"), authority)) as server:
        assert await ask(server.url, network, named) == b"1"
        with pytest.raises(ConnectError):
            await ask(server.url, Network(ca=ca_file))


async def test_a_client_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot use the client certificate .*/none.pem"):
        await ask("https://127.0.0.1:1", Network(client_cert=str(tmp_path / "none.pem")))


async def test_leaving_an_encrypted_stream_closes_it_at_once(authority: trustme.CA, ca_file: str) -> None:
    with serve(sse_reply("one", HANG), tls=server_side(authority.issue_cert("127.0.0.1"))) as server:
        async with Transport() as transport:
            reply = await transport.open(HttpRequest(url=server.url, network=Network(ca=ca_file)))
            await anext(reply.chunks())
            await reply.close()
            assert await server.was_left()
            await asyncio.sleep(0.05)


async def test_a_large_answer_comes_whole_and_the_connection_is_kept(authority: trustme.CA, ca_file: str) -> None:
    pieces = [head(200, content_length=str(20 * 65536)), *[b"x" * 65536] * 20]
    with serve(pieces, json_reply(1), tls=server_side(authority.issue_cert("127.0.0.1"))) as server:
        async with Transport() as transport:
            request = HttpRequest(url=server.url, network=Network(ca=ca_file))
            reply = await transport.open(request)
            await asyncio.sleep(0.05)
            assert len(await reply.read()) == 20 * 65536
            assert await (await transport.open(request)).read() == b"1"

    assert server.connections == 1
