"""What the rounds of obligations may know: to assess and to waive is the office's (R-33).

Limit: who belongs to which unit and what is on record is read once the register and the records have taken in the log;
what is entered at that very moment is found when the office asks again.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from avow.contracts.obligation import Owner
from avow.eventlog.execute import Asked, Grounds
from avow.kernel.refusal import Refusal
from avow.programme.cadence import Obligation
from avow.programme.choice import choose
from avow.register.reading import RegisterReader
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.obligation import Round, RoundCommand, RoundFacts, WaiveObligation
from avow_pledge.domain.obligation.evidence import Record
from avow_pledge.domain.obligation.owners import Owing, Span
from avow_pledge.facts.standing import running_campaign
from avow_pledge.projections.obligation_calendar import ObligationCalendar, evidence


def obligation_facts(connection: Connection, asked: Asked[RoundCommand, Round]) -> Grounds[RoundFacts]:
    """The campaign; to assess, also whoever may owe the obligation and what is on record of them."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    reader.require_office(asked.actor, asked.now)
    command = asked.command
    if isinstance(command, WaiveObligation):
        assessed = asked.state.assessed.get(command.obligation_id)
        if assessed is None:
            raise Refusal("obligation.unknown", "obligation_id")
        campaign = running_campaign(reader, assessed.campaign_id, asked.occurred_at)
        return Grounds(_facts(asked, campaign), reader.expect)
    campaign = running_campaign(reader, command.campaign_id, asked.occurred_at)
    obligation = choose(campaign.programme.obligation, command.obligation, "obligation")
    zone = ZoneInfo(campaign.programme.time_zone)
    records = _records(connection, asked, command.campaign_id, obligation, zone)
    facts = replace(_facts(asked, campaign), owing=_owing(reader, obligation, zone), records=records)
    return Grounds(facts, reader.expect)


def _facts(asked: Asked[RoundCommand, Round], campaign: RunningCampaign) -> RoundFacts:
    return RoundFacts(occurred_at=asked.occurred_at, actor=asked.actor, campaign=campaign)


def _owing(reader: RegisterReader, obligation: Obligation, zone: ZoneInfo) -> list[Owing]:
    """The units of the kinds that owe it, or every member, with the days they stood or were members."""
    owing = [
        Owing(Owner(kind="unit", id=unit.unit_id), (_span(unit.unit_id, unit.since, unit.until, zone),))
        for unit in reader.every_unit(obligation.owner.units)
    ]
    if obligation.owner.members:
        for person_id, memberships in groupby(reader.every_membership(), key=lambda each: each.person_id):
            spans = tuple(_span(each.unit_id, each.since, each.until, zone) for each in memberships)
            owing.append(Owing(Owner(kind="member", id=person_id), spans))
    return owing


def _span(unit_id: str, since: datetime, until: datetime | None, zone: ZoneInfo) -> Span:
    return Span(unit_id, _day(since, zone), None if until is None else _day(until, zone))


def _records(
    connection: Connection, asked: Asked[RoundCommand, Round], campaign_id: str, obligation: Obligation, zone: ZoneInfo
) -> dict[str, list[Record]]:
    """What is on record of each owner, the unit's own and each member's, and had happened when it is assessed."""
    sql = evidence.sql(ObligationCalendar.version)
    types = {entry.event for entry in obligation.satisfied_by}
    query = select(sql).where(sql.c.org == asked.org, sql.c.campaign_id == campaign_id, sql.c.type.in_(sorted(types)))
    query = query.where(sql.c.at <= asked.occurred_at)
    found: dict[str, list[Record]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.member_id or row.unit_id].append(
            Record(
                event_id=row.event_id,
                type=row.type,
                at=row.at,
                day=_day(row.at, zone),
                unit_id=row.unit_id,
                member_id=row.member_id,
                meeting_id=row.meeting_id,
                kind=row.kind,
                agenda=tuple(row.agenda),
                phase=row.phase,
            )
        )
    return found


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
