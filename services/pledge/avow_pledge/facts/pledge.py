"""What a pledge's decisions may know (R-26, R-28, R-31).

A member's pledge is the member's own to write, to make, to report on and to give up, and their secretary's; a unit's is
its secretary's. To approve, to return, to verify and to excuse is the secretary's, for a unit's own the office's. The
office may do all of it. Once the unit has gone into another one, that one's secretary answers for what was pledged.
"""

from datetime import datetime

from sqlalchemy import Connection

from avow.eventlog import reading
from avow.eventlog.execute import Asked, Grounds
from avow.eventlog.types import EventTypes
from avow.kernel.refusal import Refusal, require
from avow.register.reading import RegisterReader
from avow_pledge.domain.campaign import RunningCampaign
from avow_pledge.domain.pledge import (
    ApprovePledge,
    DraftPledge,
    MakePledge,
    Place,
    Pledge,
    PledgeCommand,
    PledgeDrafted,
    PledgeFacts,
    PledgePlaceTaken,
    ReportProgress,
    ReturnPledge,
    SubmitPledge,
    VerifyItem,
    WithdrawPledge,
    place_of,
    place_stream,
    pledge,
)
from avow_pledge.facts.standing import running_campaign

_TYPES = EventTypes((*pledge.events, PledgePlaceTaken))


def pledge_facts(connection: Connection, asked: Asked[PledgeCommand, Pledge]) -> Grounds[PledgeFacts]:
    """The campaign, and where the pledger and whoever answers for an item are members."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    about = asked.command if isinstance(asked.command, DraftPledge) else asked.state.draft
    reader.require_actor(asked.actor)
    if about is None:
        raise Refusal("pledge.unknown", "pledge_id")
    unit_id = _answering_unit(reader, about.unit_id, asked)
    vetting = _is_vetting(asked.command)
    if vetting or not _is_own(about, asked.actor):
        reader.require_secretary(asked.actor, asked.now, unit_id)
    if vetting:
        # A right held now does not reach back: whoever vetted then was secretary then.
        reader.require_secretary(asked.actor, asked.occurred_at, unit_id)
    campaign = running_campaign(reader, about.campaign_id, asked.occurred_at)
    facts = PledgeFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        pledge_id=asked.identity,
        campaign=campaign,
        is_secretary=vetting and _is_secretary(reader, unit_id, asked.actor, asked.now),
        member_of={
            person_id: reader.units_of(person_id, asked.occurred_at).keys()
            for person_id in _people(asked.command, about)
        },
        place=_place(reader, asked, about, campaign),
    )
    return Grounds(facts, reader.expect, guarded=True)


def pledge_redraft_facts(connection: Connection, asked: Asked[PledgeCommand, Pledge]) -> Grounds[PledgeFacts]:
    """The same, for a pledge that was drafted before."""
    grounds = pledge_facts(connection, asked)
    require(asked.state.draft is not None, "pledge.unknown", "pledge_id")
    return grounds


def _is_vetting(command: PledgeCommand) -> bool:
    """Whether somebody else than the pledger has to say so."""
    excusing = isinstance(command, WithdrawPledge) and command.excused
    return excusing or isinstance(command, ApprovePledge | ReturnPledge | VerifyItem)


def _is_own(about: DraftPledge | PledgeDrafted, actor: str | None) -> bool:
    return about.pledger.kind == "member" and about.pledger.id == actor


def _answering_unit(reader: RegisterReader, unit_id: str, asked: Asked[PledgeCommand, Pledge]) -> str:
    """The unit pledged in, which stands; once the pledge is made, whoever stands in its place."""
    if isinstance(asked.command, ReportProgress | VerifyItem | WithdrawPledge):
        return reader.heir(unit_id, asked.occurred_at).unit_id
    return reader.unit_then(unit_id, asked.occurred_at).unit_id


def _is_secretary(reader: RegisterReader, unit_id: str, actor: str | None, now: datetime) -> bool:
    return actor is not None and reader.is_secretary_from(actor, now, unit_id)


def _people(command: PledgeCommand, about: DraftPledge | PledgeDrafted) -> set[str]:
    """Whose membership the decision rests on."""
    if not isinstance(command, DraftPledge | SubmitPledge | MakePledge):
        return set()
    answerable = {item.accountable_person_id for item in about.items if item.accountable_person_id is not None}
    return answerable | ({about.pledger.id} if about.pledger.kind == "member" else set())


def _place(
    reader: RegisterReader,
    asked: Asked[PledgeCommand, Pledge],
    about: DraftPledge | PledgeDrafted,
    campaign: RunningCampaign,
) -> Place | None:
    """The pledger's place in the phase the pledge counts for, and the pledge that holds it."""
    if isinstance(about, DraftPledge):
        found = campaign.programme.phase_on(campaign.today)
        phase = None if found is None else found.key
    else:
        phase = about.phase
    if phase is None or not isinstance(asked.command, DraftPledge | SubmitPledge | MakePledge):
        return None
    place_id = place_of(about.campaign_id, phase, about.pledger)
    taken = reading.stream(reader.connection, asked.org, place_stream(place_id))
    reader.expect[place_stream(place_id)] = len(taken)
    if not taken:
        return Place(place_id)
    *_, last = _TYPES.decode_as((PledgePlaceTaken,), taken)
    stream = pledge.stream_of(last.pledge_id)
    steps = reading.stream(reader.connection, asked.org, stream)
    if last.pledge_id != asked.identity:
        reader.expect[stream] = len(steps)
    holds = pledge.fold(_TYPES.decode_as(pledge.events, steps)).holds_its_place
    return Place(place_id, last.pledge_id if holds else None)
