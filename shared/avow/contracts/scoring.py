"""The rules by which units and members are scored (R-48, R-51)."""

from datetime import date
from typing import Literal

from avow.contracts.review import ClassWeight
from avow.contracts.values import Exact, Identity, Label
from avow.kernel.message import PublicEvent, Value

ScoredPart = Literal["obligations", "fulfilment", "comments", "inspections", "study"]


class PartWeight(Value):
    """How much a part of the work record weighs in the total."""

    part: ScoredPart
    weight: Exact


class ScoringRulesPublished(PublicEvent, type="scoring_rules.published"):
    """A version of the scoring rules for units or for members was published; it stands as it is from then on.

    It is in force for what begins on `effective_from` or later, until a later version is. The weights of the work
    record and of `recognition` make 100; nobody is commended below either floor, each out of 100.
    """

    campaign_id: Identity
    subject: Literal["unit", "member"]
    version: int
    label: Label
    effective_from: date
    work_record: tuple[PartWeight, ...]
    recognition: tuple[ClassWeight, ...]
    work_record_floor: Exact
    recognition_floor: Exact
