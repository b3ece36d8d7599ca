"""Cursors and sorts that are refused, and what every list of both services declares."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from avow.kernel.refusal import Refusal
from avow.projections.cursor import read_cursor, write_cursor
from avow.projections.listing import Listed, kind_of
from avow.projections.ordering import Term, terms_of
from avow.register.people import PEOPLE
from avow.web.sheet import chinese, columns_of
from avow_evaluation.reading.assessments import ASSESSMENTS
from avow_evaluation.reading.candidates import CANDIDATES
from avow_evaluation.reading.counted import EVIDENCE
from avow_evaluation.reading.ledger import LEDGER
from avow_evaluation.reading.rounds import ROUNDS
from avow_evaluation.reading.scoring_rules import RULES
from avow_pledge.reading.meetings import COMMENTS, MEETINGS
from avow_pledge.reading.obligations import OBLIGATIONS
from avow_pledge.reading.obligations import ROUNDS as OBLIGATION_ROUNDS
from avow_pledge.reading.pledges import PLEDGES, PROGRESS
from avow_pledge.reading.register import CAMPAIGNS, MEMBERSHIPS, ROLES, UNITS
from avow_pledge.reading.work_plans import WORK_PLANS

OF_EVALUATION: list[Any] = [ASSESSMENTS, CANDIDATES, EVIDENCE, LEDGER, ROUNDS, RULES]
OF_PLEDGE: list[Any] = [CAMPAIGNS, UNITS, MEMBERSHIPS, ROLES, PLEDGES, PROGRESS, MEETINGS, COMMENTS, OBLIGATIONS]
LISTS = [*OF_EVALUATION, *OF_PLEDGE, OBLIGATION_ROUNDS, WORK_PLANS, PEOPLE]
KINDS = [TypeAdapter[Any](int), TypeAdapter[Any](str)]


def refused(code: str, cursor: str, about: str = "a list") -> None:
    with pytest.raises(Refusal) as refusal:
        read_cursor(about, cursor, KINDS)
    assert (refusal.value.code, refusal.value.field) == (code, "after")


def test_a_cursor_gives_back_what_was_written_and_fits_in_an_address() -> None:
    cursor = write_cursor("a list", [7, "甲/乙"])
    assert read_cursor("a list", cursor, KINDS) == [7, "甲/乙"]
    assert read_cursor("a list", write_cursor("a list", [None, "x"]), KINDS) == [None, "x"]
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_cursor_of_another_list_or_of_other_kinds_is_refused() -> None:
    refused("list.cursor_foreign", write_cursor("a list", [7, "x"]), about="another list")
    refused("list.cursor_foreign", write_cursor("a list", ["x", "x"]))
    refused("list.cursor_foreign", write_cursor("a list", [7]))


@pytest.mark.parametrize("cursor", ["", "17", "!", "ü", "AAAA", "A" * 4001])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    refused("list.cursor_foreign", cursor)


def test_a_cursor_with_any_letter_altered_is_refused() -> None:
    cursor = write_cursor("a list", [7, "x."])
    for n, letter in enumerate(cursor[:-1]):
        refused("list.cursor_foreign", cursor[:n] + ("A" if letter != "A" else "B") + cursor[n + 1 :])


@pytest.mark.parametrize("sort", ["nothing", "-", "word,word", "word,-word", "word,", " word", "--word"])
def test_an_unknown_sort_is_refused_with_the_columns_there_are(sort: str) -> None:
    with pytest.raises(Refusal) as refusal:
        terms_of(sort, ("word", "count"), ("thing_id",))
    assert (refusal.value.code, refusal.value.field) == ("list.sort_unknown", "sort")
    assert refusal.value.params["known"] == "count, thing_id, word"


def test_the_keys_make_any_sort_one_order() -> None:
    assert terms_of("-word", ("word",), ("a", "b")) == (Term("word", falling=True), Term("a"), Term("b"))
    assert terms_of("b", (), ("a", "b")) == (Term("b"), Term("a"))


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: str(listed.name))
def test_every_list_sorts_by_what_it_has_and_says_so_in_a_line(listed: Any) -> None:
    terms_of(listed.order, listed.sorts, listed.keys)
    assert len(", ".join(listed.sortable)) <= 200  # the most a text of a refusal shows
    if isinstance(listed, Listed):
        columns = listed.query.selected_columns
        assert all(kind_of(columns[name]) for name in listed.sortable)
    else:
        assert set(listed.sortable) <= set(listed.entry.model_fields)


def test_every_column_has_its_chinese_heading_and_no_other_is_kept() -> None:
    assert {name for listed in LISTS for path in columns_of(listed.entry) for name in path} == set(chinese())
