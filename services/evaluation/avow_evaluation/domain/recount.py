"""A part of the work record counted again, from the events it was counted from (R-49).

Promises: from the same events the same count as at first, without a view in between.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from avow.contracts.meeting import CommentRecorded
from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived, Outcome
from avow.contracts.pledge import PledgeItemVerified, PledgeMade, PledgeWithdrawn
from avow.contracts.scoring import ScoredPart
from avow.kernel.message import Event
from avow_evaluation.domain.work_record import Counted, Duty, Graded, Item, comments, fulfilment, obligations

EVIDENCE: tuple[type[Event], ...] = (
    ObligationAssessed,
    ObligationReassessed,
    ObligationWaived,
    PledgeMade,
    PledgeItemVerified,
    PledgeWithdrawn,
    CommentRecorded,
)
"""What counts in a work record."""


def recount(part: ScoredPart, events: Sequence[tuple[str, Event | None]], until: date) -> Counted:
    """The count of a part from its events, in the order they came; `until` is the last day of the period."""
    match part:
        case "obligations":
            return obligations(_duties(event for _, event in events))
        case "fulfilment":
            return fulfilment(_items([event for _, event in events], until), until)
        case "comments":
            return comments(_graded(events))
        case "inspections" | "study":
            return Counted()


def _duties(events: Iterable[Event | None]) -> list[Duty]:
    outcomes: dict[str, Outcome | None] = {}
    waived: set[str] = set()
    for event in events:
        match event:
            case ObligationAssessed() | ObligationReassessed():
                outcomes[event.obligation_id] = event.outcome
            case ObligationWaived():
                outcomes.setdefault(event.obligation_id, None)
                waived.add(event.obligation_id)
            case _:
                pass
    return [Duty(outcome, duty in waived, ()) for duty, outcome in outcomes.items()]


def _items(events: Sequence[Event | None], until: date) -> list[Item]:
    verified: dict[str, set[int]] = defaultdict(set)
    excused: dict[str, set[int]] = defaultdict(set)
    for event in events:
        match event:
            case PledgeItemVerified():
                verified[event.pledge_id].add(event.item)
            case PledgeWithdrawn() if event.excused:
                excused[event.pledge_id].update(event.items)
            case _:
                pass
    return [
        Item(max(item.milestones, default=until), n in verified[made.pledge_id], n in excused[made.pledge_id], ())
        for made in events
        if isinstance(made, PledgeMade)
        for n, item in enumerate(made.items)
    ]


def _graded(events: Iterable[tuple[str, Event | None]]) -> list[Graded]:
    return [
        Graded(event.grade, event_id)
        for event_id, event in events
        if isinstance(event, CommentRecorded) and event.grade is not None
    ]
