"""What comes of a pledge: one a phase, progress, verification, withdrawal; and who may say so (R-28, R-31)."""

from decimal import Decimal

import pytest

from avow.contracts.pledge import PledgeItemVerified, PledgeMade, Pledger, PledgeWithdrawn
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.pledge import (
    MakePledge,
    Place,
    PledgeApproved,
    PledgeDrafted,
    PledgeFacts,
    PledgePlaceTaken,
    PledgeProgressReported,
    PledgeSubmitted,
    ReportProgress,
    SubmitPledge,
    VerifyItem,
    WithdrawPledge,
    pledge,
)
from tests.kit.given import given
from tests.kit.logs import identity
from tests.unit.pledge.builders import (
    CAMPAIGN,
    MEMBER,
    MOMENT,
    PLEDGE,
    SECRETARY,
    UNIT,
    a_running_campaign,
)
from tests.unit.pledge.college import a_draft

PLACE, SECOND = identity(400), identity(401)


def facts(actor: str | None = SECRETARY, place: Place | None = None, is_secretary: bool = True) -> PledgeFacts:
    campaign: RunningCampaign = a_running_campaign()
    return PledgeFacts(
        occurred_at=MOMENT,
        actor=actor,
        pledge_id=PLEDGE,
        campaign=campaign,
        is_secretary=is_secretary,
        member_of={MEMBER: {UNIT}},
        place=place,
    )


def the_draft() -> PledgeDrafted:
    (event,) = given(pledge).knowing(facts()).when(a_draft()).decided()
    assert isinstance(event, PledgeDrafted)
    return event


DRAFT = the_draft()
APPROVED = (DRAFT, PledgeSubmitted(pledge_id=PLEDGE), PledgeApproved(pledge_id=PLEDGE))
MADE = PledgeMade(**DRAFT.model_dump(exclude={"missing"}), channel="website")
HISTORY = (*APPROVED, MADE)
NOTE = "已答疑二十四次"


def a_report(item: int = 0, fulfilled: bool = True) -> ReportProgress:
    return ReportProgress(item=item, value=Decimal(24), fulfilled=fulfilled, note=NOTE)


def reported(item: int = 0, fulfilled: bool = True) -> PledgeProgressReported:
    return PledgeProgressReported(
        pledge_id=PLEDGE,
        unit_id=UNIT,
        item=item,
        quantity=0,
        value=Decimal(24),
        percent=None,
        fulfilled=fulfilled,
        evidence_sha256=None,
        scope="college",
        note=NOTE,
    )


def verified(item: int = 0) -> PledgeItemVerified:
    return PledgeItemVerified(
        pledge_id=PLEDGE, campaign_id=CAMPAIGN, unit_id=UNIT, pledger=DRAFT.pledger, phase="phase1", item=item
    )


def withdrawn(*items: int, excused: bool = False) -> PledgeWithdrawn:
    return PledgeWithdrawn(
        pledge_id=PLEDGE,
        campaign_id=CAMPAIGN,
        unit_id=UNIT,
        pledger=DRAFT.pledger,
        phase="phase1",
        items=items,
        excused=excused,
        scope="college",
        reason="答疑场所停用",
    )


def withdraw(*items: int, excused: bool = False) -> WithdrawPledge:
    return WithdrawPledge(items=items or None, excused=excused, reason="答疑场所停用")


def test_a_pledge_made_takes_the_one_place_its_pledger_has_in_the_phase() -> None:
    """R-28"""
    taken = PledgePlaceTaken(place_id=PLACE, pledge_id=PLEDGE)
    given(pledge, *APPROVED).knowing(facts(place=Place(PLACE))).when(MakePledge(channel="website")).then(MADE, taken)
    assert pledge.stream_for(taken, "pledge/own") == f"pledge_place/{PLACE}"
    assert pledge.stream_for(MADE, "pledge/own") == "pledge/own"


