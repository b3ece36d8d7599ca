"""Traces: one from a command over HTTP through the log and the queue to the other service's views.

    with tracing.span("append", traceparent) as onward:
        ...

What carries a trace from step to step is the `traceparent` that the log and the wire hold. The tracer is this module's
own and never the process's: no library finds one to trace with as it likes. Promises: without it nothing is done; what
has no traceparent, such as a ballot, leaves no span; a span says routes, types, organisations and kinds of failure,
never what an exception says (tests/integration/test_trace.py).
Limit: the spans of an import and of a projection last as long as the batch they were part of.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import time_ns

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from avow.kernel.refusal import Refusal

__all__ = ["SpanKind", "begin", "note_each", "root", "span", "trace_to", "trace_with"]

_FORM = TraceContextTextMapPropagator()
_tracer: Tracer | None = None


def trace_with(provider: TracerProvider | None) -> None:
    """Have spans go there from now on; None ends it."""
    global _tracer  # noqa: PLW0603 - one a process, as its log is
    _tracer = None if provider is None else provider.get_tracer("avow")


def root(name: str, traceparent: str | None, **attributes: str) -> AbstractContextManager[str | None]:
    """A span that answers somebody, and begins a trace where they brought none; what to carry on."""
    if _tracer is None:
        return nullcontext(traceparent)
    return _span(_tracer, name, SpanKind.SERVER, traceparent, attributes)


def span(
    name: str, traceparent: str | None, kind: SpanKind = SpanKind.INTERNAL, **attributes: str
) -> AbstractContextManager[str | None]:
    """A span of the trace that `traceparent` belongs to; what to carry on."""
    if traceparent is None or _tracer is None:
        return nullcontext(traceparent)
    return _span(_tracer, name, kind, traceparent, attributes)


def begin() -> int | None:
    """When a batch begins whose spans are noted afterwards; None where there is no tracer."""
    return None if _tracer is None else time_ns()


def note_each(name: str, traceparents: Iterable[str | None], begun: int | None, **attributes: str) -> None:
    """Note a span for each of a batch that belongs to a trace."""
    if begun is None or _tracer is None:
        return
    for traceparent in traceparents:
        if traceparent is not None:
            _tracer.start_span(name, _context(traceparent), SpanKind.CONSUMER, _named(attributes), (), begun).end()


def trace_to(url: str) -> None:
    """Send the spans of this process to a collector, by OTLP over HTTP; raises ImportError without avow[trace]."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "avow"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces")))
    trace_with(provider)


@contextmanager
def _span(
    tracer: Tracer, name: str, kind: SpanKind, traceparent: str | None, attributes: dict[str, str]
) -> Iterator[str | None]:
    begun = tracer.start_as_current_span(
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
