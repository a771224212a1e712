"""A scripted provider: through the library, and over HTTP as the vendors' own clients see it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai

import jackfield
from jackfield import BlockDelta, ChatRequest, Message, TextBlock, ToolResult
from jackfield.errors import (
    BadReply,
    ConfigError,
    ConnectError,
    ContentFilter,
    ContextLength,
    Overloaded,
    RateLimit,
    StreamBroken,
    TimeoutExpired,
    UsageError,
)
from jackfield.protocols import load
from jackfield.scripted.load import load_script
from jackfield.scripted.play import play
from jackfield.scripted.reply import Reply
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.commands import run, write_config
from tests.patience import PATIENCE_S, quickest_s, timed_s

SIXTY = " ".join(f"word{number}" for number in range(60))


def ask(text: str = "Hi", model: str = "fake/m", **fields: Any) -> ChatRequest:
    return ChatRequest(model=model, messages=[Message.user(text)], **fields)


# -- the library -------------------------------------------------------------------


def test_three_lines_test_a_program_without_a_provider() -> None:
    with jackfield.fake(["Hello there"]) as client:
        reply = client.chat(ask())
        assert reply.text == "Hello there"
        assert [asked.text for asked in client.requests] == ["Hi"]
        assert (reply.usage.input, reply.usage.output) == (1, 2)


def test_without_a_script_it_echoes() -> None:
    with jackfield.fake() as client:
        assert [client.chat(ask(text)).text for text in ("one", "two")] == ["one", "two"]


@pytest.mark.parametrize(
    "model", ["anthropic/claude-opus-4-5", "openai/gpt-4o", "mistral/mistral-large-latest", "fake/x"]
)
@pytest.mark.parametrize("streamed", [True, False])
def test_every_model_answers_without_a_key_in_its_own_protocol(model: str, streamed: bool) -> None:
    script = [{"text": "It is so.", "thinking": "Hm.", "toolCalls": [{"name": "look", "arguments": {"at": "it"}}],
               "usage": {"input": 7, "output": 5, "cacheRead": 2}}]  # fmt: skip
    with jackfield.fake(script) as client:
        reply = client.stream(ask(model=model)).response() if streamed else client.chat(ask(model=model))
    assert (reply.text, reply.thinking, reply.finish_reason) == ("It is so.", "Hm.", "tool_calls")
    assert [(call.name, json.loads(call.arguments)) for call in reply.tool_calls] == [("look", {"at": "it"})]
    assert (reply.usage.input, reply.usage.output, reply.usage.cache_read) == (7, 5, 2)


def test_a_reply_waits_for_what_it_answers() -> None:
    script = [
        {"when": {"toolResult": True}, "text": "It is 18 °C."},
        {"when": {"user": "weather"}, "toolCalls": [{"name": "weather", "arguments": '{"city": "Li'}]},
        {"when": {"model": "big-*"}, "text": "from the big one"},
        {"when": {"user": "/^gr[uü]/"}, "text": "as a pattern"},
        {"text": "else"},
    ]
    with jackfield.fake(script) as client:
        call = client.chat(ask("the weather?")).tool_calls[0]
        assert call.arguments == '{"city": "Li'
        done = Message("user", [ToolResult(call.id, [TextBlock("18")])])
        history = [Message.user("the weather?"), Message("assistant", [call]), done]
        assert client.chat(ChatRequest(model="fake/m", messages=history)).text == "It is 18 °C."
        assert [client.chat(ask(*each)).text for each in (("Hi", "fake/big-1"), ("grüezi",), ("Hi",))] == [
            "from the big one", "as a pattern", "else",
        ]  # fmt: skip
        assert [asked.reply for asked in client.requests] == [1, 0, 2, 3, 4]


async def test_an_async_client_takes_a_script_for_its_network() -> None:
    fake = jackfield.FakeTransport([{"text": "Hi", "repeat": 2}])
    write_config(json.dumps({"models": {"aliases": {"quick": "openai/gpt-4o-mini"}}}))
    async with jackfield.AsyncClient(transport=fake) as client:
        assert (await client.chat(ask(model="quick"))).text == "Hi"
        assert (await client.stream(ask(model="quick")).response()).text == "Hi"
    assert [each.body["model"] for each in fake.requests] == ["gpt-4o-mini"] * 2


def test_a_request_that_no_reply_fits_is_an_error_that_says_which_there_are() -> None:
    with jackfield.fake(["only one", {"when": {"model": "other"}, "text": "x", "repeat": True}]) as client:
        client.chat(ask())
        with pytest.raises(UsageError, match=r"no reply for request 2 \(model 'm', user says 'again'\)") as missed:
            client.chat(ask("again"))
    assert "replies[0] ('only one'): given 1×" in missed.value.hint
    assert "replies[1] ('x' when model: 'other'): does not fit" in missed.value.hint


def test_replies_left_over_are_an_error_unless_another_is_on_its_way() -> None:
    with (
        pytest.raises(UsageError, match=r"not played to its end: replies\[1\] \('two'\)"),
        jackfield.fake(["one", "two"]) as client,
    ):
        client.chat(ask())
    with pytest.raises(ZeroDivisionError), jackfield.fake(["one"]):
        1 / 0  # noqa: B018


def test_no_secret_stands_in_what_was_asked() -> None:
    config = {
        "models": {
            "providers": {"box": {"baseUrl": "http://127.0.0.1:1", "apiKey": "sk-secret-1", "models": [{"id": "m"}]}}
        }
    }
    with jackfield.fake(config=config) as client:
        client.chat(ask(model="box/m"))
        assert "sk-secret-1" not in repr(client.requests)
        assert client.requests[0].headers["authorization"] == "****"


def test_words_come_one_by_one_with_their_pauses() -> None:
    with jackfield.fake([{"text": "one two three", "perTokenS": 0.05, "delayS": 0.05}]) as client:
        started = time.monotonic()
        said = [event.text for event in client.stream(ask()) if isinstance(event, BlockDelta)]
        assert time.monotonic() - started >= 0.15
    assert said == ["one", " two", " three"]


# -- faults ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("s01", RateLimit), ("s02", RateLimit), ("s04", Overloaded), ("s05", ConnectError), ("s06", TimeoutExpired),
        ("s07", TimeoutExpired), ("s08", StreamBroken), ("s09", TimeoutExpired), ("s12", ContextLength),
        ("s13", ContentFilter), ("s14", StreamBroken), ("s15", Overloaded), ("s16", Overloaded),
    ],
)  # fmt: skip
@pytest.mark.parametrize("model", ["fake/m", "anthropic/claude-opus-4-5"])
def test_named_faults_fail_as_real_ones_do(fault: str, error: type[jackfield.Error], model: str) -> None:
    # Where nobody is silent a short patience would only measure how busy this machine is.
    quick = {"timeouts": {"firstToken": 0.1, "idle": 0.1}} if error is TimeoutExpired else {}
    config = {
        "models": {
            "policy": {"maxWait": 0},
            "providers": {
                "fake": {"baseUrl": "http://x.invalid", "models": [{"id": "m"}], **quick},
                "anthropic": quick,
            },
        }
    }
    client = jackfield.fake([{"text": SIXTY, "fault": fault}], config=config)
    with pytest.raises(error) as failed:
        client.stream(ask(model=model)).response()
    client.close()
    if fault in {"s08", "s14"}:
        assert failed.value.partial is not None
        assert failed.value.partial.text == " ".join(SIXTY.split()[:40])


@pytest.mark.parametrize("fault", ["s10", "s11"])
def test_faults_that_cost_nothing_cost_nothing(fault: str) -> None:
    with jackfield.fake([{"text": SIXTY, "fault": fault}]) as client:
        assert client.stream(ask()).response().text == SIXTY


@pytest.mark.parametrize("fault", ["s01", "s03", "s05"])
def test_a_fault_that_passes_is_followed_by_the_reply(fault: str) -> None:
    with jackfield.fake([{"text": "better", "fault": fault}]) as client:
        with pytest.raises(jackfield.Error):
            client.chat(ask())
        assert client.chat(ask()).text == "better"


def test_a_fault_that_passes_is_waited_for_where_a_config_says_so() -> None:
    box = {"baseUrl": "http://x.invalid", "models": [{"id": "m"}]}

    def call() -> None:
        config = {"models": {"providers": {"box": box}}}
        with jackfield.fake([{"text": "better", "fault": "s01"}], config=config) as client:
            reply = client.chat(ask(model="box/m"))
        assert [attempt.reason for attempt in reply.attempts] == ["rate_limit", None]

    assert quickest_s(lambda: timed_s(call), 1.9) < 1.9, "a script's waits take no time"


def test_an_outage_ends_with_its_time() -> None:
    now = [100.0]
    script = Script([{"text": "back", "fault": "s15"}], clock=lambda: now[0])
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    seen = []
    for now[0] in (100.0, 159.0, 160.0):
        seen.append(script.answer("POST", "/v1/chat/completions", {}, body).status)
    assert seen == [503, 503, 200]


def test_an_error_may_be_slow() -> None:
    answer = play(Reply(error="overloaded", delay_s=0.5), ask(), load("openai-completions"), 1)
    assert answer.steps[0] == 0.5
    assert len(answer.steps) == 2


def test_an_error_may_have_its_own_status_headers_and_words() -> None:
    script = [
        {"status": 429, "headers": {"retry-after": "7"}, "body": {"error": {"message": "slow down"}}},
        {"contentType": "text/html", "status": 200, "body": "<title>login</title>"},
        {"error": "overloaded", "message": "too many of you"},
        {"status": 201, "text": "made"},
    ]
    with jackfield.fake(script) as client:
        with pytest.raises(RateLimit, match="slow down") as limited:
            client.chat(ask())
        with pytest.raises(BadReply, match="text/html"):
            client.chat(ask())
        with pytest.raises(Overloaded, match="too many of you"):
            client.chat(ask())
        assert client.chat(ask()).text == "made"
    assert limited.value.retry_after_s == 7


# -- scripts that are wrong --------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[\n "x",\n { text: "y", whn: {} },\n]', r"s\.json5:3: replies\[1\]\.whn: there is no such key"),
        ('[{\n when: { usr: "x" } }]', r"s\.json5:2: replies\[0\]\.when\.usr: there is no such key"),
        ("[{\n\n repeat: 'twice' }]", r"s\.json5:3: replies\[0\]\.repeat: expected"),
        ('[{ fault: "s17" }]', r"s\.json5:1: replies\[0\]\.fault: there is no fault 's17'"),
        ('[{ toolCalls: [{ arguments: {} }] }]', r"s\.json5:1: replies\[0\]\.toolCalls\[0\]: object missing required field name"),
        ('[{ when: { user: "/(/" } }]', r"replies\[0\]\.when\.user: not a regular expression"),
        ("[{ repeat: -1 }]", r"replies\[0\]\.repeat: expected int >= 0"),
        ("[{ status: 99999 }]", r"replies\[0\]\.status: expected int <= 599"),
        ("[{ delayS: -1 }]", r"replies\[0\]\.delayS: expected float >= 0"),
        ('[{ headers: { a: "b\\r\\nset-cookie: c" } }]', r"replies\[0\]\.headers.*: expected str matching"),
        ('{ text: "x" }', r"a script is a list of replies, not an object"),
        ("[", r"s\.json5:1:2: "),
    ],
)  # fmt: skip
def test_a_wrong_script_is_told_by_file_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.json5").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=said):
        load_script(tmp_path / "s.json5")


def test_a_wrong_list_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the script argument: replies\[0\]\.txt") as wrong:
        load_script([{"txt": "x"}])
    assert wrong.value.hint == "did you mean text?"
    with pytest.raises(ConfigError, match="cannot read the script"):
        load_script(tmp_path / "none.json5")


# -- the server --------------------------------------------------------------------


def test_the_vendors_own_clients_read_its_answers() -> None:
    script = Script([{"text": "Hello there", "repeat": True}])
    with open_server(script) as address:
        ours = openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0)
        said = ours.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        streamed = ours.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], stream=True)
        assert said.choices[0].message.content == "Hello there"
        assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices) == "Hello there"
        claude = anthropic.Anthropic(base_url=address, api_key="x", max_retries=0)
        with claude.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]) as stream:
            assert stream.get_final_text() == "Hello there"
        gemini = genai.Client(api_key="x", http_options={"base_url": address})
        assert gemini.models.generate_content(model="g", contents="Hi").text == "Hello there"
        pieces = gemini.models.generate_content_stream(model="g", contents="Hi")
        assert "".join(piece.text or "" for piece in pieces) == "Hello there"
        assert [model.id for model in ours.models.list()] == ["fake"]
        ours.close(), claude.close(), gemini.close()
    assert [asked.protocol for asked in script.requests] == [
        "openai-completions", "openai-completions", "anthropic-messages", "google-generative-ai", "google-generative-ai",
    ]  # fmt: skip


def test_over_http_a_missing_reply_is_the_callers_own_error() -> None:
    with open_server(Script([])) as address:
        ours = openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0)
        with pytest.raises(openai.BadRequestError, match="no reply for request 1"):
            ours.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
        ours.close()


@pytest.mark.parametrize(
    ("reply", "error"), [({"reset": True}, ConnectError), ({"text": SIXTY, "cutAfter": 3}, StreamBroken)]
)
def test_over_http_connections_are_lost_for_real(reply: dict[str, Any], error: type[jackfield.Error]) -> None:
    with open_server(Script([reply])) as address:
        provider = {"baseUrl": f"{address}/v1", "apiKey": "fake", "models": [{"id": "any"}]}
        config = {"models": {"providers": {"box": provider}, "policy": {"maxWait": 0}}}
        with jackfield.Client(config) as client, pytest.raises(error):
            client.stream(ask(model="box/any")).response()


def test_the_command_serves_and_says_how_to_reach_it(tmp_path: Path) -> None:
    import signal
    import subprocess
    import sys

    (tmp_path / "s.json5").write_text('["Hello from the script"]', "utf-8")
    command = [sys.executable, "-m", "jackfield", "fake", str(tmp_path / "s.json5")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(8)]
        while lines[-1] != "}\n":
            lines.append(process.stdout.readline())
        (tmp_path / "c.json").write_text("".join(lines[lines.index("{\n") :]), "utf-8")
        said = run("--config", str(tmp_path / "c.json"), "chat", "--model", "fake/any", "Hello")
        assert process.stderr is not None
        told = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert said.out == "Hello from the script\n"
    assert process.returncode == 130
    assert "'Hello' → replies[0]" in told


def test_a_taken_port_and_a_wrong_script_are_said() -> None:
    with open_server(Script()) as address:
        taken = run("fake", "--port", address.rpartition(":")[2])
    assert (taken.code, "cannot listen" in taken.err) == (1, True)
    assert "cannot read the script" in run("fake", "none.json5").err
