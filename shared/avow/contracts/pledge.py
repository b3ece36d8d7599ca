"""The public pledge (R-26, R-28, R-29)."""

from datetime import date
from typing import Annotated, Literal

from avow.contracts.values import Exact, Identity, Key
from avow.kernel.message import Line, Prose, PublicEvent, Value
from avow.kernel.seal import Seal, SealedUnder


class Pledger(Value):
    """Who pledges: a unit or a member of it."""

    kind: Literal["unit", "member"]
    id: Identity


class Quantity(Value):
    """The measurable side of a quantitative indicator."""

    baseline: Exact
    target: Exact
    direction: Literal["up", "down"]


class PledgeItem(Value):
    """What is measured and when, without a word of prose: one entry for each item's wording, in the same order."""

    criterion: Key
    aims: tuple[Key, ...]
    quantities: tuple[Quantity, ...]
    milestones: tuple[date, ...]
    accountable_person_id: Identity | None


class Metric(Value):
    """The words of a quantitative indicator."""

    name: Line
    metric_unit: Line


class ItemWording(Value):
    """The words of an item (R-25, R-26)."""

    goal: Prose
    task: Prose
    measure: Prose
    qualitative_indicators: tuple[Prose, ...]
    metrics: tuple[Metric, ...]


Wording = Annotated[tuple[ItemWording, ...] | Seal, SealedUnder("scope/{scope}/{unit_id}")]
"""An item's words, sealed for the scope they are meant for; in the clear where the scope is everybody."""


class PledgeMade(PublicEvent, type="pledge.made"):
    """A pledge was published within its scope: the moment of commitment, from which on its text is frozen (R-29).

    `phase` is null for one drafted between or after the campaign's phases, which is lawful and counts for none (R-19).
    """

    pledge_id: Identity
    campaign_id: Identity
    unit_id: Identity
    pledger: Pledger
    phase: Key | None
    items: tuple[PledgeItem, ...]
    scope: Key
    channel: Key
    wording: Wording


class PledgeItemVerified(PublicEvent, type="pledge.item_verified"):
    """The unit found an item of a pledge fulfilled (R-31); items count from 0, in the order of the pledge."""

    pledge_id: Identity
    campaign_id: Identity
    unit_id: Identity
    pledger: Pledger
    phase: Key | None
    item: int


class PledgeWithdrawn(PublicEvent, type="pledge.withdrawn"):
    """Items of a pledge will not be fulfilled (R-31); `excused` says whether for a cause nobody could help.

    What is excused is not counted; what is not, counts as unfulfilled.
    """

    pledge_id: Identity
    campaign_id: Identity
    unit_id: Identity
    pledger: Pledger
    phase: Key | None
    items: tuple[int, ...]
    excused: bool
    scope: Key
    reason: Annotated[Prose | Seal, SealedUnder("scope/{scope}/{unit_id}")]
