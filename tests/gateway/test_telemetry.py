"""Spans and metrics of calls, as OpenTelemetry's own kit reads them."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from jackfield.errors import ConfigError
from jackfield.gateway.telemetry import Telemetry, Traced
from jackfield.gateway.telemetry_export import is_wanted, open_export
from tests.admin.test_admin import config
from tests.commands import write_config
from tests.gateway.command import gateway_process
from tests.gateway.serving import configured, provider, running
from tests.pulse import Day
from tests.servers import Received, json_reply, serve, sse_reply, text_reply

sdk_trace = pytest.importorskip("opentelemetry.sdk.trace")

SECRET_WORDS = "tell nobody of the blue door"
CHAT = {"model": "box/m", "messages": [{"role": "user", "content": SECRET_WORDS}]}
WHOLE = {
    "id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 30, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 10}},
}  # fmt: skip
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def kept():
    """Telemetry that keeps what it is told in memory."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer, meter = sdk_trace.TracerProvider(), MeterProvider([reader])
    tracer.add_span_processor(SimpleSpanProcessor(spans))
    yield SimpleNamespace(
        telemetry=Telemetry(tracer.get_tracer("test"), meter.get_meter("test")),
        spans=spans.get_finished_spans,
        points=lambda: points(reader.get_metrics_data()),
    )
    tracer.shutdown()
    meter.shutdown()


def points(data) -> dict[str, list]:
    """Return the points of every metric by its name."""
    every = [metric for each in data.resource_metrics for scope in each.scope_metrics for metric in scope.metrics]
    return {metric.name: list(metric.data.data_points) for metric in every}


def traced(url: str, kept, **more):
    models = [{"id": "m"}, {"id": "other"}]

    def change(parts) -> None:
        parts.client.direct.sender = Traced(parts.client.direct.sender, parts.client.pulse.now_ms)

    return running(configured(box=provider(url, models=models, **more)), change=change, pulse=Day().pulse)


@pytest.mark.parametrize("route", ["/v1/chat/completions", "/v1/messages"])
def test_a_call_and_its_tries_are_spans(kept, route) -> None:
    with serve(json_reply(WHOLE)) as server, traced(f"{server.url}/v1", kept) as gateway:
        gateway.gateway.telemetry = kept.telemetry
        answer = gateway.post(route, {**CHAT, "max_tokens": 9}, traceparent=PARENT, x_request_id="mine-1")
        assert answer.status == 200
        gateway.last_call()
        tried, call = kept.spans()
        assert (call.name, call.kind.name, tried.name, tried.kind.name) == ("chat box/m", "SERVER", "chat m", "CLIENT")
        assert format(call.context.trace_id, "032x") == PARENT.split("-")[1]
        assert format(call.parent.span_id, "016x") == PARENT.split("-")[2]
        assert tried.parent.span_id == call.context.span_id
        assert tried.start_time >= call.start_time
        about = dict(tried.attributes)
        assert about["gen_ai.operation.name"] == "chat"
        assert (about["gen_ai.provider.name"], about["gen_ai.request.model"]) == ("box", "m")
        assert (about["gen_ai.usage.input_tokens"], about["gen_ai.usage.output_tokens"]) == (30, 2)
        assert about["gen_ai.usage.cache_read.input_tokens"] == 10
        assert (about["server.address"], about["server.port"]) == ("127.0.0.1", server.port)
        assert call.attributes["http.response.status_code"] == 200
        assert call.attributes["jackfield.request.id"] == "mine-1"
        # The provider hears of the same trace, below our span.
        sent = server.journal[0].headers["traceparent"].split("-")
        assert sent[1:3] == [PARENT.split("-")[1], format(call.context.span_id, "016x")]


def test_no_word_of_a_conversation_is_told(kept) -> None:
    with serve(json_reply(WHOLE)) as server, traced(f"{server.url}/v1", kept) as gateway:
        gateway.gateway.telemetry = kept.telemetry
        gateway.post("/v1/chat/completions", CHAT)
        gateway.last_call()
        told = "".join(span.to_json() for span in kept.spans())
    assert told
    assert "blue door" not in told
    assert "sk-up" not in told


