"""The leaf and the chain: what anybody can compute with the standard library."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from avow.contracts.leaf import FORMAT, GENESIS, LEAF_COLUMNS, SALT_LENGTH, LeafValue, chain, leaf, leaf_values

SALT = bytes(range(16))
EVENT, CAUSE = UUID("0af76519-16cd-43dd-8448-eb211c80319c"), UUID(int=1)


@dataclass(frozen=True)
class Columns:
    """A row's hashed columns, in their order."""

    org: str = "demo"
    sequence: int | None = 7
    stream: str = "unit/1"
    version: int = 3
    event_id: UUID = EVENT
    type: str = "unit.registered"
    schema: int = 1
    occurred_at: datetime = datetime(2010, 6, 1, 8, 30, 0, 123456, tzinfo=UTC)
    recorded_at: datetime = datetime(2010, 6, 1, 9, tzinfo=UTC)
    campaign: str | None = None
    actor: str | None = "苏砚"
    on_behalf_of: str | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = CAUSE
    traceparent: str | None = None
    late_reason: str | None = ""
    data: bytes = b'{"a":1}'
    sealed: bytes | None = None

    def values(self) -> list[LeafValue]:
        return [getattr(self, field.name) for field in fields(self)]


names = st.text(max_size=6)
maybe_names = st.none() | names
moments = st.datetimes(timezones=st.just(UTC))
rows = st.builds(
    Columns,
    org=names,
    sequence=st.none() | st.integers(1, 300),
    stream=names,
    version=st.integers(1, 300),
    event_id=st.uuids(),
    type=names,
    schema=st.integers(1, 300),
    occurred_at=moments,
    recorded_at=moments,
    campaign=maybe_names,
    actor=maybe_names,
    on_behalf_of=maybe_names,
    correlation_id=st.none() | st.uuids(),
    causation_id=st.none() | st.uuids(),
    traceparent=maybe_names,
    late_reason=maybe_names,
    data=st.binary(max_size=6),
    sealed=st.none() | st.binary(max_size=6),
)


def test_the_leaf_of_a_known_row_is_what_the_description_says() -> None:
    null = b"\xff\xff\xff\xff"
    hashed = (
        b"\x00\x01" + SALT
        + b"\x00\x00\x00\x04demo"
        + b"\x00\x00\x00\x017"
        + b"\x00\x00\x00\x06unit/1"
        + b"\x00\x00\x00\x013"
        + b"\x00\x00\x00\x240af76519-16cd-43dd-8448-eb211c80319c"
        + b"\x00\x00\x00\x0funit.registered"
        + b"\x00\x00\x00\x011"
        + b"\x00\x00\x00\x1b2010-06-01T08:30:00.123456Z"
        + b"\x00\x00\x00\x1b2010-06-01T09:00:00.000000Z"
        + null
        + b"\x00\x00\x00\x06\xe8\x8b\x8f\xe7\xa0\x9a"
        + null + null
        + b"\x00\x00\x00\x2400000000-0000-0000-0000-000000000001"
        + null
        + b"\x00\x00\x00\x00"
        + b'\x00\x00\x00\x07{"a":1}'
        + null
    )  # fmt: skip
    assert leaf(SALT, Columns().values()) == sha256(hashed).digest()


def test_the_columns_are_hashed_in_the_order_of_the_table() -> None:
    assert tuple(field.name for field in fields(Columns)) == LEAF_COLUMNS
    shuffled = dict(reversed([(field.name, getattr(Columns(), field.name)) for field in fields(Columns)]))
    assert list(leaf_values({**shuffled, "position": 5, "hash": b""})) == Columns().values()


@given(rows, rows)
def test_two_different_rows_never_have_one_leaf(one: Columns, two: Columns) -> None:
    assume(one != two)
    assert leaf(SALT, one.values()) != leaf(SALT, two.values())


@given(rows, st.sampled_from([field.name for field in fields(Columns)]), st.data())
def test_a_change_of_any_column_changes_the_leaf(row: Columns, column: str, data: st.DataObject) -> None:
    other = replace(row, **{column: getattr(data.draw(rows), column)})
    assert (leaf(SALT, other.values()) == leaf(SALT, row.values())) == (other == row)


@given(st.text(max_size=9), st.integers(0, 9), st.integers(0, 9))
def test_where_one_text_ends_and_the_next_begins_is_part_of_the_leaf(text: str, here: int, there: int) -> None:
    one, two = (Columns(traceparent=text[:cut], late_reason=text[cut:]) for cut in (here, there))
    assert (leaf(SALT, one.values()) == leaf(SALT, two.values())) == (one == two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Columns(campaign="ab", actor="c"), Columns(campaign="a", actor="bc")),
        (Columns(campaign="", actor=None), Columns(campaign=None, actor="")),
        (Columns(data=b"\xff\xff\xff\xff", sealed=None), Columns(data=b"", sealed=b"\xff\xff\xff\xff")),
        (Columns(late_reason=None), Columns(late_reason="None")),
        (Columns(sequence=1, stream="1"), Columns(sequence=11, stream="")),
    ],
)
def test_what_moves_from_one_column_to_the_next_changes_the_leaf(one: Columns, two: Columns) -> None:
    assert leaf(SALT, one.values()) != leaf(SALT, two.values())


def test_the_same_moment_in_another_zone_has_the_same_leaf() -> None:
    east = Columns().occurred_at.astimezone(timezone(timedelta(hours=8)))
    assert leaf(SALT, replace(Columns(), occurred_at=east).values()) == leaf(SALT, Columns().values())


def test_another_salt_gives_another_leaf() -> None:
    assert leaf(bytes(16), Columns().values()) != leaf(SALT, Columns().values())


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    assert length != SALT_LENGTH
    with pytest.raises(ValueError, match="salt"):
        leaf(bytes(length), Columns().values())


@pytest.mark.parametrize("format", [0, 2, -1, 256])
def test_an_unknown_format_is_refused(format: int) -> None:
    assert format != FORMAT
    with pytest.raises(ValueError, match="unknown leaf format"):
        leaf(SALT, Columns().values(), format)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=5, unique=True))
def test_the_end_of_a_chain_depends_on_every_leaf_and_their_order(leaves: list[bytes]) -> None:
    def end(of: list[bytes]) -> bytes:
        link = GENESIS
        for each in of:
            link = chain(link, each)
        return link

    assert bytes(32) == GENESIS
    assert end(leaves[:1]) == sha256(bytes(32) + leaves[0]).digest()
    altered = [leaves[:-1], leaves[1:], leaves[::-1], [*leaves, leaves[-1]], [GENESIS, *leaves]]
    assert end(leaves) not in {end(other) for other in altered}
