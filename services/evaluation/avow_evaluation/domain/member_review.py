"""Reviews of members by one another and by the public, on one ballot for all of a unit (R-42, R-45).

Promises: what was said of a person stays in this service; the figures are computed as a unit's are, each member's from
the row that is theirs. A ballot of a peer leaves a row empty (`ballot.own_row`), so nobody grades everybody
(tests/unit/evaluation/test_member_round.py).
Limit: nothing ties a ballot to who cast it, so the row left empty may be another's; a peer who grades themselves gives
up a colleague's row for it, and no one can tell. Whoever is reviewed is also counted among the peers entitled to review
and, where they voted, among the ballots received: with their row empty, as an abstention.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avow.contracts.review import ClassTally, ReviewForm, ReviewRoundAnnounced
from avow.contracts.values import Exact, Identity, Key
from avow.kernel.message import PrivateEvent
from avow.kernel.refusal import require
from avow_evaluation.domain.recognition import Answers, Validity, result_of
from avow_evaluation.domain.review_form import row_of
from avow_evaluation.domain.spread import ClassSpread, spread_of


class MemberReviewTallied(PrivateEvent, type="member_review.tallied"):
    """The result of a round for one member: the figures of `review.tallied`, and how the ballots are spread.

    `grades` and `abstained` hold only what the classes that count said: nothing and null where there is none.
    """

    round_id: Identity
    campaign_id: Identity
    unit_id: Identity
    person_id: Identity
    eligible: int
    cast: int
    turnout: Exact | None
    validity: Validity
    classes: tuple[ClassTally, ...]
    grades: dict[Key, int]
    abstained: int | None
    good_rate: Exact | None
    recognition: Exact | None
    spread: tuple[ClassSpread, ...]
    rehearsal: bool


@dataclass(frozen=True)
class _OnOne:
    """What a ballot says of one member."""

    rater_class: str
    rows: Mapping[str, str | None]


def units_of(announced: ReviewRoundAnnounced) -> tuple[str, ...]:
    """The units whose electorates a round has: those reviewed, or the one whose members are."""
    return announced.subjects if announced.unit_id is None else (announced.unit_id,)


def require_own_row_empty(announced: ReviewRoundAnnounced, rater_class: str, rows: Mapping[str, str | None]) -> None:
    """Refuses a peer's ballot with a grade for everybody: one of the rows is the peer's own."""
    require(rater_class not in announced.peer_classes or None in rows.values(), "ballot.own_row", "rows")


def tally_members(
    announced: ReviewRoundAnnounced, eligible: Mapping[str, int], ballots: Sequence[Answers]
) -> list[MemberReviewTallied]:
    """The result of each member, in the order of the announcement."""
    assert announced.unit_id is not None
    return [_tally(announced, announced.unit_id, person_id, eligible, ballots) for person_id in announced.subjects]


def _tally(
    announced: ReviewRoundAnnounced,
    unit_id: str,
    person_id: str,
    eligible: Mapping[str, int],
    ballots: Sequence[Answers],
) -> MemberReviewTallied:
    key = row_of(person_id)
    form = _with_row(announced.form, key)
    result = result_of(form, eligible, [_OnOne(b.rater_class, {key: b.rows[key]}) for b in ballots])
    return MemberReviewTallied(
        round_id=announced.round_id,
        campaign_id=announced.campaign_id,
        unit_id=unit_id,
        person_id=person_id,
        eligible=result.eligible,
        cast=result.cast,
        turnout=result.turnout,
        validity=result.validity,
        classes=result.classes,
        grades=result.rows[0].grades if result.rows else {},
        abstained=result.rows[0].abstained if result.rows else None,
        good_rate=result.good_rate,
        recognition=result.recognition,
        spread=() if announced.rehearsal else spread_of(form, result.heard),
        rehearsal=announced.rehearsal,
    )


def _with_row(form: ReviewForm, key: str) -> ReviewForm:
    return form.model_copy(update={"rows": tuple(row for row in form.rows if row.key == key)})
