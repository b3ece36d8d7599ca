"""Review rounds: announced, frozen, opened, counted, closed, tallied (R-41, R-42, R-45, R-46).

Never here: a credential, a ballot, anything that ties a ballot to a person, or what was said of a person.
"""

from typing import Literal

from avow.contracts.values import Exact, Identity, Instant, Key, Label
from avow.kernel.message import Prose, PublicEvent, Value


class Grade(Value):
    """One grade of a scale; `top` marks the grades that count as recognition."""

    key: Key
    label: Label
    points: Exact
    top: bool


class FormRow(Value):
    """One question, answerable with a grade or an abstention."""

    key: Key
    label: Label


class ClassWeight(Value):
    """How much a rater class weighs in the recognition."""

    rater_class: Key
    weight: Exact


class ReviewForm(Value):
    """Everything the tally needs, carried by the announcement so that a recount reads no file."""

    rows: tuple[FormRow, ...]
    grades: tuple[Grade, ...]
    weights: tuple[ClassWeight, ...]
    invalid_below: Exact
    warn_below: Exact
    minimum_ballots: int
    minimum_share: Exact
    z: Exact


class ReviewRoundAnnounced(PublicEvent, type="review_round.announced"):
    """A round of reviews was announced: who is reviewed, when, and by which form (R-41, R-42).

    Where `subject` is `member`, the subjects are the members of `unit_id`, the form has a row for each of them, and the
    raters of `peer_classes` stand among them. What comes of a rehearsal counts for nothing.
    """

    round_id: Identity
    campaign_id: Identity
    title: Label
    subjects: tuple[Identity, ...]
    opens_at: Instant
    closes_at: Instant
    form: ReviewForm
    subject: Literal["unit", "member"] = "unit"
    unit_id: Identity | None = None
    peer_classes: tuple[Key, ...] = ()
    rehearsal: bool = False


class ElectoratePart(Value):
    """How many of a class may review a subject."""

    unit_id: Identity
    rater_class: Key
    eligible: int


class ElectorateFrozen(PublicEvent, type="electorate.frozen"):
    """Who may review is fixed, and with it every denominator; only the counts are public."""

    round_id: Identity
    parts: tuple[ElectoratePart, ...]


class ReviewRoundOpened(PublicEvent, type="review_round.opened"):
    """Ballots are taken from now on."""

    round_id: Identity


class ReviewSubmitted(PublicEvent, type="review.submitted"):
    """How many ballots of a class on a subject have come in so far; hourly and at the close, never one by one."""

    round_id: Identity
    unit_id: Identity
    rater_class: Key
    count: int


class ReviewRoundClosed(PublicEvent, type="review_round.closed"):
    """No ballot is taken any more; `reason` says why, where that came before the time announced."""

    round_id: Identity
    reason: Prose | None


class ClassTally(Value):
    """One rater class's part in a result.

    `graded` counts ballots with at least one graded row, `support` is the exact sum of their top-grade shares written
    as a fraction (`17/5`), `lower_bound` the Wilson bound W_c, `share` the class's weight over those of all classes
    that count. Where `counted` is false the class is left out of the result and everything but its ballots' number is
    withheld.
    """

    rater_class: Key
    eligible: int
    cast: int
    minimum: int
    counted: bool
    weight: Exact
    share: Exact | None
    graded: int | None
    support: str | None
    lower_bound: Exact | None


class RowTally(Value):
    """How often each grade was given in a row, over the classes that count; `abstained` stands beside them."""

    key: Key
    grades: dict[Key, int]
    abstained: int


class ReviewTallied(PublicEvent, type="review.tallied"):
    """The result of a round for one subject.

    `turnout` and `good_rate` are shares of 1, `recognition` is 0–100, each with nine decimals. `rows`, `good_rate` and
    `recognition` hold only what the classes that count said: no rows and null where there is none. The result of a
    `rehearsal` counts for nothing.
    """

    round_id: Identity
    campaign_id: Identity
    unit_id: Identity
    eligible: int
    cast: int
    turnout: Exact | None
    validity: Literal["valid", "low", "invalid"]
    classes: tuple[ClassTally, ...]
    rows: tuple[RowTally, ...]
    good_rate: Exact | None
    recognition: Exact | None
    rehearsal: bool = False
