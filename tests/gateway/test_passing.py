"""The short way: what passes untouched, what is changed on the way, and what goes wrong there."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest

from jackfield.config.gateway import Limits
from jackfield.errors import BadReply, StreamBroken
from jackfield.gateway.access import Stores
from jackfield.gateway.entry import MOST
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.passing import Passing
from jackfield.gateway.shortcut import MOST_LANES
from tests.gateway.serving import TOKEN, configured, provider, running
from tests.servers import CUT, RESET, json_reply, serve, sse_reply, stream_reply

HELLO = [{"role": "user", "content": "Hello"}]
ASKED = {"model": "box/m", "messages": HELLO, "vendor_field": {"deep": [1, None]}, "seed": 7}
WHOLE = {
    "id": "c1", "model": "m-2026", "system_fingerprint": "fp", "vendor": {"x": None},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi", "odd": 1}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}  # fmt: skip


def piece(text: str, **more: object) -> dict:
    return {"id": "c", "model": "m-2026", "odd": None, "choices": [{"index": 0, "delta": {"content": text}, **more}]}


END = {"id": "c", "model": "m-2026", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
COUNTS = {"id": "c", "model": "m-2026", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}


def config_for(*servers, **more):
    entries = {f"box{at or ''}": provider(f"{server.url}/v1", **more) for at, server in enumerate(servers)}
    return configured(**entries)


def test_fields_nobody_knows_pass_both_ways() -> None:
    with serve(json_reply(WHOLE)) as server, running(config_for(server)) as gateway:
        answer = gateway.post("/v1/chat/completions", ASKED)
        assert answer.json() == {**WHOLE, "model": "box/m"}
        assert server.journal[0].json() == {**ASKED, "model": "m"}
        assert server.journal[0].headers["authorization"] == "Bearer sk-up-0123456789"
        assert TOKEN not in str(server.journal[0].headers)
        call = gateway.last_call()
        assert (call.outcome, call.usage.input, call.usage.output, call.attempts[0].model) == ("ok", 3, 2, "box/m")


@pytest.mark.parametrize(
    ("path", "api", "more"),
    [
        ("/v1/chat/completions", "openai-completions", {"user": "alice"}),
        ("/v1/chat/completions", "openai-completions", {"user": None, "safety_identifier": "alice"}),
        ("/v1/chat/completions", "openai-completions", {"user": "", "safety_identifier": "alice"}),
        ("/v1/messages", "anthropic-messages", {"metadata": {"user_id": "alice"}, "max_tokens": 9}),
    ],
)
def test_whom_a_caller_asks_for_is_noted(path: str, api: str, more: dict[str, object]) -> None:
    with serve(json_reply(WHOLE)) as server, running(config_for(server, api=api)) as gateway:
        gateway.post(path, ASKED | more)
        assert gateway.last_call().end_user == "alice"


def test_a_stream_passes_with_another_name_of_the_model() -> None:
    with (
        serve(sse_reply(piece("Hi"), piece(" you"), END, COUNTS, "[DONE]")) as server,
        running(config_for(server)) as gateway,
    ):
        asked = {**ASKED, "stream": True, "stream_options": {"include_usage": True, "odd": True}}
        said = gateway.post("/v1/chat/completions", asked)
        events = [line[6:] for line in said.text.split("\n") if line.startswith("data: ")]
        assert events.pop() == "[DONE]"
        assert [json.loads(event) for event in events] == [
            {**event, "model": "box/m"} for event in (piece("Hi"), piece(" you"), END, COUNTS)
        ]
        assert server.journal[0].json()["stream_options"] == {"include_usage": True, "odd": True}
        assert (gateway.last_call().usage.output, gateway.last_call().is_stream) == (2, True)


def test_counts_nobody_asked_for_are_asked_for_and_kept() -> None:
    with serve(sse_reply(piece("Hi"), END, COUNTS, "[DONE]")) as server, running(config_for(server)) as gateway:
        said = gateway.post("/v1/chat/completions", {**ASKED, "stream": True})
        assert server.journal[0].json()["stream_options"] == {"include_usage": True}
        assert '"usage"' not in said.text
        assert said.text.endswith("data: [DONE]\n\n")
        assert gateway.last_call().usage.output == 2


def test_a_field_the_server_refuses_is_removed_and_told_or_refused() -> None:
    with (
        serve(json_reply(WHOLE)) as server,
        running(config_for(server, compat={"unsupportedFields": ["seed"]})) as gateway,
    ):
        told = gateway.post("/v1/chat/completions", ASKED)
        assert (told.status, told.headers["x-jackfield-loss"]) == (200, "box/m: seed: left out: the server refuses it")
        assert server.journal[0].json() == {k: v for k, v in {**ASKED, "model": "m"}.items() if k != "seed"}
        assert gateway.post("/v1/chat/completions", ASKED, x_jackfield_strict="1").status == 400
        assert len(server.journal) == 1


def test_a_failure_before_the_first_word_goes_on_unseen() -> None:
    bad = json_reply({"error": {"message": "overloaded"}}, 503)
    with (
        serve(bad, bad, bad, bad) as first,
        serve(sse_reply(piece("Hi"), END, "[DONE]")) as second,
        running(config_for(first, second)) as gateway,
    ):
        asked = {**ASKED, "stream": True, "fallbacks": ["box1/m"]}
        said = gateway.post("/v1/chat/completions", asked)
        assert (said.status, said.headers["x-jackfield-model"]) == (200, "box1/m")
        assert "fallbacks" not in first.journal[0].json()
        assert '"model":"box1/m"' in said.text
        call = gateway.last_call()
        assert [each.reason for each in call.attempts][-1] is None
        assert len(first.journal) == len(call.attempts) - 1


def test_words_before_an_error_are_not_lost_with_it() -> None:
    steps = [piece("Hi"), piece(" you"), {"error": {"message": "boom"}}, "[DONE]"]
    together = b"".join(f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n".encode() for each in steps)
    with serve(stream_reply(together)) as server, running(config_for(server)) as gateway:
        said = gateway.post("/v1/chat/completions", {**ASKED, "stream": True}).text
        assert (" you" in said, said.count('"error"'), "[DONE]" in said) == (True, 1, False)
        assert "boom" in said


@pytest.mark.parametrize("act", [CUT, RESET, "no end", "an error"])
def test_a_break_after_the_first_word_never_ends_well(act) -> None:
    steps = {"no end": ["[DONE]"], "an error": [{"error": {"message": "boom", "type": "server_error"}}, "[DONE]"]}.get(
        act, [act]
    )
    with serve(sse_reply(piece("Hi"), 0.05, *steps)) as server, running(config_for(server)) as gateway:
        said = gateway.post("/v1/chat/completions", {**ASKED, "stream": True})
        assert '"content": "Hi"' in said.text
        assert '"error"' in said.text
        assert "[DONE]" not in said.text
        assert gateway.last_call().outcome in {"stream_broken", "server_error"}
        assert len(server.journal) == 1


def test_what_a_server_does_not_take_is_said_by_the_codec() -> None:
    refusal = json_reply({"error": {"message": "Unknown parameter: 'vendor_field'"}}, 400)
    with serve(refusal, json_reply(WHOLE)) as server, running(config_for(server)) as gateway:
        asked = {"model": "box/m", "messages": HELLO}
        assert gateway.post("/v1/chat/completions", asked).status == 200
        assert len(server.journal) == 2


def test_pictures_and_long_bodies_are_weighed() -> None:
    with serve(json_reply(WHOLE)) as server:
        entry = provider(f"{server.url}/v1", models=[{"id": "m", "input": ["text"]}])
        with running(configured(box=entry)) as gateway:
            image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
            answer = gateway.post("/v1/chat/completions", {**ASKED, "messages": [{"role": "user", "content": [image]}]})
            assert answer.status == 400
            assert server.journal == []


EVENTS = "".join(
    f"data: {json.dumps(each)}\n\n" for each in (piece("Hi “you”"), piece(' {"model":"m-2026"}'), END, COUNTS)
)
STREAM = f": hello\n\n{EVENTS}data: [DONE]\n\n".encode()


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_any_cut_of_the_bytes_passes_the_same(ends) -> None:
    stream = STREAM.replace(b"\n", ends.encode())
    wanted = stream.replace(b'"model": "m-2026"', b'"model": "box/m"')
    for cut in range(len(stream)):
        passing = Passing("openai-completions", "box/m")
        said = passing.feed(stream[:cut]) + passing.feed(stream[cut:]) + passing.close()
        assert said == wanted, cut
        assert passing.read_again().text == 'Hi “you” {"model":"m-2026"}'
    passing = Passing("openai-completions", "box/m")
    pieces = [passing.feed(stream[at : at + 1]) for at in range(len(stream))]
    assert b"".join([*pieces, passing.close()]) == wanted


def test_words_nobody_counted_are_read_again() -> None:
    steps = [piece("one two three"), piece(" four five six"), END, "[DONE]"]
    with serve(sse_reply(steps[0], 0.02, steps[1], 0.02, *steps[2:])) as server, running(config_for(server)) as gateway:
        gateway.post("/v1/chat/completions", {**ASKED, "stream": True})
        call = gateway.last_call()
        assert call.usage.estimated
        assert call.usage.output >= 4


def test_nothing_of_a_mark_leaves_before_the_reply_is_whole() -> None:
    passing = Passing("openai-completions", "box/m")
    said = passing.feed(f"data: {json.dumps(piece('Hi'))}\n\ndata: [DONE]\n\n".encode())
    assert b"DONE" not in said
    with pytest.raises(StreamBroken):
        passing.close()


def test_a_stream_of_anothers_wire_passes_too() -> None:
    start = {
        "type": "message_start",
        "message": {"id": "m1", "model": "m-2026", "content": [], "usage": {"input_tokens": 3}},
    }
    events = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}, "odd": 1},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    steps = [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events]
    with serve(stream_reply(*steps)) as server:
        entry = provider(f"{server.url}/v1", "anthropic-messages")
        with running(configured(box=entry)) as gateway:
            said = gateway.post("/v1/messages", {"model": "box/m", "max_tokens": 9, "messages": HELLO, "stream": True})
            assert said.text == "".join(steps).replace("m-2026", "box/m")
            assert gateway.last_call().usage.input == 3


def test_no_client_gets_an_event_that_is_no_json_nor_misses_the_end() -> None:
    bad = b'data: {"this event": is no JSON\n\n'
    said = [piece("one "), piece("two "), piece("", finish_reason="stop")]
    framed = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in said]
    for ends in (b"\n\n", b"\r\n\r\n"):
        stream = b"".join([framed[0], bad, framed[1], framed[2][:-2]]).replace(b"\n\n", ends)
        passing = Passing("openai-completions", "box/m")
        out = b"".join(passing.feed(stream[at : at + 40]) for at in range(0, len(stream), 40)) + passing.close()
        assert b"no JSON" not in out
        assert out.endswith(b"data: [DONE]\n\n")
        events = [each for each in out.replace(b"\r\n", b"\n").split(b"\n\n") if each.strip()]
        assert len(events) == 4


def test_that_a_text_begins_is_no_content() -> None:
    passing = Passing("anthropic-messages", "box/m")
    start = {"type": "message_start", "message": {"id": "1", "model": "m", "content": [], "usage": {"input_tokens": 1}}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for event in (start, block):
        passing.feed(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    assert not passing.has_begun


def limited(**limits):
    return Stores(keys=(Key(id="k", name="k", digest=digest(TOKEN), limits=Limits(**limits)),))


def test_a_limited_key_takes_the_short_way_too_and_is_counted() -> None:
    stores = limited(requests_per_minute=2, budget_day=Decimal(1), allow_unpriced=True)
    with serve(json_reply(WHOLE)) as server, running(config_for(server), stores=stores) as gateway:
        told = [gateway.post("/v1/chat/completions", ASKED) for _ in range(3)]
        assert [answer.status for answer in told] == [200, 200, 429]
        assert server.journal[1].json() == {**ASKED, "model": "m"}
        assert told[0].json()["vendor"] == {"x": None}


def test_what_the_short_way_held_is_given_back_when_the_long_one_goes_on() -> None:
    with serve(json_reply({"error": "busy"}, status=503)) as bad, serve(json_reply(WHOLE)) as good:
        config = configured(box=provider(f"{bad.url}/v1"), other=provider(f"{good.url}/v1"))
        with running(config, stores=limited(concurrency=1)) as gateway:
            for _ in range(2):
                asked = {**ASKED, "fallbacks": ["other/m"]}
                assert gateway.post("/v1/chat/completions", asked).json()["model"] == "other/m"


def test_who_asks_for_many_names_fills_no_memory_with_them() -> None:
    with serve(json_reply(WHOLE)) as server, running(config_for(server)) as gateway:
        for number in range(MOST_LANES + 2):
            assert gateway.post("/v1/chat/completions", {**ASKED, "model": f"box/m{number}"}).status == 200
        assert gateway.gateway.parts
        (entry,) = gateway.gateway.parts.entries._known.values()
        assert len(entry.lanes) == 2
    assert MOST_LANES * MOST <= 10_000


def test_an_event_of_megabytes_in_small_pieces_is_no_work_of_seconds() -> None:
    passing = Passing("openai-completions", "box/m")
    event = b"data: " + json.dumps(piece("x" * 20_000_000)).encode() + b"\n\n"
    began = time.process_time()
    out = b"".join(passing.feed(event[at : at + 4096]) for at in range(0, len(event), 4096))
    assert len(out) >= 20_000_000
    assert time.process_time() - began < 2
    with pytest.raises(BadReply):
        list(map(passing.feed, [b"x" * 2**20] * 40))
