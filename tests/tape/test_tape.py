"""Recording real exchanges and playing them back."""

from __future__ import annotations

import asyncio
import json
import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

import jackfield
from jackfield import ChatRequest, Message
from jackfield.credential import Secret
from jackfield.errors import AuthError, ConfigError, Error, StreamBroken, UsageError
from jackfield.tape.exchange import load_exchange
from jackfield.tape.record import Recorder
from jackfield.tape.redact import Redactor
from jackfield.tape.replay import Player
from jackfield.transport.http import Transport
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from tests.cli.test_chat import HELLO, whole
from tests.commands import local_provider, run
from tests.servers import CUT, json_reply, serve, sse_reply, stream_reply, text_reply

KEY = 'sk-canary-"K1"/9876543210'
CANARIES = ("canary-header-111", "canary-query-222", "canary-user-333", "canary-cookie-444", "canary-org-555")


def config(url: str, **more: Any) -> dict[str, Any]:
    return json.loads(local_provider(url, **more))  # type: ignore[no-any-return]  # JSON


def question(text: str = "Hi", **fields: Any) -> ChatRequest:
    return ChatRequest(model="box/m", messages=[Message.user(text)], **fields)


async def exchange(sender: Any, request: HttpRequest) -> tuple[int, list[bytes]]:
    reply = await sender.open(request)
    try:
        return reply.status, [chunk async for chunk in reply.chunks()]
    finally:
        await reply.close()


@pytest.fixture
def tapes(tmp_path: Path) -> Path:
    return tmp_path / "tapes"


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


# -- both ways ---------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [True, False])
async def test_what_is_recorded_is_played_back_without_a_network_and_without_a_key(tapes: Path, streamed: bool) -> None:
    with serve(HELLO if streamed else json_reply(whole())) as server:
        box = config(server.url)
        async with jackfield.AsyncClient(box, record=tapes / "new") as client:
            said = await (client.stream(question()).response() if streamed else client.chat(question()))
    del box["models"]["providers"]["box"]["apiKey"]
    async with jackfield.AsyncClient(box, replay=tapes / "new") as client:
        again = await (client.stream(question()).response() if streamed else client.chat(question()))
    assert again.text == said.text == "Hi there"
    assert again.usage == said.usage


class Spoiler:
    """A network during whose answer the folder of the recording becomes a file."""

    def __init__(self, network: Transport, folder: Path) -> None:
        self.is_live = True
        self._network = network
        self._folder = folder

    async def open(self, request: HttpRequest) -> HttpReply:
        self._folder.rmdir()
        self._folder.write_text("taken", encoding="utf-8")
        return await self._network.open(request)

    async def close(self) -> None:
        await self._network.close()


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_answer_that_cannot_be_recorded_is_still_given_and_says_so(tapes: Path, streamed: bool) -> None:
    with serve(HELLO if streamed else json_reply(whole())) as server:
        recorder = Recorder(Spoiler(Transport(), tapes), tapes)
        async with jackfield.AsyncClient(config(server.url), transport=recorder) as client:
            said = await (client.stream(question()).response() if streamed else client.chat(question()))
    assert said.text == "Hi there"
    assert [each.partition(":")[0] for each in said.warnings] == ["the exchange is not recorded"]


async def test_a_replay_is_byte_identical_also_in_its_cuts(tapes: Path) -> None:
    pieces = [b"data: gr" + b"\xc3", 0.02, b"\xbc\xc3\xbc", 0.02, b"\xff\x00\x80", 0.02, b"\n\n"]
    with serve(stream_reply(*pieces)) as server:
        request = HttpRequest(url=f"{server.url}/v1/x", body=b"\x80not text")
        async with Transport() as transport:
            first = await exchange(Recorder(transport, tapes), request)
    assert await exchange(Player(tapes), request) == first
    assert len(first[1]) == 4


async def test_a_replay_may_keep_the_pauses(tapes: Path) -> None:
    with serve(sse_reply("one", 0.2, "two")) as server:
        request = HttpRequest(url=server.url, body=b"{}", stream=True)
        async with Transport() as transport:
            await exchange(Recorder(transport, tapes), request)
    loop = asyncio.get_running_loop()
    started = loop.time()
    await exchange(Player(tapes, in_time=True), request)
    assert loop.time() - started >= 0.15


