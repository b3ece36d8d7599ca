"""What several decisions ask of the register: the campaign as it stood when a matter happened."""

from datetime import datetime
from zoneinfo import ZoneInfo

from avow.register.reading import RegisterReader
from avow_pledge.domain.campaign import RunningCampaign


def running_campaign(reader: RegisterReader, campaign_id: str, moment: datetime) -> RunningCampaign:
    """An approved campaign on the day that `moment` falls on in its time zone; refuses an unknown one."""
    found = reader.campaign(campaign_id)
    return RunningCampaign(
        campaign_id=campaign_id,
        programme=found.programme,
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        today=moment.astimezone(ZoneInfo(found.programme.time_zone)).date(),
    )
