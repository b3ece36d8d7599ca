"""The register's tables and fold. Units, memberships and roles are intervals, `since` inclusive, `until` exclusive.

`version` is the version of the stream a row was last touched by: what a decision that rests on the row expects of it.
"""

from avow.contracts.campaign import CampaignApproved
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
from avow.eventlog.records import Recorded
from avow.projections.projection import (
    Projection,
    Row,
    day,
    document,
    key,
    moment,
    moment_key,
    number,
    on,
    sealed,
    table,
    text,
)

campaigns = table(
    "register_campaign",
    key("campaign_id"),
    text("template"),
    document("title"),
    day("starts_on"),
    day("ends_on"),
    document("programme"),
    number("version"),
)
units = table(
    "register_unit",
    key("unit_id"),
    text("name"),
    text("kind"),
    text("category"),
    text("parent_id"),
    moment("since"),
    moment("until"),
    text("merged_into"),
    number("version"),
)
people = table(
    "register_person", key("person_id"), sealed("name"), moment("since"), moment("erased_at"), number("version")
)
memberships = table(
    "register_membership",
    key("person_id"),
    key("unit_id"),
    moment_key("since"),
    text("standing"),
    moment("until"),
    number("version"),
)
roles = table(
    "register_role",
    key("unit_id"),
    key("role"),
    key("person_id"),
    moment_key("since"),
    moment("until"),
    number("version"),
)


class Register(Projection):
    """Who and what there is, and since when (R-06, R-56)."""

    name, version = "register", 3
    tables = (campaigns, units, people, memberships, roles)

    @on(CampaignApproved, row=campaigns.at("campaign_id"))
    def campaign_approved(self, event: CampaignApproved, recorded: Recorded, row: Row) -> None:
        row.update(
            template=event.template,
            title=event.title.model_dump(),
            starts_on=event.starts_on,
            ends_on=event.ends_on,
            programme=event.programme,
            version=recorded.version,
        )

    @on(UnitRegistered, row=units.at("unit_id"))
    def unit_registered(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:
        row.update(
            name=event.name,
            kind=event.kind,
            category=event.category,
            parent_id=event.parent_id,
            since=recorded.occurred_at,
            version=recorded.version,
        )

    @on(UnitMerged, row=units.at("unit_id"))
    def unit_merged(self, event: UnitMerged, recorded: Recorded, row: Row) -> None:
        row.update(until=event.since, merged_into=event.into_unit_id, version=recorded.version)

    @on(PersonRegistered, row=people.at("person_id"))
    def person_registered(self, event: PersonRegistered, recorded: Recorded, row: Row) -> None:
        row.update(name=event.name, since=recorded.occurred_at, version=recorded.version)

    @on(PersonErased, row=people.at("person_id"))
    def person_erased(self, event: PersonErased, recorded: Recorded, row: Row) -> None:
        # Without its key the seal opens nothing; it goes too.
        row.update(name=None, erased_at=recorded.occurred_at, version=recorded.version)

    @on(MemberEnrolled, row=memberships.at("person_id", "unit_id", "since"))
    def member_enrolled(self, event: MemberEnrolled, recorded: Recorded, row: Row) -> None:
        row.update(standing=event.standing, version=recorded.version)

    @on(MemberLeft, row=memberships.at("person_id", "unit_id", "since"))
    def member_left(self, event: MemberLeft, recorded: Recorded, row: Row) -> None:
        row.update(until=event.until, version=recorded.version)

    @on(RoleAppointed, row=roles.at("unit_id", "role", "person_id", "since"))
    def role_appointed(self, event: RoleAppointed, recorded: Recorded, row: Row) -> None:
        row["version"] = recorded.version

    @on(RoleEnded, row=roles.at("unit_id", "role", "person_id", "since"))
    def role_ended(self, event: RoleEnded, recorded: Recorded, row: Row) -> None:
        row.update(until=event.until, version=recorded.version)
