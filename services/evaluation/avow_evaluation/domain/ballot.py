"""A ballot: what one rater says of one unit, or of its members, once (R-41, R-42).

Promises: none is taken from the announced end on, whether or not the round was closed by then; a credential admits one
ballot, because the ballot's stream is named by the credential's hash and has one event. The event holds the round, the
unit, the rater class and the grades, its time is the full hour, and nothing in it says who cast it
(tests/unit/evaluation/test_confidentiality.py).
Limit: whoever runs the database sees when the log took each ballot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from avow.contracts.review import ReviewForm
from avow.contracts.values import Identity, Key
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, PrivateEvent
from avow.kernel.refusal import Refusal, require
from avow_evaluation.domain.electorate import Part
from avow_evaluation.domain.member_review import require_own_row_empty
from avow_evaluation.domain.review_round import ReviewRound, Status, require_standing


class CastBallot(Command):
    """Give every row of the form a grade, or null to abstain."""

    rows: dict[Key, Key | None]


class BallotCast(PrivateEvent, type="ballot.cast"):
    """`rows` stand in the order of the form, whatever the order they came in."""

    round_id: Identity
    unit_id: Identity
    rater_class: Key
    rows: dict[Key, Key | None]


@dataclass(frozen=True)
class Ballot:
    """What the next decision needs: whether the credential was used."""

    cast: bool = False


@dataclass(frozen=True, kw_only=True)
class BallotFacts(Facts):
    """The moment itself, which reaches no event; the round as it stands; and the part of its electorate the credential
    belongs to, if to any."""

    now: datetime
    round_id: str
    round: ReviewRound
    part: Part | None


def decide(command: CastBallot, ballot: Ballot, facts: BallotFacts) -> list[BallotCast]:
    announced = require_standing(facts.round, Status.OPEN)
    require(facts.now < announced.closes_at, "round.closed", "round_id")
    if facts.part is None:
        raise Refusal("ballot.credential_unknown", "credential")
    require(not ballot.cast, "ballot.already_cast", "credential")
    unit_id, rater_class = facts.part
    rows = complete(command.rows, announced.form)
    require_own_row_empty(announced, rater_class, rows)
    return [BallotCast(round_id=facts.round_id, unit_id=unit_id, rater_class=rater_class, rows=rows)]


def evolve(ballot: Ballot, event: BallotCast) -> Ballot:
    return Ballot(cast=True)


ballot: Decider[CastBallot, Ballot, BallotFacts, BallotCast] = Decider(
    stream="ballot",
    initial=Ballot(),
    decide=decide,
    evolve=evolve,
    events=(BallotCast,),
)


def complete(rows: Mapping[str, str | None], form: ReviewForm) -> dict[str, str | None]:
    """The rows in the form's order; refuses a row too many or too few, and a grade the form does not have."""
    asked = [row.key for row in form.rows]
    known = [grade.key for grade in form.grades]
    for key, grade in rows.items():
        require(key in asked, "ballot.row_unknown", f"rows.{key}", known=", ".join(asked))
        require(grade is None or grade in known, "ballot.grade_unknown", f"rows.{key}", known=", ".join(known))
    for key in asked:
        require(key in rows, "ballot.row_missing", f"rows.{key}")
    return {key: rows[key] for key in asked}
