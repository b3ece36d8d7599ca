"""What the tests of the pledge service start from: identities, a moment, a campaign that runs, a pledge's items."""

from datetime import UTC, date, datetime
from decimal import Decimal

from avow.programme import load
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.item import Indicator, Item
from tests.kit.logs import identity

PLEDGE, CAMPAIGN, UNIT, OTHER_UNIT, MEMBER, SECRETARY, LEADER, MEETING = (identity(n) for n in range(8))
MOMENT = datetime(2010, 9, 1, 2, tzinfo=UTC)
LATER = datetime(2010, 9, 2, 2, tzinfo=UTC)


def a_running_campaign(today: date = date(2010, 9, 1), ends_on: date | None = None) -> RunningCampaign:
    programme = load("cxzy-2010")
    return RunningCampaign(CAMPAIGN, programme, programme.starts_on, ends_on, today)


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