def test_failures_and_who_stood_in_are_told(kept) -> None:
    def reply(received: Received):
        return text_reply("no", 500) if received.json()["model"] == "m" else json_reply(WHOLE)

    with serve(reply) as server, traced(f"{server.url}/v1", kept) as gateway:
        gateway.gateway.telemetry = kept.telemetry
        gateway.post("/v1/chat/completions", {**CHAT, "fallbacks": ["box/other"]})
        gateway.last_call()
        *tries, call = kept.spans()
        assert [span.attributes.get("error.type") for span in tries] == ["server_error"] * (len(tries) - 1) + [None]
        assert not tries[0].status.is_ok
        assert call.status.is_ok
        assert call.attributes["gen_ai.response.model"] == "box/other"
        gateway.calls.clear()
        gateway.post("/v1/chat/completions", CHAT)
        gateway.last_call()
        assert kept.spans()[-1].attributes.get("error.type")


def test_metrics_count_time_and_tokens(kept) -> None:
    word = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one "}}]}
    end = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"id": "c", "model": "m", "choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 7}}
    with serve(sse_reply(word, end, usage, "[DONE]")) as server, traced(f"{server.url}/v1", kept) as gateway:
        gateway.gateway.telemetry = kept.telemetry
        assert "[DONE]" in gateway.post("/v1/chat/completions", {**CHAT, "stream": True}).text
        gateway.last_call()
        assert "gen_ai.response.time_to_first_chunk" in kept.spans()[-1].attributes
        found = kept.points()
    (duration,) = found["gen_ai.client.operation.duration"]
    assert (duration.count, duration.attributes["gen_ai.request.model"]) == (1, "m")
    counted = {point.attributes["gen_ai.token.type"]: point.sum for point in found["gen_ai.client.token.usage"]}
    assert counted == {"input": 30, "output": 7}


def test_the_names_are_the_conventions(kept) -> None:
    from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, server_attributes
    from opentelemetry.semconv._incubating.metrics import gen_ai_metrics

    known = {value for module in (gen_ai_attributes, server_attributes, gen_ai_metrics) for value in vars(module).values()
             if isinstance(value, str)}  # fmt: skip
    with serve(json_reply(WHOLE)) as server, traced(f"{server.url}/v1", kept) as gateway:
        gateway.gateway.telemetry = kept.telemetry
        gateway.post("/v1/chat/completions", CHAT)
        gateway.last_call()
        names = {name for span in kept.spans() for name in span.attributes} | set(kept.points())
    assert {name for name in names if name.startswith(("gen_ai.", "server."))} <= known


def test_nothing_is_told_unless_the_environment_asks() -> None:
    assert not is_wanted({})
    assert not is_wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"})
    assert is_wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"})
    with pytest.raises(ConfigError, match="carrier-pigeon"):
        open_export({"OTEL_TRACES_EXPORTER": "carrier-pigeon"})
    with serve(json_reply(WHOLE)) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        gateway.post("/v1/chat/completions", CHAT, traceparent=PARENT)
        assert "traceparent" not in server.journal[0].headers


def test_spans_arrive_at_a_collector_named_by_the_usual_variables(home, monkeypatch) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with serve(json_reply(WHOLE)) as server, serve(text_reply("")) as collector:
        write_config(config(server.url))
        monkeypatch.setitem(os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setitem(os.environ, "OTEL_BSP_SCHEDULE_DELAY", "100")
        with gateway_process() as process:
            process.ask("default")
        arrived = {each.target: each.body for each in collector.journal}
    assert {"/v1/traces", "/v1/metrics"} <= set(arrived)
    assert b"gen_ai.operation.name" in arrived["/v1/traces"] or arrived["/v1/traces"][:2] == b"\x1f\x8b"


def test_a_word_it_does_not_know_stops_nothing(home, monkeypatch) -> None:
    with serve(json_reply(WHOLE)) as server:
        write_config(config(server.url))
        monkeypatch.setitem(os.environ, "OTEL_TRACES_EXPORTER", "carrier-pigeon")
        with gateway_process() as process:
            assert process.ask("default")["model"] == "box/m"
    assert "carrier-pigeon" in process.err
