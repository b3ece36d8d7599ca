"""The catalogue: every public event by the service that says it, and its JSON Schema.

Promises: a contract changes only by addition, or by a new schema with an upcaster; each (type, schema) keeps a golden
file under tests/contract/golden, and tests/contract/test_contracts.py fails when one can no longer be read.
"""

from collections.abc import Mapping

from pydantic.json_schema import JsonSchemaValue

from avow.contracts import words
from avow.contracts.book import BookOpened
from avow.contracts.campaign import CampaignApproved
from avow.contracts.ending import Ending
from avow.contracts.meeting import CommentRecorded, MeetingHeld
from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived
from avow.contracts.organisation import (
    MemberEnrolled,
    MemberLeft,
    PersonErased,
    PersonRegistered,
    RoleAppointed,
    RoleEnded,
    UnitMerged,
    UnitRegistered,
)
from avow.contracts.pledge import PledgeItemVerified, PledgeMade, PledgeWithdrawn
from avow.contracts.review import (
    ElectorateFrozen,
    ReviewRoundAnnounced,
    ReviewRoundClosed,
    ReviewRoundOpened,
    ReviewSubmitted,
    ReviewTallied,
)
from avow.contracts.scoring import ScoringRulesPublished
from avow.contracts.work_plan import WorkPlanAdopted
from avow.kernel.message import Event, PublicEvent
from avow.kernel.seal import SealedUnder, sealed_fields

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SEAL = {"$ref": "#/$defs/Seal"}
_ORDER = ("title", "description", "type", "properties", "required", "$defs")

PUBLIC_EVENTS: Mapping[str, tuple[type[PublicEvent], ...]] = {
    "pledge": (
        BookOpened,
        CampaignApproved,
        UnitRegistered,
        UnitMerged,
        PersonRegistered,
        PersonErased,
        MemberEnrolled,
        MemberLeft,
        RoleAppointed,
        RoleEnded,
        PledgeMade,
        PledgeItemVerified,
        PledgeWithdrawn,
        WorkPlanAdopted,
        MeetingHeld,
        CommentRecorded,
        ObligationAssessed,
        ObligationReassessed,
        ObligationWaived,
    ),
    "evaluation": (
        BookOpened,
        ReviewRoundAnnounced,
        ElectorateFrozen,
        ReviewRoundOpened,
        ReviewSubmitted,
        ReviewRoundClosed,
        ReviewTallied,
        ScoringRulesPublished,
    ),
}


ENDING: Mapping[type[PublicEvent], Ending] = {}
"""The types whose current schema is going to end, and when; announced here before anything changes."""


def every_public_event() -> tuple[type[PublicEvent], ...]:
    """Each public event type once, in the order of the catalogue."""
    return tuple(dict.fromkeys(event for events in PUBLIC_EVENTS.values() for event in events))


def json_schema(event: type[Event]) -> JsonSchemaValue:
    """The JSON Schema (draft 2020-12) of an event's data as it stands in the log and, if it is public, travels.

    A sealed field is never required, for it stands there only where its scope is everybody; what was added later is
    not required either, for older events lack it; and what is not named here may be there all the same.
    """
    schema = event.model_json_schema()
    for name, mark in sealed_fields(event).items():
        plain = [kind for kind in schema["properties"][name].pop("anyOf") if kind != _SEAL]
        schema["properties"][name] |= plain[0] if len(plain) == 1 else {"anyOf": plain}
        schema["properties"][name]["description"] = _seal_said(mark)
        schema["required"].remove(name)
    schema.get("$defs", {}).pop("Seal", None)
    for owner, part in ((event.type, schema), *schema.get("$defs", {}).items()):
        part.pop("additionalProperties", None)
        if event.public:
            _explain(owner, part)
    if said := words.of_event(event):
        schema["description"] = f"{said.en}\n\n{said.zh}"
    identity = {"$schema": _DRAFT, "$id": f"avow.{event.type}.v{event.schema_version}"}
    return identity | {key: schema[key] for key in _ORDER if schema.get(key)}


def _explain(owner: str, part: JsonSchemaValue) -> None:
    """Say of each field what it means."""
    for name, field in part.get("properties", {}).items():
        said = words.of_field(owner, name)
        described = [text for text in (said and str(said), field.get("description")) if text]
        if described:
            field["description"] = "\n".join(described)


def _seal_said(mark: SealedUnder) -> str:
    """That a field is sealed, under which key, and when it is there all the same."""
    unless, except_ = (" unless the scope is public", "，范围为公开时除外") if mark.has_scope else ("", "")
    key = f"`{mark.template}`"
    return f"Sealed under the key of {key}: absent{unless}. / 以 {key} 的密钥加封，不在其中{except_}。"
