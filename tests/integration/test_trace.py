"""One trace goes from a command over HTTP through the log and the queue to the other service's views."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from avow.demo.client import Refused
from avow.demo.playing import BEGINS
from avow.kernel.ports import SimulatedClock
from avow.observe import tracing
from avow.service.settings import Settings
from tests.kit.staged import ORG, staged

NAME = "祁安然"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PATIENCE = 30.0


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What this process traces."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # The whole process has it too, so that whatever traces of its own accord is found out.
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    tracing.trace_with(provider)
    yield exporter
    tracing.trace_with(None)
    provider.shutdown()


def of_the_trace(spans: InMemorySpanExporter) -> dict[str, list[ReadableSpan]]:
    """The spans of the client's trace, by their names."""
    found: dict[str, list[ReadableSpan]] = {}
    for span in spans.get_finished_spans():
        if span.context is not None and f"{span.context.trace_id:032x}" == TRACE:
            found.setdefault(span.name, []).append(span)
    return found


def parent_of(span: ReadableSpan) -> int:
    assert span.parent is not None
    parent: int = span.parent.span_id
    return parent


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    own: int = span.context.span_id
    return own


async def test_a_command_is_followed_to_the_other_services_views(
    tmp_path: Path, amqp_url: str, spans: InMemorySpanExporter
) -> None:
    settings = Settings(data=tmp_path, orgs=(ORG,), pledge_port=0, evaluation_port=0, bus=SecretStr(amqp_url))
    async with staged(settings, SimulatedClock(BEGINS)) as (running, stage), httpx.AsyncClient() as http:
        headers = {
            "Authorization": f"Bearer {running.token}", "Idempotency-Key": "a-key-of-sixteen-letters",
            "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
        }  # fmt: skip
        answer = await http.post(f"{running.urls['pledge']}/{ORG}/people", json={"name": NAME}, headers=headers)
        assert answer.status_code == 201
        await stage.heard()
        await stage.evaluation.read("people")
        steps = {"POST /{org}/people", "append", "publish", "import", "project"}
        async with asyncio.timeout(PATIENCE):
            while not (steps <= (found := of_the_trace(spans)).keys() and len(found["project"]) > 1):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        found = of_the_trace(spans)
        refused = headers | {"Idempotency-Key": "another-key-of-sixteen"}
        asked = f"{running.urls['pledge']}/{ORG}/roles"
        await http.post(asked, json={"name": NAME}, headers=refused)
        with suppress(Refused):
            await stage.evaluation.ask(f"rounds/{answer.json()['id']}/ballots", {"credential": "0" * 26, "rows": {}})
    (asked_for,), (appended,) = found["POST /{org}/people"], found["append"]
    assert parent_of(asked_for) == 0xB7AD6B7169203331
    assert parent_of(appended) == id_of(asked_for)
    assert {parent_of(span) for name in ("publish", "import", "project") for span in found[name]} == {id_of(appended)}
    assert len(found["publish"]) == len(found["import"]) == 1
    every = spans.get_finished_spans()
    told = "".join(span.to_json() for span in every)
    assert NAME not in told
    # Nobody else's: a framework of its own accord would say every path, and that somebody has cast a ballot.
    assert {span.instrumentation_scope.name for span in every if span.instrumentation_scope} == {"avow"}
    assert not [span.name for span in every if "ballots" in span.name]


async def test_without_a_tracer_a_trace_is_handed_on_as_it_came() -> None:
    given = f"00-{TRACE}-b7ad6b7169203331-01"
    for opened in (tracing.root("POST /x", given), tracing.span("append", given)):
        with opened as onward:
            assert onward == given
    with tracing.root("POST /x", None) as onward:
        assert onward is None
    assert tracing.begin() is None
    tracing.note_each("import", [given], None)


def test_what_an_exception_says_is_not_traced_but_its_kind_is(spans: InMemorySpanExporter) -> None:
    with pytest.raises(KeyError), tracing.root("POST /x", None):
        raise KeyError(NAME)
    (span,) = spans.get_finished_spans()
    assert span.status.description == "KeyError"
    assert NAME not in span.to_json()


def test_what_belongs_to_no_trace_leaves_no_span(spans: InMemorySpanExporter) -> None:
    with tracing.span("append", None) as onward:
        assert onward is None
    tracing.note_each("import", [None, None], tracing.begin())
    assert spans.get_finished_spans() == ()
