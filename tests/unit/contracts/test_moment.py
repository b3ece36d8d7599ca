"""One text for one moment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avow.contracts import moment

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=zones).filter(lambda time: 1 < time.year < 9999)


def test_a_moment_is_written_in_utc_to_the_microsecond() -> None:
    east = timezone(timedelta(hours=8))
    assert moment.to_text(datetime(2010, 12, 17, 18, tzinfo=east)) == "2010-12-17T10:00:00.000000Z"
    assert moment.to_text(datetime(33, 4, 3, 1, 2, 3, 4, tzinfo=UTC)) == "0033-04-03T01:02:03.000004Z"


@given(moments)
def test_a_moment_reads_back_as_itself(time: datetime) -> None:
    read = moment.from_text(moment.to_text(time))
    assert read == time
    assert read.tzinfo == UTC
    assert moment.to_text(read) == moment.to_text(time)


@given(moments, moments)
def test_texts_sort_as_their_moments_do(one: datetime, two: datetime) -> None:
    assert (moment.to_text(one) < moment.to_text(two)) == (one < two)
    assert (moment.to_text(one) == moment.to_text(two)) == (one == two)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        moment.to_text(datetime.fromisoformat("2010-06-01T00:00:00"))


@pytest.mark.parametrize(
    "edge",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=2))),
    ],
)
def test_a_moment_that_utc_has_no_year_for_is_refused(edge: datetime) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        moment.to_text(edge)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2010-12-17",
        "2010-12-17T10:00:00Z",
        "2010-12-17T10:00:00.000Z",
        "2010-12-17T10:00:00.000000",
        "2010-12-17T10:00:00.000000+00:00",
        "2010-12-17T10:00:00.000000z",
        "2010-12-17 10:00:00.000000Z",
        "2010-1-7T1:0:0.5Z",
        "2010-13-01T00:00:00.000000Z",
        "2010-12-17T10:00:00.000000Z\n",
        "٢٠١٠-12-17T10:00:00.000000Z",
        "20101217T100000.000000Z",
    ],
)
def test_any_other_text_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever part of it is found first
        moment.from_text(text)


@given(st.text(alphabet="0123456789-T:.Z+ ", max_size=30))
def test_whatever_is_read_is_the_one_form(text: str) -> None:
    try:
        read = moment.from_text(text)
    except ValueError:
        return
    assert moment.to_text(read) == text
