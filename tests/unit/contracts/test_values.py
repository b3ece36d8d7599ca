"""The values public events are made of: exact numbers, identities, keys and moments."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from avow.contracts.values import Exact, Identity, Instant, Key

exact = TypeAdapter[Decimal](Exact)
WRITTEN = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?")


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-999_999_999_999, max_value=999_999_999_999)
)
def test_an_exact_number_is_written_as_its_schema_says_and_reads_back(number: Decimal) -> None:
    text = exact.dump_python(exact.validate_python(number), mode="json")
    assert WRITTEN.fullmatch(text)
    assert exact.validate_json(exact.dump_json(number)) == number


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.000000000", "0.000000000"), ("1E+3", "1000"), ("1E-7", "0.0000001"), ("66.70", "66.70"), ("-0", "-0")],
)
def test_an_exact_number_is_never_written_with_an_exponent(number: str, text: str) -> None:
    assert exact.dump_json(exact.validate_python(number)) == f'"{text}"'.encode()
    assert exact.json_schema()["pattern"] == f"^{WRITTEN.pattern}$"


@pytest.mark.parametrize(
    "number", ["NaN", "sNaN", "Infinity", "1E+12", "-1000000000000", "0.0000000001", "1E+40", "x", ""]
)
def test_what_is_too_large_too_fine_or_no_number_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        exact.validate_python(number)


def test_an_identity_has_one_form() -> None:
    identity = TypeAdapter[str](Identity)
    form = "0af76519-16cd-43dd-8448-eb211c80319c"
    assert identity.validate_python(form) == form
    for other in (form.upper(), form.replace("-", ""), f"{{{form}}}", f"{form}\n", f" {form}", ""):
        with pytest.raises(ValidationError):
            identity.validate_python(other)


def test_a_key_is_short_plain_and_lower_case() -> None:
    key = TypeAdapter[str](Key)
    assert key.validate_python("lead.service-2_x") == "lead.service-2_x"
    for other in ("", "Lead", "2nd", "a b", "a/b", "é", "a\n", "a" * 65):
        with pytest.raises(ValidationError):
            key.validate_python(other)


def test_an_instant_is_utc_and_needs_a_zone() -> None:
    instant = TypeAdapter[datetime](Instant)
    read = instant.validate_python("2010-06-01T08:00:00+08:00")
    assert (read, read.tzinfo) == (datetime(2010, 6, 1, tzinfo=UTC), UTC)
    for other in ("2010-06-01T08:00:00", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))):
        with pytest.raises(ValidationError):
            instant.validate_python(other)
