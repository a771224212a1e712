"""The test servers themselves, and the guard around the network."""

from __future__ import annotations

import http.client
import json
import socket
import time

import pytest

from tests.conftest import NetworkRefused
from tests.patience import PATIENCE_S, quickest_s
from tests.servers import CUT, HANG, RESET, json_reply, serve, sse_reply


def test_replies_come_in_order_the_last_repeats_and_requests_are_noted() -> None:
    with serve(json_reply({"n": 1}), json_reply({"n": 2}, 429, retry_after="3")) as server:
        caller = http.client.HTTPConnection("127.0.0.1", server.port)
        heard = []
        for _ in range(3):
            caller.request("POST", "/v1/x?y=1", b'{"a": 1}', {"X-Key": "k"})
            reply = caller.getresponse()
            heard.append((reply.status, json.loads(reply.read())["n"], reply.headers.get("retry-after")))
        caller.close()

    assert heard == [(200, 1, None), (429, 2, "3"), (429, 2, "3")]
    assert [each.connection for each in server.journal] == [1, 1, 1]
    assert (server.journal[0].target, server.journal[0].headers["x-key"], server.journal[0].json()) == (
        "/v1/x?y=1",
        "k",
        {"a": 1},
    )


@pytest.mark.parametrize(("act", "error"), [(CUT, http.client.IncompleteRead), (RESET, ConnectionResetError)])
def test_a_stream_can_break_in_both_ways(act: object, error: type[Exception]) -> None:
    with serve(sse_reply("one", 0.01, act)) as server:
        caller = http.client.HTTPConnection("127.0.0.1", server.port)
        caller.request("GET", "/")
        with pytest.raises(error):
            caller.getresponse().read()
        caller.close()


def test_a_caller_that_leaves_is_seen_at_once() -> None:
    with serve(sse_reply("one", HANG)) as server:

        def leave_s() -> float:
            server.dropped.clear()
            caller = socket.create_connection(("127.0.0.1", server.port))
            caller.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert caller.recv(1000)
            left_at = time.monotonic()
            caller.close()
            assert server.dropped.wait(PATIENCE_S)
            return server.dropped_at - left_at

        assert quickest_s(leave_s, 0.2) < 0.2


def test_the_network_beyond_the_loopback_is_refused() -> None:
    with pytest.raises(NetworkRefused):
        socket.create_connection(("192.0.2.1", 80), 1)
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo("api.openai.com", 443)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("api.example.test", 443)
