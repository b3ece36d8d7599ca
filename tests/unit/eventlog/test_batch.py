"""Numbering a batch: what the pure heart of an append promises, held against a model that knows no batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from avow.contracts.book import BookOpened
from avow.eventlog.batch import Answer, Conflict, Head, Request, number, placed
from avow.eventlog.records import Appended, Context, Proposed
from avow.kernel.message import Event
from tests.kit.logs import START, Noted

HEAD = Head(UUID(int=0), "pledge", "real", 40, 17, bytes(32), START)
PUBLIC, PRIVATE = BookOpened(log_id=UUID(int=0), service="pledge", clock="real"), Noted(text="x")
STREAMS = ("a/1", "b/1", "c/1")


@dataclass
class OneByOne:
    """A log that takes one request after the other, as slowly and plainly as can be."""

    versions: dict[str, int]
    position: int = HEAD.position
    sequence: int = HEAD.sequence
    written: dict[UUID, Appended] = field(default_factory=dict)

    def append(self, request: Request) -> list[Appended] | None:
        ids = [item.event_id for item in request.items if isinstance(item, Proposed)]
        standing = [self.written.get(event_id) for event_id in ids]
        if ids and all(row and row.stream == item.stream for row, item in zip(standing, request.items, strict=True)):
            return [row for row in standing if row]
        if any(self.versions.get(stream, 0) != version for stream, version in request.expect.items()):
            return None
        return [self._write(item) for item in request.items if isinstance(item, Proposed)]

    def _write(self, item: Proposed) -> Appended:
        self.position += 1
        self.sequence += item.event.public
        self.versions[item.stream] = self.versions.get(item.stream, 0) + 1
        sequence = self.sequence if item.event.public else None
        row = Appended(self.position, sequence, item.stream, self.versions[item.stream], item.event_id)
        self.written[item.event_id] = row
        return row


def an_item(stream: str, event_id: int, event: Event = PUBLIC) -> Proposed:
    return Proposed(stream, UUID(int=event_id), event, Context(START))


@st.composite
def batches(draw: st.DrawFn) -> tuple[dict[str, int], list[Request]]:
    """Versions before a batch, and the batch: fresh requests, stale ones, and some sent twice."""
    versions = draw(st.dictionaries(st.sampled_from(STREAMS), st.integers(1, 3)))
    requests: list[Request] = []
    fresh = 100
    for _ in range(draw(st.integers(0, 8))):
        sent_twice: bool = draw(st.sampled_from([True, False, False, False]))
        if requests and sent_twice:
            requests.append(draw(st.sampled_from(requests)))
            continue
        streams = draw(st.lists(st.sampled_from(STREAMS), max_size=4))
        items = [an_item(s, fresh + n, draw(st.sampled_from([PUBLIC, PRIVATE]))) for n, s in enumerate(streams)]
        fresh += len(items)
        requests.append(Request(items, draw(st.dictionaries(st.sampled_from(STREAMS), st.integers(0, 4), max_size=2))))
    return versions, requests


def numbered(versions: dict[str, int], requests: Sequence[Request]) -> list[Answer]:
    return number("demo", HEAD, requests, versions, {})


@given(batches())
def test_a_batch_is_answered_as_if_its_requests_came_one_by_one(batch: tuple[dict[str, int], list[Request]]) -> None:
    versions, requests = batch
    model = OneByOne(dict(versions))
    for request, answer in zip(requests, numbered(versions, requests), strict=True):
        expected = model.append(request)
        if expected is None:
            assert isinstance(answer, Conflict)
            assert request.expect[answer.stream] == answer.expected
            assert model.versions.get(answer.stream, 0) == answer.actual
        else:
            assert answer == expected


@given(batches())
def test_whatever_is_refused_the_rest_is_dense(batch: tuple[dict[str, int], list[Request]]) -> None:
    versions, requests = batch
    new = placed(requests, numbered(versions, requests))
    assert [at.position for _, at in new] == list(range(41, 41 + len(new)))
    sequences = [at.sequence for _, at in new if at.sequence is not None]
    assert sequences == list(range(18, 18 + len(sequences)))
    assert all((at.sequence is not None) == item.event.public for item, at in new if isinstance(item, Proposed))
    for stream in STREAMS:
        before = versions.get(stream, 0)
        reached = [at.version for _, at in new if at.stream == stream]
        assert reached == list(range(before + 1, before + 1 + len(reached)))


@given(batches())
def test_numbering_alters_nothing_it_was_given(batch: tuple[dict[str, int], list[Request]]) -> None:
    versions, requests = batch
    before = (dict(versions), list(requests))
    first = numbered(versions, requests)
    assert (versions, requests) == before
    assert list(map(str, numbered(versions, requests))) == list(map(str, first))


@given(batches())
def test_what_is_in_the_log_already_is_answered_and_not_written_again(
    batch: tuple[dict[str, int], list[Request]],
) -> None:
    versions, requests = batch
    model = OneByOne(dict(versions))
    first = [model.append(request) for request in requests]
    head = Head(HEAD.log_id, "pledge", "real", model.position, model.sequence, HEAD.hash, START)
    again = number("demo", head, requests, model.versions, model.written)
    for request, before, after in zip(requests, first, again, strict=True):
        if before and request.items:
            assert after == before
            assert isinstance(after, list)
            assert all(row.repeated for row in after)


def test_an_id_in_another_stream_is_not_the_same_event() -> None:
    known = {UUID(int=1): Appended(5, 5, "b/1", 1, UUID(int=1))}
    (answer,) = number("demo", HEAD, [Request([an_item("a/1", 1)], {"a/1": 2})], {}, known)
    assert isinstance(answer, Conflict)


def test_a_request_known_in_part_is_not_taken_for_a_repetition() -> None:
    known = {UUID(int=1): Appended(5, 5, "a/1", 1, UUID(int=1))}
    request = Request([an_item("a/1", 1), an_item("a/1", 2)], {"a/1": 0})
    (answer,) = number("demo", HEAD, [request], {"a/1": 1}, known)
    assert isinstance(answer, Conflict)
    assert str(answer) == "a/1: expected version 0, found 1"


def test_a_request_names_every_stream_it_writes_or_rests_on() -> None:
    request = Request([an_item("a/1", 1), an_item("b/1", 2)], {"b/1": 0, "c/1": 4})
    assert request.streams == {"a/1", "b/1", "c/1"}
    assert request.event_ids == [UUID(int=1), UUID(int=2)]