async def test_the_same_question_gets_its_answers_in_order_and_then_no_more(tapes: Path) -> None:
    replies = [json_reply({"n": number}) for number in range(3)]
    with serve(*replies) as server:
        request = HttpRequest(url=server.url, body=b'{"model": "m"}')
        async with Transport() as transport:
            for _ in replies:
                await exchange(Recorder(transport, tapes), request)
    player = Player(tapes)
    said = [json.loads(b"".join((await exchange(player, request))[1])) for _ in replies]
    assert said == [{"n": 0}, {"n": 1}, {"n": 2}]
    with pytest.raises(UsageError, match="once more than"):
        await exchange(player, request)


async def test_the_recording_that_is_the_same_in_everything_comes_first(tapes: Path) -> None:
    with serve(json_reply({"n": 0}), json_reply({"n": 1})) as server:
        cold, warm = (HttpRequest(url=server.url, body=b'{"model":"m","temperature":%d}' % heat) for heat in (0, 1))
        async with Transport() as transport:
            for request in (cold, warm):
                await exchange(Recorder(transport, tapes), request)
    assert (await exchange(Player(tapes), warm))[1] == [b'{"n": 1}']


async def test_a_miss_names_what_comes_nearest_and_how_it_differs(tapes: Path) -> None:
    with serve(json_reply(whole())) as server:
        box = config(server.url)
        async with jackfield.AsyncClient(box, record=tapes) as client:
            await client.chat(question("Hello"))
        async with jackfield.AsyncClient(box, replay=tapes) as client:
            with pytest.raises(UsageError, match="no recording in") as missed:
                await client.chat(question("Hi"))
        assert len(server.journal) == 1
    assert files(tapes)[0].name in missed.value.hint
    assert "body.messages[0].content is 'Hello' recorded, 'Hi' asked" in missed.value.hint


async def test_an_empty_folder_says_how_to_record(tapes: Path) -> None:
    (tapes / "none").mkdir(parents=True)
    with pytest.raises(UsageError, match="no recording in") as missed:
        await Player(tapes / "none").open(HttpRequest(url="http://127.0.0.1:1/x"))
    assert "--record" in missed.value.hint


