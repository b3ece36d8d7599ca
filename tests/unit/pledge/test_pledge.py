"""The rules of a pledge."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from avow_pledge.domain.pledge import (
    ApprovePledge,
    DraftPledge,
    Indicator,
    Item,
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

from avow.contracts.pledge import PledgeMade, Pledger
from avow.programme import load
from tests.kit.given import given

PLEDGE, CAMPAIGN, UNIT, OTHER_UNIT, MEMBER, SECRETARY = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(6))


def an_item(**changes: object) -> Item:
    whole = Item(
        criterion="lead.service",
        aims=("aim.service",),
        goal="让新生少跑一趟",
        task="每周二晚为新生答疑",
        measure="与辅导员轮流值班",
        qualitative_indicators=("新生说得清楚去哪里办事",),
        quantitative_indicators=(
            Indicator(name="答疑次数", metric_unit="次", baseline=Decimal(0), target=Decimal(24), direction="up"),
        ),
        milestones=(date(2010, 12, 31),),
        accountable_person_id=MEMBER,
    )
    return whole.model_copy(update=changes)


def a_draft(*items: Item, scope: str = "college") -> DraftPledge:
    return DraftPledge(
        campaign_id=CAMPAIGN,
        unit_id=UNIT,
        pledger=Pledger(kind="member", id=MEMBER),
        scope=scope,
        items=items or (an_item(),),
    )


def facts(**changes: object) -> PledgeFacts:
    programme = load("cxzy-2010")
    known = PledgeFacts(
        occurred_at=datetime(2010, 9, 1, tzinfo=UTC),
        actor=SECRETARY,
        pledge_id=PLEDGE,
        programme=programme,
        starts_on=programme.starts_on,
        ends_on=programme.ends_on,
        day=date(2010, 9, 1),
        member_of={MEMBER: frozenset({UNIT})},
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
    elsewhere = facts(member_of={MEMBER: frozenset({OTHER_UNIT})})
    given(pledge, drafted()).knowing(elsewhere).when(SubmitPledge()).refused(
        "pledge.accountable_not_member", "items[0].accountable_person_id"
    )


def test_an_approved_pledge_is_made_within_its_scope_and_keeps_its_wording() -> None:
    """R-29"""
    draft = drafted()
    (made,) = (
        given(pledge, draft, SUBMITTED, APPROVED).knowing(facts()).when(MakePledge(channel="website")).decided()
    )
    assert isinstance(made, PledgeMade)
    assert (made.scope, made.channel, made.phase) == ("college", "website", "phase1")
    assert made.wording == draft.wording
    assert made.items == draft.items


def test_a_pledge_once_made_is_frozen() -> None:
    """R-29"""
    draft = drafted()
    (made,) = (
        given(pledge, draft, SUBMITTED, APPROVED).knowing(facts()).when(MakePledge(channel="website")).decided()
    )
    history = (draft, SUBMITTED, APPROVED, made)
    given(pledge, *history).knowing(facts()).when(a_draft()).refused("pledge.frozen")
    given(pledge, *history).knowing(facts()).when(MakePledge(channel="website")).refused("pledge.frozen")


def test_a_pledge_is_made_only_once_approved() -> None:
    given(pledge, drafted(), SUBMITTED).knowing(facts()).when(MakePledge(channel="website")).refused(
        "pledge.not_approved"
    )


def test_nobody_approves_their_own_pledge() -> None:
    """R-58"""
    given(pledge, drafted(), SUBMITTED).knowing(facts(actor=MEMBER)).when(ApprovePledge()).refused(
        "pledge.own_approval", "Acting-As"
    )
    given(pledge, drafted(), SUBMITTED).knowing(facts()).when(ApprovePledge()).then(APPROVED)


def test_a_returned_pledge_is_drafted_anew() -> None:
    returned = PledgeReturned(pledge_id=PLEDGE, reason="请写明时间节点")
    given(pledge, drafted(), SUBMITTED).knowing(facts()).when(ReturnPledge(reason="请写明时间节点")).then(returned)
    given(pledge, drafted(), SUBMITTED, returned).knowing(facts()).when(a_draft(an_item())).then(drafted())


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


def test_a_pledge_outside_every_phase_is_refused() -> None:
    """R-19"""
    given(pledge).knowing(facts(day=date(2010, 5, 31))).when(a_draft()).refused("pledge.outside_phases", "occurred_at")


def test_a_pledge_nobody_wrote_is_unknown() -> None:
    given(pledge).knowing(facts()).when(SubmitPledge()).refused("pledge.unknown", "pledge_id")
