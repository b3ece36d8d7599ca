"""What the service does of itself: assess every obligation whose days of grace are over (R-33).

Promises: each round is assessed once, whichever process does it and however often. One that cannot be holds no other
up, and ends among the dead letters (avow.service.reactions).
Limit: on a simulated clock nothing happens of itself; whoever sets the clock asks. What a late entry changes is said
when the office asks again.
"""

from functools import partial
from uuid import UUID

from sqlalchemy import Connection, select

from avow.eventlog import reading
from avow.eventlog.execute import Origin
from avow.register.projection import Register, campaigns
from avow.service.service import Service
from avow_pledge.domain.obligation import AssessObligations, obligation_round
from avow_pledge.facts import obligation_facts
from avow_pledge.reading.obligations import round_entries


async def assess_ripe_rounds(service: Service) -> None:
    """Assess what is ripe, in every campaign of every organisation."""
    now = service.ports.clock.now()
    for org in await service.database.read(reading.organisations):
        for campaign_id in await service.database.read(partial(_campaigns, org=org)):
            rounds = await service.database.read(partial(round_entries, org=org, campaign_id=campaign_id, now=now))
            for entry in rounds:
                if entry.ripe:
                    command = AssessObligations(
                        campaign_id=campaign_id, obligation=entry.obligation, starts_on=entry.starts_on
                    )
                    await _assess(service, org, entry.round_id, command)


async def _assess(service: Service, org: str, round_id: str, command: AssessObligations) -> None:
    cause = UUID(round_id)
    origin = Origin(org=org, route="reaction/assess-obligations", retry_key=round_id, fingerprint=cause)
    assess = partial(service.executor.execute, obligation_round, round_id, command, obligation_facts, origin)
    await service.reactions.carry_out("assess-obligations", org, cause, assess)


def _campaigns(connection: Connection, org: str) -> list[str]:
    sql = campaigns.sql(Register.version)
    return list(connection.scalars(select(sql.c.campaign_id).where(sql.c.org == org).order_by(sql.c.campaign_id)))
