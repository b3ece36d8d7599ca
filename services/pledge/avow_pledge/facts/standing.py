"""What several decisions ask of the register: how things stood when a matter happened."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from avow.kernel.refusal import require
from avow.register.projection import Register, roles
from avow.register.reading import SECRETARY, RegisterReader, Unit
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


def unit_then(reader: RegisterReader, unit_id: str, moment: datetime, at: str = "unit_id") -> Unit:
    """A unit that was there at `moment`; refuses an unknown one, and one that is younger."""
    unit = reader.unit(unit_id, at)
    require(unit.since <= moment, "unit.not_yet", at)
    return unit


def is_secretary_from(reader: RegisterReader, unit_id: str, person_id: str, moment: datetime) -> bool:
    """Whether a person is the unit's secretary at `moment` or at any time after it."""
    sql = roles.sql(Register.version)
    of_the_role = select(sql).where(sql.c.org == reader.org, sql.c.unit_id == unit_id, sql.c.role == SECRETARY)
    rows = reader.connection.execute(of_the_role).all()
    # That somebody does not hold a role rests on the role's stream too.
    reader.expect[f"role/{unit_id}/{SECRETARY}"] = max((row.version for row in rows), default=0)
    return any(row.person_id == person_id and (row.until is None or row.until > moment) for row in rows)
