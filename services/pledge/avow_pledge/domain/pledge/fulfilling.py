"""From a pledge made to what came of it: progress, verification, withdrawal (R-31).

Promises: only what was declared is verified, and never by whoever pledged; an item is verified or withdrawn once, and
nobody excuses themselves.
"""

from avow.contracts.pledge import PledgeItemVerified, PledgeWithdrawn
from avow.kernel.refusal import Refusal, require
from avow_pledge.domain.pledge.commands import ReportProgress, VerifyItem, WithdrawPledge
from avow_pledge.domain.pledge.events import PledgeDrafted, PledgeProgressReported
from avow_pledge.domain.pledge.making import require_anothers, speaks_for
from avow_pledge.domain.pledge.standing import Pledge, PledgeFacts, Status


def report(command: ReportProgress, pledge: Pledge, facts: PledgeFacts) -> PledgeProgressReported:
    """How far an open item has come, by one of its indicators or by a percentage."""
    made = _made(pledge)
    _require_open(pledge, made, command.item, "item")
    by_value = command.value is not None
    require(by_value != (command.percent is not None), "pledge.progress_measure", "value")
    count = len(made.items[command.item].quantities)
    require(not by_value or command.quantity < count, "pledge.quantity_unknown", "quantity", count=count)
    return PledgeProgressReported(
        pledge_id=facts.pledge_id,
        unit_id=made.unit_id,
        item=command.item,
        quantity=command.quantity if by_value else None,
        value=command.value,
        percent=command.percent,
        fulfilled=command.fulfilled,
        evidence_sha256=command.evidence_sha256,
        scope=made.scope,
        note=command.note,
    )


def verify(command: VerifyItem, pledge: Pledge, facts: PledgeFacts) -> PledgeItemVerified:
    """An open item that was declared fulfilled is so."""
    made = _made(pledge)
    _require_open(pledge, made, command.item, "item")
    require_anothers(made.pledger, facts)
    require(command.item in pledge.declared, "pledge.item_not_declared", "item")
    return PledgeItemVerified(
        pledge_id=facts.pledge_id,
        campaign_id=made.campaign_id,
        unit_id=made.unit_id,
        pledger=made.pledger,
        phase=made.phase,
        item=command.item,
    )


def withdraw(command: WithdrawPledge, pledge: Pledge, facts: PledgeFacts) -> PledgeWithdrawn:
    """Open items will not be fulfilled; whether that is excused, somebody else says."""
    made = _made(pledge)
    items = pledge.open_items if command.items is None else command.items
    require(items, "pledge.item_settled", "items")
    for n, item in enumerate(items):
        _require_open(pledge, made, item, f"items[{n}]")
        require(item not in items[:n], "pledge.item_repeated", f"items[{n}]")
    require(not (command.excused and speaks_for(made.pledger, facts)), "pledge.own_excuse", "excused")
    return PledgeWithdrawn(
        pledge_id=facts.pledge_id,
        campaign_id=made.campaign_id,
        unit_id=made.unit_id,
        pledger=made.pledger,
        phase=made.phase,
        items=tuple(sorted(items)),
        excused=command.excused,
        scope=made.scope,
        reason=command.reason,
    )


def _made(pledge: Pledge) -> PledgeDrafted:
    """The text of a pledge that was made."""
    if pledge.draft is None:
        raise Refusal("pledge.unknown", "pledge_id")
    require(pledge.status is Status.MADE, "pledge.not_made", status=pledge.status.value)
    return pledge.draft


def _require_open(pledge: Pledge, made: PledgeDrafted, item: int, at: str) -> None:
    require(item < len(made.items), "pledge.item_unknown", at, count=len(made.items))
    require(item in pledge.open_items, "pledge.item_settled", at)
