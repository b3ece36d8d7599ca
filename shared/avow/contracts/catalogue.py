"""The catalogue: every public event by the service that says it, and its JSON Schema.

Promises: a contract changes only by addition; each (type, schema) keeps a golden file under tests/contract/golden,
and tests/contract/test_contracts.py fails when one no longer fits.
"""

from collections.abc import Mapping

from pydantic.json_schema import JsonSchemaValue

from avow.contracts.book import BookOpened
from avow.contracts.campaign import CampaignApproved
from avow.contracts.meeting import CommentRecorded, MeetingHeld
from avow.contracts.organisation import (
    MemberEnrolled,
    MemberLeft,
    PersonRegistered,
    RoleAppointed,
    RoleEnded,
    UnitRegistered,
)
from avow.contracts.pledge import PledgeMade
from avow.contracts.review import (
    ElectorateFrozen,
    ReviewRoundAnnounced,
    ReviewRoundClosed,
    ReviewRoundOpened,
    ReviewSubmitted,
    ReviewTallied,
)
from avow.kernel.message import PublicEvent

PUBLIC_EVENTS: Mapping[str, tuple[type[PublicEvent], ...]] = {
    "pledge": (
        BookOpened,
        CampaignApproved,
        UnitRegistered,
        PersonRegistered,
        MemberEnrolled,
        MemberLeft,
        RoleAppointed,
        RoleEnded,
        PledgeMade,
        MeetingHeld,
        CommentRecorded,
    ),
    "evaluation": (
        BookOpened,
        ReviewRoundAnnounced,
        ElectorateFrozen,
        ReviewRoundOpened,
        ReviewSubmitted,
        ReviewRoundClosed,
        ReviewTallied,
    ),
}


def every_public_event() -> tuple[type[PublicEvent], ...]:
    """Each public event type once, in the order of the catalogue."""
    return tuple(dict.fromkeys(event for events in PUBLIC_EVENTS.values() for event in events))


def json_schema(event: type[PublicEvent]) -> JsonSchemaValue:
    """The JSON Schema (draft 2020-12) of an event's data as it stands in the log; a sealed field is absent there."""
    schema = event.model_json_schema(mode="serialization")
    schema["$id"] = f"avow.{event.type}.v{event.schema_version}"
    return schema