@pytest.mark.parametrize("step", ["draft", "submit", "make"])
def test_a_pledger_has_one_pledge_in_a_phase(step: str) -> None:
    """R-28"""
    history, command = {
        "draft": ((), a_draft()),
        "submit": ((DRAFT,), SubmitPledge()),
        "make": (APPROVED, MakePledge(channel="website")),
    }[step]
    full = facts(place=Place(PLACE, SECOND))
    given(pledge, *history).knowing(full).when(command).refused("pledge.one_a_phase", "pledger.id")  # type: ignore[arg-type]


def test_progress_is_told_by_one_indicator_or_by_a_percentage() -> None:
    """R-31"""
    at_home = given(pledge, *HISTORY).knowing(facts())
    at_home.when(a_report(1, fulfilled=False)).then(reported(1, fulfilled=False))
    by_half = reported().model_copy(update={"quantity": None, "value": None, "percent": 50, "fulfilled": False})
    at_home.when(ReportProgress(item=0, percent=50, note=NOTE)).then(by_half)
    both = ReportProgress(item=0, percent=50, value=Decimal(1), note=NOTE)
    for neither in (both, ReportProgress(item=0, note=NOTE)):
        at_home.when(neither).refused("pledge.progress_measure", "value")
    at_home.when(ReportProgress(item=0, quantity=1, value=Decimal(1), note=NOTE)).refused(
        "pledge.quantity_unknown", "quantity"
    )
    at_home.when(a_report(2)).refused("pledge.item_unknown", "item")
    given(pledge, *APPROVED).knowing(facts()).when(a_report()).refused("pledge.not_made")
    given(pledge).knowing(facts()).when(a_report()).refused("pledge.unknown", "pledge_id")


def test_only_what_was_declared_is_verified_and_only_once() -> None:
    """R-31"""
    given(pledge, *HISTORY, reported(fulfilled=False)).knowing(facts()).when(VerifyItem(item=0)).refused(
        "pledge.item_not_declared", "item"
    )
    given(pledge, *HISTORY, reported()).knowing(facts()).when(VerifyItem(item=0)).then(verified())
    done = given(pledge, *HISTORY, reported(), verified()).knowing(facts())
    for command in (VerifyItem(item=0), a_report()):
        done.when(command).refused("pledge.item_settled", "item")


def test_nobody_verifies_their_own() -> None:
    """R-31, R-58"""
    given(pledge, *HISTORY, reported()).knowing(facts(actor=MEMBER)).when(VerifyItem(item=0)).refused(
        "pledge.own_approval", "Acting-As"
    )
    of_the_unit = (DRAFT.model_copy(update={"pledger": Pledger(kind="unit", id=UNIT)}), *HISTORY[1:])
    given(pledge, *of_the_unit, reported()).knowing(facts()).when(VerifyItem(item=0)).refused(
        "pledge.own_approval", "Acting-As"
    )


def test_what_is_not_verified_can_be_withdrawn_item_by_item_or_whole() -> None:
    """R-31"""
    at_home = given(pledge, *HISTORY).knowing(facts())
    at_home.when(withdraw(1)).then(withdrawn(1))
    at_home.when(withdraw()).then(withdrawn(0, 1))
    at_home.when(withdraw(1, 1)).refused("pledge.item_repeated", "items[1]")
    at_home.when(withdraw(5)).refused("pledge.item_unknown", "items[0]")
    half = given(pledge, *HISTORY, reported(), verified()).knowing(facts())
    half.when(withdraw(0)).refused("pledge.item_settled", "items[0]")
    half.when(withdraw()).then(withdrawn(1))
    given(pledge, *HISTORY, withdrawn(0, 1)).knowing(facts()).when(withdraw()).refused("pledge.item_settled", "items")
    given(pledge, *HISTORY, withdrawn(1)).knowing(facts()).when(a_report(1)).refused("pledge.item_settled", "item")


def test_nobody_excuses_themselves() -> None:
    """R-31, C5"""
    member = given(pledge, *HISTORY).knowing(facts(actor=MEMBER))
    member.when(withdraw(1, excused=True)).refused("pledge.own_excuse", "excused")
    member.when(withdraw(1)).then(withdrawn(1))
    given(pledge, *HISTORY).knowing(facts()).when(withdraw(1, excused=True)).then(withdrawn(1, excused=True))
