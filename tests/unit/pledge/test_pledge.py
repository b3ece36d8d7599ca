"""The rules of a pledge."""

from dataclasses import replace
from datetime import date

import pytest

from avow.contracts.pledge import PledgeMade, Pledger
from avow.programme import load
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.item import Item
from avow_pledge.domain.pledge import (
    ApprovePledge,
    DraftPledge,
    MakePledge,
    PledgeApproved,
    PledgeDrafted,
    PledgeFacts,
    PledgeReturned,
    PledgeSubmitted,
    ReturnPledge,
    SubmitPledge,
    pledge,
)
from tests.kit.given import given
from tests.unit.pledge.builders import (
    CAMPAIGN,
    MEMBER,
    MOMENT,
    OTHER_UNIT,
    PLEDGE,
    SECRETARY,
    UNIT,
    a_running_campaign,
    an_item,
)


def a_draft(*items: Item, scope: str = "college") -> DraftPledge:
    return DraftPledge(
        campaign_id=CAMPAIGN,
        unit_id=UNIT,
        pledger=Pledger(kind="member", id=MEMBER),
        scope=scope,
        items=items or (an_item(),),
    )


def facts(**changes: object) -> PledgeFacts:
    known = PledgeFacts(
        occurred_at=MOMENT,
        actor=SECRETARY,
        pledge_id=PLEDGE,
        campaign=a_running_campaign(),
        member_of={MEMBER: {UNIT}, SECRETARY: {UNIT}},
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def drafted(*items: Item) -> PledgeDrafted:
    (event,) = given(pledge).knowing(facts()).when(a_draft(*items)).decided()
    assert isinstance(event, PledgeDrafted)
    return event


SUBMITTED = PledgeSubmitted(pledge_id=PLEDGE)
APPROVED = PledgeApproved(pledge_id=PLEDGE)


@pytest.mark.parametrize(
    ("missing", "empty"),
    [
        ("qualitative_indicators", ()),
        ("quantitative_indicators", ()),
        ("milestones", ()),
        ("accountable_person_id", None),
    ],
)
def test_a_pledge_with_one_of_the_four_fields_missing_is_refused_and_says_which(missing: str, empty: object) -> None:
    """R-26"""
    draft = drafted(an_item(), an_item(**{missing: empty}))
    given(pledge, draft).knowing(facts()).when(SubmitPledge()).refused("pledge.item_incomplete", f"items[1].{missing}")
    given(pledge, draft, SUBMITTED, APPROVED).knowing(facts()).when(MakePledge(channel="website")).refused(
        "pledge.item_incomplete", f"items[1].{missing}"
    )


def test_a_milestone_outside_the_campaign_is_refused() -> None:
    """R-26"""
    draft = drafted(an_item(milestones=(date(2010, 12, 31), date(2010, 5, 31))))
    given(pledge, draft).knowing(facts()).when(SubmitPledge()).refused(
        "pledge.milestone_outside_campaign", "items[0].milestones[1]"
    )


def test_whoever_answers_for_an_item_must_be_a_member_of_the_unit_that_day() -> None:
    """R-26"""
    draft = drafted(an_item(), an_item(accountable_person_id=SECRETARY))
    elsewhere = facts(member_of={MEMBER: {UNIT}, SECRETARY: {OTHER_UNIT}})
    given(pledge, draft).knowing(elsewhere).when(SubmitPledge()).refused(
        "pledge.accountable_not_member", "items[1].accountable_person_id"
    )
    given(pledge, draft, SUBMITTED, APPROVED).knowing(elsewhere).when(MakePledge(channel="website")).refused(
        "pledge.accountable_not_member", "items[1].accountable_person_id"
    )


def test_an_approved_pledge_is_made_within_its_scope_and_keeps_its_wording() -> None:
    """R-29"""
    draft = drafted()
    (made,) = given(pledge, draft, SUBMITTED, APPROVED).knowing(facts()).when(MakePledge(channel="website")).decided()
    assert isinstance(made, PledgeMade)
    assert (made.scope, made.channel, made.phase) == ("college", "website", "phase1")
    assert made.wording == draft.wording
    assert made.items == draft.items


def test_a_pledge_once_made_is_frozen() -> None:
    """R-29"""
    draft = drafted()
    (made,) = given(pledge, draft, SUBMITTED, APPROVED).knowing(facts()).when(MakePledge(channel="website")).decided()
    history = (draft, SUBMITTED, APPROVED, made)
    given(pledge, *history).knowing(facts()).when(a_draft()).refused("pledge.frozen")
    given(pledge, *history).knowing(facts()).when(MakePledge(channel="website")).refused("pledge.frozen")


def test_a_pledge_is_made_only_once_approved() -> None:
    given(pledge, drafted(), SUBMITTED).knowing(facts()).when(MakePledge(channel="website")).refused(
        "pledge.not_approved"
    )


def test_nobody_approves_or_returns_their_own_pledge() -> None:
    """R-58"""
    for command in (ApprovePledge(), ReturnPledge(reason="请写明时间节点")):
        given(pledge, drafted(), SUBMITTED).knowing(facts(actor=MEMBER)).when(command).refused(
            "pledge.own_approval", "Acting-As"
        )
    given(pledge, drafted(), SUBMITTED).knowing(facts()).when(ApprovePledge()).then(APPROVED)


def test_a_units_pledge_counts_as_its_secretarys_own() -> None:
    """R-58"""
    of_the_unit = drafted().model_copy(update={"pledger": Pledger(kind="unit", id=UNIT)})
    for command in (ApprovePledge(), ReturnPledge(reason="请写明时间节点")):
        given(pledge, of_the_unit, SUBMITTED).knowing(facts(is_secretary=True)).when(command).refused(
            "pledge.own_approval", "Acting-As"
        )
    given(pledge, of_the_unit, SUBMITTED).knowing(facts(is_secretary=False)).when(ApprovePledge()).then(APPROVED)
    given(pledge, drafted(), SUBMITTED).knowing(facts(is_secretary=True)).when(ApprovePledge()).then(APPROVED)


def test_a_returned_pledge_is_drafted_anew() -> None:
    returned = PledgeReturned(pledge_id=PLEDGE, unit_id=UNIT, reason="请写明时间节点")
    given(pledge, drafted(), SUBMITTED).knowing(facts()).when(ReturnPledge(reason="请写明时间节点")).then(returned)
    given(pledge, drafted(), SUBMITTED, returned).knowing(facts()).when(a_draft(an_item())).then(drafted())


def test_an_approved_pledge_that_can_no_longer_be_made_is_returned() -> None:
    returned = PledgeReturned(pledge_id=PLEDGE, unit_id=UNIT, reason="责任人已调离")
    given(pledge, drafted(), SUBMITTED, APPROVED).knowing(facts()).when(ReturnPledge(reason="责任人已调离")).then(
        returned
    )
    given(pledge, drafted(), SUBMITTED, APPROVED, returned).knowing(facts()).when(SubmitPledge()).refused(
        "pledge.not_drafted"
    )


def test_a_member_pledges_in_the_unit_they_are_a_member_of() -> None:
    """R-28"""
    elsewhere = facts(member_of={MEMBER: {OTHER_UNIT}})
    given(pledge).knowing(elsewhere).when(a_draft()).refused("pledge.pledger_not_member", "pledger.id")
    given(pledge, drafted()).knowing(elsewhere).when(SubmitPledge()).refused("pledge.pledger_not_member", "pledger.id")


def test_a_unit_pledges_for_itself() -> None:
    """R-28"""
    items = tuple([an_item(criterion="good.members")] * 10)
    of_another, of_its_own = (
        a_draft(*items).model_copy(update={"pledger": Pledger(kind="unit", id=id)}) for id in (OTHER_UNIT, UNIT)
    )
    given(pledge).knowing(facts()).when(of_another).refused("pledge.pledger_not_unit", "pledger.id")
    (event,) = given(pledge).knowing(facts()).when(of_its_own).decided()
    assert isinstance(event, PledgeDrafted)
    assert event.pledger == Pledger(kind="unit", id=UNIT)


@pytest.mark.parametrize(
    ("name", "value"),
    [("campaign_id", OTHER_UNIT), ("unit_id", OTHER_UNIT), ("pledger", Pledger(kind="member", id=SECRETARY))],
)
def test_a_pledge_drafted_anew_stays_the_same_pledgers(name: str, value: object) -> None:
    changed = a_draft().model_copy(update={name: value})
    given(pledge, drafted()).knowing(facts()).when(changed).refused("pledge.another", name)


def test_a_programme_may_ask_for_less() -> None:
    """R-75"""
    programme = load("teaching-excellence")
    elsewhere = RunningCampaign(CAMPAIGN, programme, programme.starts_on, programme.ends_on, date(2025, 10, 8))
    bare = an_item(
        criterion="teaching.clarity",
        aims=("aim.learning",),
        qualitative_indicators=(),
        milestones=(date(2025, 12, 31),),
        accountable_person_id=None,
    )
    known = facts(campaign=elsewhere)
    (draft,) = given(pledge).knowing(known).when(a_draft(bare, scope="department")).decided()
    given(pledge, draft).knowing(known).when(SubmitPledge()).then(SUBMITTED)


def test_a_member_pledges_one_to_five_items() -> None:
    """R-28"""
    given(pledge).knowing(facts()).when(a_draft(*[an_item()] * 6)).refused("pledge.item_count", "items")


def test_a_key_the_programme_does_not_define_is_refused_where_it_stands() -> None:
    given(pledge).knowing(facts()).when(a_draft(scope="moon")).refused("programme.unknown_key", "scope")
    given(pledge).knowing(facts()).when(a_draft(an_item(criterion="good.members"))).refused(
        "programme.unknown_key", "items[0].criterion"
    )
    given(pledge, drafted(), SUBMITTED, APPROVED).knowing(facts()).when(MakePledge(channel="moon")).refused(
        "programme.unknown_key", "channel"
    )


def test_a_pledge_after_the_last_phase_is_lawful_and_counts_for_none() -> None:
    """R-19"""
    late = facts(campaign=a_running_campaign(today=date(2012, 8, 31)))
    (event,) = given(pledge).knowing(late).when(a_draft()).decided()
    assert isinstance(event, PledgeDrafted)
    assert event.phase is None


def test_a_pledge_nobody_wrote_is_unknown() -> None:
    given(pledge).knowing(facts()).when(SubmitPledge()).refused("pledge.unknown", "pledge_id")


def test_a_pledge_outside_the_campaign_is_refused() -> None:
    """R-01"""
    before = facts(campaign=a_running_campaign(today=date(2010, 5, 31)))
    given(pledge).knowing(before).when(a_draft()).refused("pledge.outside_campaign", "occurred_at")
    given(pledge, drafted(), SUBMITTED, APPROVED).knowing(before).when(MakePledge(channel="website")).refused(
        "pledge.outside_campaign", "occurred_at"
    )
