"""Traces: one from a command over HTTP through the log and the queue to the other service's views.

    with tracing.span("append", traceparent) as onward:
        ...

What carries a trace from step to step is the `traceparent` that the log and the wire hold. Promises: without a tracer
nothing is done; what has no traceparent, such as a ballot, leaves no span; a span says routes, types, organisations and
kinds of failure, never what an exception says (tests/integration/test_trace.py).
Limit: the spans of an import and of a projection last as long as the batch they were part of.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import time_ns

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import ProxyTracerProvider, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from avow.kernel.refusal import Refusal

__all__ = ["SpanKind", "begin", "note_each", "on", "root", "span", "trace_to"]

_FORM = TraceContextTextMapPropagator()


def on() -> bool:
    """Whether this process has a tracer."""
    return not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)


def root(name: str, traceparent: str | None, **attributes: str) -> AbstractContextManager[str | None]:
    """A span that answers somebody, and begins a trace where they brought none; what to carry on."""
    return _span(name, SpanKind.SERVER, traceparent, attributes) if on() else nullcontext(traceparent)


def span(
    name: str, traceparent: str | None, kind: SpanKind = SpanKind.INTERNAL, **attributes: str
) -> AbstractContextManager[str | None]:
    """A span of the trace that `traceparent` belongs to; what to carry on."""
    if traceparent is None or not on():
        return nullcontext(traceparent)
    return _span(name, kind, traceparent, attributes)


def begin() -> int | None:
    """When a batch begins whose spans are noted afterwards; None where there is no tracer."""
    return time_ns() if on() else None


def note_each(name: str, traceparents: Iterable[str | None], begun: int | None, **attributes: str) -> None:
    """Note a span for each of a batch that belongs to a trace."""
    if begun is None:
        return
    tracer = trace.get_tracer("avow")
    for traceparent in traceparents:
        if traceparent is not None:
            tracer.start_span(name, _context(traceparent), SpanKind.CONSUMER, _named(attributes), (), begun).end()


def trace_to(url: str) -> None:
    """Send the spans of this process to a collector, by OTLP over HTTP; raises ImportError without avow[trace]."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "avow"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces")))
    trace.set_tracer_provider(provider)


@contextmanager
def _span(name: str, kind: SpanKind, traceparent: str | None, attributes: dict[str, str]) -> Iterator[str | None]:
    begun = trace.get_tracer("avow").start_as_current_span(
        name,
        _context(traceparent),
        kind,
        _named(attributes),
        # What an exception says may be anything.
        record_exception=False,
        set_status_on_exception=False,
    )
    with begun as current:
        carried: dict[str, str] = {}
        _FORM.inject(carried)
        try:
            yield carried.get("traceparent", traceparent)
        except Refusal as refusal:
            current.set_attribute("avow.refused", refusal.code)
            raise
        except BaseException as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def _context(traceparent: str | None) -> Context:
    return _FORM.extract({} if traceparent is None else {"traceparent": traceparent}, Context())


def _named(attributes: dict[str, str]) -> dict[str, str]:
    return {f"avow.{name}": value for name, value in attributes.items()}
