"""Where spans and metrics go: as OpenTelemetry's own variables (`OTEL_*`) say, and nowhere without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from threading import Thread
from typing import Any

from jackfield import __version__
from jackfield.errors import ConfigError
from jackfield.gateway.telemetry import Telemetry

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
WANTED = (
    ENDPOINT, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER",
)  # fmt: skip
CLOSE_S = 5.0  # for what was not sent yet
HTTP = "opentelemetry.exporter.otlp.proto.http"
# The variable's word → module and name of what spans, and what metrics, are written with.
SPANS = {
    "otlp": (f"{HTTP}.trace_exporter", "OTLPSpanExporter"),
    "console": ("opentelemetry.sdk.trace.export", "ConsoleSpanExporter"),
}
METRICS = {
    "otlp": (f"{HTTP}.metric_exporter", "OTLPMetricExporter"),
    "console": ("opentelemetry.sdk.metrics.export", "ConsoleMetricExporter"),
}


class Export:
    """Telemetry with what must be closed for it to arrive."""

    def __init__(self, telemetry: Telemetry, closers: list[Callable[[], object]]) -> None:
        self.telemetry = telemetry
        self._closers = closers

    def close(self) -> None:
        """Send what waits, for some seconds: a collector that is away holds up no end."""
        thread = Thread(target=lambda: [close() for close in self._closers], daemon=True)
        thread.start()
        thread.join(CLOSE_S)


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment asks for spans or metrics."""
    return environ.get("OTEL_SDK_DISABLED", "").lower() != "true" and any(environ.get(name) for name in WANTED)


def open_export(environ: Mapping[str, str]) -> Export:
    """Return what the environment asks for; raise `ConfigError` where the extra is missing or a word is unknown.

    Endpoints, headers, samplers and intervals are read by OpenTelemetry itself, from the process's variables.
    """
    try:
        tracing = import_module("opentelemetry.sdk.trace")
        spans = import_module("opentelemetry.sdk.trace.export")
        metrics = import_module("opentelemetry.sdk.metrics")
        readers = import_module("opentelemetry.sdk.metrics.export")
        found = import_module("opentelemetry.sdk.resources").Resource.create(_resource(environ))
        span_exporter = _exporter(environ, "OTEL_TRACES_EXPORTER", SPANS)
        metric_exporter = _exporter(environ, "OTEL_METRICS_EXPORTER", METRICS)
    except ImportError as error:
        raise ConfigError("OTEL_* variables ask for an extra", hint="pip install 'jackfield[otel]'") from error
    tracer = tracing.TracerProvider(resource=found)
    if span_exporter is not None:
        tracer.add_span_processor(spans.BatchSpanProcessor(span_exporter))
    every = [readers.PeriodicExportingMetricReader(metric_exporter)] if metric_exporter is not None else []
    meter = metrics.MeterProvider(every, found)
    telemetry = Telemetry(tracer.get_tracer("jackfield", __version__), meter.get_meter("jackfield", __version__))
    return Export(telemetry, [tracer.shutdown, meter.shutdown])


def _exporter(environ: Mapping[str, str], variable: str, known: Mapping[str, tuple[str, str]]) -> Any:
    word = environ.get(variable, "").strip() or "otlp"
    if word == "none":
        return None
    if word not in known:
        raise ConfigError(f"{variable} is {word!r}", hint=f"it may be {', '.join(known)}, none")
    if word == "otlp" and environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf") != "http/protobuf":
        raise ConfigError("OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf", hint="the collector's port 4318")
    module, name = known[word]
    return getattr(import_module(module), name)()


def _resource(environ: Mapping[str, str]) -> dict[str, str]:
    # What is said here would beat the variables.
    named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return {"service.version": __version__} | ({} if named else {"service.name": "jackfield"})
