"""What a pledge's decisions may know (R-26, R-28).

A member's pledge is the member's own to write and to make, and their secretary's; a unit's is its secretary's. To
approve and to return one is the secretary's, a unit's the office's. The office may do all of it.
"""

from sqlalchemy import Connection

from avow.eventlog.execute import Asked, Grounds
from avow.kernel.refusal import Refusal, require
from avow.register.reading import RegisterReader
from avow_pledge.domain.pledge import (
    ApprovePledge,
    DraftPledge,
    Pledge,
    PledgeCommand,
    PledgeDrafted,
    PledgeFacts,
    ReturnPledge,
)
from avow_pledge.facts.standing import running_campaign


def pledge_facts(connection: Connection, asked: Asked[PledgeCommand, Pledge]) -> Grounds[PledgeFacts]:
    """The campaign, and where the pledger and whoever answers for an item are members."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    about = asked.command if isinstance(asked.command, DraftPledge) else asked.state.draft
    reader.require_actor(asked.actor)
    if about is None:
        raise Refusal("pledge.unknown", "pledge_id")
    vetting = isinstance(asked.command, ApprovePledge | ReturnPledge)
    if vetting or not _is_own(about, asked.actor):
        reader.require_secretary(asked.actor, asked.now, about.unit_id)
    if vetting:
        # A right held now does not reach back: whoever vetted then was secretary then.
        reader.require_secretary(asked.actor, asked.occurred_at, about.unit_id)
    reader.unit_then(about.unit_id, asked.occurred_at)
    people = set() if vetting else _people(about)
    facts = PledgeFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        pledge_id=asked.identity,
        campaign=running_campaign(reader, about.campaign_id, asked.occurred_at),
        is_secretary=vetting and _is_secretary(reader, about.unit_id, asked),
        member_of={person_id: reader.units_of(person_id, asked.occurred_at).keys() for person_id in people},
    )
    return Grounds(facts, reader.expect, guarded=True)


def pledge_redraft_facts(connection: Connection, asked: Asked[PledgeCommand, Pledge]) -> Grounds[PledgeFacts]:
    """The same, for a pledge that was drafted before."""
    grounds = pledge_facts(connection, asked)
    require(asked.state.draft is not None, "pledge.unknown", "pledge_id")
    return grounds


def _is_own(about: DraftPledge | PledgeDrafted, actor: str | None) -> bool:
    return about.pledger.kind == "member" and about.pledger.id == actor


def _is_secretary(reader: RegisterReader, unit_id: str, asked: Asked[PledgeCommand, Pledge]) -> bool:
    return asked.actor is not None and reader.is_secretary_from(asked.actor, asked.now, unit_id)


def _people(about: DraftPledge | PledgeDrafted) -> set[str]:
    """Whose membership the pledge rests on."""
    answerable = {item.accountable_person_id for item in about.items if item.accountable_person_id is not None}
    return answerable | ({about.pledger.id} if about.pledger.kind == "member" else set())
