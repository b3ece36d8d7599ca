"""A score: which result is scored, what its classes weigh, and when there is none (R-49, R-51)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from avow.contracts.review import ClassTally
from avow_evaluation.domain.period_recognition import Reviewed, recognised
from avow_evaluation.domain.recognition import Validity, lower_bound, rounded
from avow_evaluation.domain.score import Score, score
from avow_evaluation.domain.work_record import Counted
from tests.kit.logs import identity
from tests.unit.evaluation.test_scoring_rules import PUBLISHED, SECOND

Z, AT = Decimal("1.96"), datetime(2010, 12, 17, tzinfo=UTC)
FULFILLED = {"fulfilment": Counted(Fraction(3), 4)}


def a_class(rater_class: str, support: int, graded: int, counted: bool = True) -> ClassTally:
    """A class of twenty; the form gave it a weight the rules do not heed."""
    return ClassTally(
        rater_class=rater_class,
        eligible=20,
        cast=graded,
        minimum=6,
        counted=counted,
        weight=Decimal(99),
        share=None,
        graded=graded if counted else None,
        support=str(support) if counted else None,
        lower_bound=rounded(lower_bound(Fraction(support), graded, Z)) if counted else None,
    )


def a_result(n: int, *classes: ClassTally, validity: Validity = "valid") -> Reviewed:
    return Reviewed(identity(n), identity(100 + n), AT + timedelta(days=n), n, validity, classes, Z)


PEERS, PUBLIC = a_class("peer", 18, 18), a_class("mass", 12, 16)


def the_score(*results: Reviewed, counted: dict[str, Counted] = FULFILLED) -> Score:
    return score(PUBLISHED, counted, results, {})  # type: ignore[arg-type]


def bound(tally: ClassTally) -> Decimal:
    assert tally.support is not None
    assert tally.graded is not None
    return lower_bound(Fraction(tally.support), tally.graded, Z)


def test_the_classes_weigh_what_the_rules_say_and_not_what_the_form_said() -> None:
    """R-51"""
    first = recognised(PUBLISHED.recognition, [a_result(1, PEERS, PUBLIC)])
    second = recognised(SECOND.recognition, [a_result(1, PEERS, PUBLIC)])
    assert first is not None
    assert second is not None
    assert first.score.score == rounded((30 * bound(PEERS) + 30 * bound(PUBLIC)) / Decimal("0.60"))
    assert second.score.score == rounded((20 * bound(PEERS) + 40 * bound(PUBLIC)) / Decimal("0.60"))


def test_a_class_that_does_not_count_gives_its_weight_to_the_others_and_the_whole_weighs_the_same() -> None:
    found = the_score(a_result(1, PEERS, a_class("mass", 1, 2, counted=False)))
    assert found.recognition is not None
    assert [(one.rater_class, one.in_force) for one in found.recognition.classes] == [
        ("peer", Decimal(60)),
        ("mass", None),
    ]
    assert found.recognition.score == rounded(100 * bound(PEERS))
    # Of the parts only fulfilment counts, so it weighs all 40.
    assert found.total == rounded(30 + 60 * bound(PEERS))


def test_the_last_result_that_says_something_is_scored() -> None:
    withheld = a_class("peer", 0, 2, counted=False)
    found = the_score(
        a_result(3, withheld, validity="invalid"),
        a_result(2, PEERS, PUBLIC, validity="low"),
        a_result(1, PUBLIC),
        a_result(4, a_class("members", 9, 9)),
    )
    assert found.recognition is not None
    assert (found.recognition.round_id, found.recognition.evidence) == (identity(2), (identity(102),))


def test_without_a_work_record_or_a_recognition_there_is_no_total_and_it_is_said_why() -> None:
    """R-47"""
    withheld = a_result(1, a_class("peer", 0, 2, counted=False))
    assert [(one.total, one.missing) for one in (the_score(), the_score(withheld))] == [
        (None, ("no_ledger_row",)),
        (None, ("withheld",)),
    ]
    bare = the_score(a_result(1, PEERS), counted={})
    assert (bare.total, bare.work_record, bare.missing) == (None, None, ("no_work_record",))
    assert the_score(counted={}).missing == ("no_work_record", "no_ledger_row")


def test_a_figure_at_its_floor_is_not_below_it() -> None:
    """R-51"""
    below = {"fulfilment": Counted(Fraction(59), 100)}
    just = {"fulfilment": Counted(Fraction(60), 100)}
    assert the_score(a_result(1, PEERS, PEERS), counted=just).below_floor == ()
    assert the_score(a_result(1, PEERS), counted=below).below_floor == ("work_record",)
    assert the_score(a_result(1, a_class("mass", 5, 16))).below_floor == ("recognition",)


def test_a_total_is_rounded_once() -> None:
    third = {"fulfilment": Counted(Fraction(1), 3)}
    found = the_score(a_result(1, PEERS), counted=third)
    assert found.total == rounded(Decimal(40) / 3 + 60 * bound(PEERS))
    assert found.work_record == Decimal("33.333333333")
