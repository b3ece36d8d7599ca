"""What a validator found wrong, in words."""

from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from avow.web.catalogue import phrases
from avow.web.validation import _IN_CATALOGUE, MOST_LISTED, field_errors, field_path
from tests.unit.web.desk import CATALOGUE

# Raised by validators that no request meets: objects, calls, and the JSON reader, which has its own code.
NOT_FROM_A_REQUEST = {
    "arguments_type", "callable_type", "complex_str_parsing", "complex_type", "dataclass_exact_type",
    "default_factory_not_called", "ellipsis_error", "frozen_field", "frozen_instance", "get_attribute_error",
    "is_instance_of", "is_subclass_of", "iteration_error", "json_invalid", "json_type", "missing_argument",
    "missing_keyword_only_argument", "missing_positional_only_argument", "missing_sentinel_error",
    "multiple_argument_values", "needs_python_object", "no_such_attribute", "unexpected_keyword_argument",
    "unexpected_positional_argument",
}  # fmt: skip


def test_every_error_a_request_can_cause_has_its_own_text() -> None:
    translated = set(phrases("invalid")) - {"other"} | set(_IN_CATALOGUE)
    assert set(get_args(ErrorType)) - translated == NOT_FROM_A_REQUEST
    assert translated <= set(get_args(ErrorType))


def test_no_text_shows_what_was_sent_or_what_the_validator_said_in_english() -> None:
    for name, phrase in phrases("invalid").items():
        assert not {"{tag}", "{error}", "{input}", "{field_type}"} & set(phrase.en.split()), name


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        (("body", "items", 1, "milestones"), "items[1].milestones"),
        (("body", 0, "text"), "[0].text"),
        (("body",), "body"),
        (("query", "limit"), "query.limit"),
        (("path", "pledge_id"), "path.pledge_id"),
        (("header", "idempotency-key"), "header.idempotency-key"),
        (("body", "\udcff" + "x" * 500), "?" + "x" * 199),
    ],
)
def test_a_field_is_named_by_where_it_was_sent(loc: tuple[str | int, ...], path: str) -> None:
    assert field_path(loc) == path


def test_choices_are_listed_without_english_words_between() -> None:
    error = {"type": "enum", "loc": ("body", "scope"), "ctx": {"expected": "'unit', 'branch' or 'public'"}}
    [found] = field_errors([error], CATALOGUE)
    assert found.message_zh == "须为下列之一：'unit', 'branch', 'public'。"


def test_a_code_of_the_catalogue_raised_by_a_model_keeps_its_text() -> None:
    [found] = field_errors([{"type": "time.late_without_reason", "loc": ("body",), "ctx": {"days": 7}}], CATALOGUE)
    assert (found.code, "7 天" in found.message_zh) == ("time.late_without_reason", True)


def test_an_error_nobody_has_heard_of_still_has_a_text() -> None:
    [found] = field_errors([{"type": "novelty", "loc": ("body", "a")}], CATALOGUE)
    assert (found.code, found.message_zh) == ("novelty", "此项的内容不合要求。")


def test_a_thousand_errors_are_not_all_repeated() -> None:
    errors = [{"type": "missing", "loc": ("body", n)} for n in range(1000)]
    assert len(field_errors(errors, CATALOGUE)) == MOST_LISTED
