"""The work record, part by part (R-49)."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from avow.contracts.obligation import Outcome
from avow.contracts.scoring import PartWeight
from avow_evaluation.domain.work_record import (
    Counted,
    Duty,
    Graded,
    Item,
    comments,
    fulfilment,
    obligations,
    work_record,
)

DUE, LATER = date(2011, 6, 30), date(2011, 7, 1)
WEIGHTS = tuple(
    PartWeight.model_validate({"part": part, "weight": weight})
    for part, weight in (("obligations", "20"), ("fulfilment", "20"), ("comments", "10"), ("inspections", "10"))
)


def duties(*outcomes: Outcome, waived: int = 0) -> list[Duty]:
    """Duties with these outcomes, and some that were waived after they were missed."""
    missed = [Duty("missed", True, (f"w{n}",)) for n in range(waived)]
    return [*(Duty(outcome, False, (f"d{n}",)) for n, outcome in enumerate(outcomes)), *missed]


def test_what_was_met_late_counts_half_and_what_was_waived_not_at_all() -> None:
    """R-33"""
    counted = obligations(duties("met", "met", "met_late", "missed", waived=2))
    assert (counted.numerator, counted.denominator) == (Fraction(5, 2), 4)
    assert counted.evidence == ("d0", "d1", "d2", "d3", "w0", "w1")


def test_a_duty_waived_before_it_was_assessed_is_neither_met_nor_owed() -> None:
    assert obligations([Duty(None, True, ("w",))]).denominator == 0


def test_an_item_counts_once_it_is_due_and_not_where_it_could_not_be_helped() -> None:
    """R-31"""
    kept, lapsed = Item(DUE, True, False, ("made", "verified")), Item(DUE, False, False, ("made",))
    excused, early = Item(DUE, False, True, ("made", "withdrawn")), Item(LATER, True, False, ("made", "early"))
    counted = fulfilment([kept, lapsed, excused, early], DUE)
    assert (counted.numerator, counted.denominator) == (Fraction(1), 2)
    assert counted.evidence == ("made", "verified", "withdrawn")


def test_comments_count_by_the_mean_of_their_grades() -> None:
    counted = comments([Graded(80, "a"), Graded(91, "b")])
    assert (counted.numerator / counted.denominator, counted.evidence) == (Fraction(171, 200), ("a", "b"))


def test_a_part_with_nothing_to_count_gives_its_weight_to_the_others_in_proportion() -> None:
    """R-49: of 60, inspections' 10 go to the three others as 20 : 20 : 10."""
    record = work_record(
        WEIGHTS,
        {
            "obligations": Counted(Fraction(3, 2), 2),
            "fulfilment": Counted(Fraction(1), 3),
            "comments": Counted(Fraction(171, 100), 2),
        },
    )
    assert [part.in_force for part in record.parts] == [Decimal(24), Decimal(24), Decimal(12), None]
    assert [part.value for part in record.parts] == [Decimal("0.75"), Decimal("0.333333333"), Decimal("0.855"), None]
    assert record.share == (20 * Fraction(3, 4) + 20 * Fraction(1, 3) + 10 * Fraction(171, 200)) / 50


@pytest.mark.parametrize("counted", [{}, {"study": Counted(Fraction(1), 1)}])
def test_with_nothing_to_count_there_is_no_work_record(counted: dict[str, Counted]) -> None:
    record = work_record(WEIGHTS, counted)  # type: ignore[arg-type]
    assert record.share is None
    assert {part.in_force for part in record.parts} == {None}