async def test_a_folder_that_is_not_there_is_said_to_be(tapes: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*mistyped to answer from") as missed:
        await Player(tapes / "mistyped").open(HttpRequest(url="http://127.0.0.1:1/x"))
    assert "--record" in missed.value.hint


async def test_a_broken_answer_breaks_again(tapes: Path) -> None:
    with serve(sse_reply('{"choices":[{"index":0,"delta":{"content":"Hi"}}]}', CUT)) as server:
        box = config(server.url)
        for place in ({"record": tapes}, {"replay": tapes}):
            async with jackfield.AsyncClient(box, **place) as client:
                with pytest.raises(StreamBroken) as broken:
                    await client.stream(question()).response()
            assert broken.value.partial is not None
            assert broken.value.partial.text == "Hi"


async def test_a_refusal_is_an_exchange_like_any_other(tapes: Path) -> None:
    with serve(json_reply({"error": {"message": "no"}}, 401)) as server:
        box = config(server.url)
        for place in ({"record": tapes}, {"replay": tapes}):
            async with jackfield.AsyncClient(box, **place) as client:
                with pytest.raises(AuthError, match="no"):
                    await client.chat(question())


# -- no secret on a disk -----------------------------------------------------------


async def test_no_secret_reaches_the_disk_wherever_it_stood(tapes: Path) -> None:
    header, query, user, cookie, org = CANARIES
    echo = json.dumps({"error": f"{KEY} {header} {query} {user}", "b64": b64encode(KEY.encode()).decode()})
    cut = echo.index("canary-query") + 8
    sent_back = {"set_cookie": f"s={cookie}", "openai_organization": org, "x_echo": f"you are {header}"}
    with serve(
        stream_reply(echo[:9].encode(), 0.03, echo[9:cut].encode(), 0.03, echo[cut:].encode(), **sent_back)
    ) as server:
        url = f"{server.url.replace('//', f'//{user}:{user}@')}/v1/chat?key={query}&alt=sse"
        headers = {
            "x-api-key": Secret(KEY), "x-custom": Secret(header), "cookie": f"c={cookie}",
            "openai-project": org, "accept": "text/event-stream", "x-goog-user-project": org,
        }  # fmt: skip
        body = json.dumps({"model": "m", "note": f"my key is {header}"}).encode()
        request = HttpRequest(url=url, headers=headers, body=body)
        async with Transport() as transport:
            _, heard = await exchange(Recorder(transport, tapes), request)
    [file] = files(tapes)
    pieces = load_exchange(file).answer.pieces
    kept = b"".join(piece.data() for piece in pieces).decode()
    text = file.read_text("utf-8") + file.name + kept
    leaked = [
        word
        for word in (KEY, json.dumps(KEY)[1:-1], "sk-canary", b64encode(KEY.encode()).decode(), *CANARIES)
        if word in text
    ]
    assert leaked == []
    assert [len(piece.data()) for piece in pieces] == [len(chunk) for chunk in heard]
    assert b"".join(heard).decode() == echo, "the program itself hears what was said"
    assert load_exchange(file).request.headers["accept"] == "text/event-stream"
    assert "alt=sse" in load_exchange(file).request.url


async def test_a_key_that_a_server_masks_itself_is_masked_whole(tapes: Path) -> None:
    said = {"error": {"message": "Incorrect API key provided: sk-box-0****6789. Find yours at https://x.example"}}
    with serve(json_reply(said, 401)) as server:
        async with jackfield.AsyncClient(config(server.url), record=tapes) as client:
            with pytest.raises(AuthError):
                await client.chat(question())
    text = files(tapes)[0].read_text("utf-8")
    assert "6789" not in text
    assert "sk-box" not in text
    assert "https://x.example" in text


@pytest.mark.parametrize("spelled", ["can/ary+word=1", "can\\/ary+word=1", "can%2Fary%2Bword%3D1"])
def test_a_secret_is_found_however_a_server_spells_it(spelled: str) -> None:
    clean = Redactor(HttpRequest(url="http://x/y", headers={"authorization": Secret("Bearer can/ary+word=1")}))
    assert clean.text(f'{{"said": "{spelled}"}}') == f'{{"said": "{"*" * len(spelled)}"}}'


def test_a_passphrase_in_a_header_is_private() -> None:
    assert Redactor(HttpRequest(url="https://box.example")).headers({"x-passphrase": "open sesame"}) == {
        "x-passphrase": "****"
    }


def test_innocent_words_and_counters_stay() -> None:
    clean = Redactor(HttpRequest(url="http://x/y", headers={"x": Secret("abc")}))
    kept = {"x-ratelimit-remaining-tokens": "12", "anthropic-ratelimit-tokens-limit": "9", "x-request-id": "req_1"}
    assert clean.headers(kept) == kept
    assert clean.body(b"abc abcdef") == b"abc abcdef"


async def test_files_are_the_owners_alone_and_leave_no_halves(tapes: Path) -> None:
    folder = tapes
    with serve(json_reply(whole())) as server:
        async with jackfield.AsyncClient(config(f"{server.url}/a/../..//%2e%2e/v1"), record=folder) as client:
            await asyncio.gather(*(client.chat(question(f"Hi {number}")) for number in range(5)))
    assert len(files(folder)) == 5
    assert {path.name for path in files(folder.parent)} == {"home", "tapes"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 and path.suffix == ".json" for path in files(folder))


def test_a_file_that_cannot_be_read_is_named(tapes: Path) -> None:
    tapes.mkdir()
    (tapes / "a.json").write_text("{", "utf-8")
    with pytest.raises(ConfigError, match=r"a\.json"):
        asyncio.run(Player(tapes).open(HttpRequest(url="http://127.0.0.1:1/x")))


# -- from outside ------------------------------------------------------------------


def test_the_command_records_and_replays(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    with serve(HELLO) as server:
        path.write_text(local_provider(server.url), "utf-8")
        first = run("--config", str(path), "chat", "--record", "tapes", "Hi")
    second = run("--config", str(path), "chat", "--replay", "tapes", "Hi")
    third = run("--config", str(path), "chat", "Hi", env={"JACKFIELD_REPLAY": "tapes"})
    missed = run("--config", str(path), "chat", "--replay", "tapes", "Hello")
    assert first.out == second.out == third.out == "Hi there\n"
    assert (missed.code, "nearest" in missed.err) == (2, True)


def test_recording_and_replaying_at_once_is_refused() -> None:
    assert run("chat", "--record", "a", "--replay", "b", "Hi").code == 2
    with pytest.raises(UsageError):
        jackfield.AsyncClient({}, record="a", replay="b")


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with serve(text_reply("x")) as server, pytest.raises(Error, match="cannot record into"):
        jackfield.Client(config(server.url), record=tmp_path / "file").chat(question())
