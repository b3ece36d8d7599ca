"""Obligations: what was owed in a period, and what came of it (R-33, R-43; the catalogue is the programme's)."""

from datetime import date
from typing import Annotated, Literal

from avow.contracts.values import Identity, Key
from avow.kernel.message import Prose, PublicEvent, Value
from avow.kernel.seal import Seal, SealedUnder

Outcome = Literal["met", "met_late", "missed"]


class Owner(Value):
    """Who owes: a unit, or a member of it."""

    kind: Literal["unit", "member"]
    id: Identity


class ObligationAssessed(PublicEvent, type="obligation.assessed"):
    """What came of an obligation, said once, when its days of grace are over.

    The period is `starts_on`…`ends_on`, both included; `unit_id` is the unit it counts for. `met_by` are the ids of the
    events that meet it and `met_on` the day of the last of them: empty and null where it was missed.
    """

    obligation_id: Identity
    campaign_id: Identity
    obligation: Key
    owner: Owner
    unit_id: Identity
    starts_on: date
    ends_on: date
    due_on: date
    outcome: Outcome
    met_on: date | None
    met_by: tuple[Identity, ...]


class ObligationReassessed(PublicEvent, type="obligation.reassessed"):
    """A late entry changed what came of an obligation; what was said before stays said."""

    obligation_id: Identity
    outcome: Outcome
    met_on: date | None
    met_by: tuple[Identity, ...]


class ObligationWaived(PublicEvent, type="obligation.waived"):
    """The office waived an obligation that is due in principle; waived is not met (R-33)."""

    obligation_id: Identity
    campaign_id: Identity
    obligation: Key
    owner: Owner
    unit_id: Identity
    starts_on: date
    ends_on: date
    reason: Annotated[Prose | Seal, SealedUnder("unit/{unit_id}")]
