"""What a meeting's decisions may know (R-33, R-36).

A meeting is its unit's secretary's to record. A comment is its commentator's, who is of the leading group now. The
office may record either, a comment on its commentator's behalf. Whoever is commented on belongs to the unit at the
moment of the comment.
"""

from sqlalchemy import Connection

from avow.eventlog.execute import Asked, Grounds
from avow.kernel.refusal import Refusal
from avow.register.reading import SECRETARY, RegisterReader
from avow_pledge.domain.meeting import HoldMeeting, Meeting, MeetingCommand, MeetingFacts, RecordComment
from avow_pledge.facts.standing import running_campaign


def meeting_facts(connection: Connection, asked: Asked[MeetingCommand, Meeting]) -> Grounds[MeetingFacts]:
    """The campaign, and where the chair or the commentator belongs."""
    reader = RegisterReader(connection, asked.org, asked.recall)
    match asked.command:
        case HoldMeeting() as command:
            return _of_the_meeting(reader, asked, command)
        case RecordComment() as command:
            return _of_the_comment(reader, asked, command)


def _of_the_meeting(
    reader: RegisterReader, asked: Asked[MeetingCommand, Meeting], command: HoldMeeting
) -> Grounds[MeetingFacts]:
    reader.require_secretary(asked.actor, asked.now, command.unit_id)
    reader.unit_then(command.unit_id, asked.occurred_at)
    reader.person(command.chair_id, "chair_id")
    return _grounds(reader, asked, command.campaign_id, command.chair_id)


def _of_the_comment(
    reader: RegisterReader, asked: Asked[MeetingCommand, Meeting], command: RecordComment
) -> Grounds[MeetingFacts]:
    reader.require_actor(asked.actor)
    held = asked.state.held
    if held is None:
        raise Refusal("meeting.unknown", "meeting_id")
    commentator = command.commentator_id or asked.actor
    if commentator is None:
        raise Refusal("comment.commentator_missing", "commentator_id")
    if commentator == asked.actor:
        programme = reader.campaign(held.campaign_id).programme
        reader.require_role(asked.actor, asked.now, programme.leading_group_roles)
    else:
        reader.require_office(asked.actor, asked.now)
        reader.person(commentator, "commentator_id")
    reader.rests_on_role(held.unit_id, SECRETARY)
    person_id = command.person_id
    if person_id is not None:
        reader.person(person_id)
    is_member = person_id is not None and held.unit_id in reader.units_of(person_id, asked.occurred_at)
    return _grounds(reader, asked, held.campaign_id, commentator, is_member)


def _grounds(
    reader: RegisterReader,
    asked: Asked[MeetingCommand, Meeting],
    campaign_id: str,
    person_id: str,
    is_person_member: bool = False,
) -> Grounds[MeetingFacts]:
    facts = MeetingFacts(
        occurred_at=asked.occurred_at,
        actor=asked.actor,
        meeting_id=asked.identity,
        campaign=running_campaign(reader, campaign_id, asked.occurred_at),
        member_of=reader.units_of(person_id, asked.occurred_at).keys(),
        roles=reader.roles_of(person_id, asked.occurred_at),
        is_person_member=is_person_member,
    )
    return Grounds(facts, reader.expect, guarded=True)
