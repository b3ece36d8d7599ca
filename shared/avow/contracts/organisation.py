"""The organisation: units, persons, memberships and roles, each with the time it holds for (R-06, R-56)."""

from typing import Annotated, Literal

from avow.contracts.values import Identity, Instant, Key
from avow.kernel.message import Line, PublicEvent
from avow.kernel.seal import DestroysKey, Seal, SealedUnder

Standing = Literal["full", "probationary"]


class UnitRegistered(PublicEvent, type="unit.registered"):
    """A unit exists from `occurred_at` on, below its parent."""

    unit_id: Identity
    name: Line
    kind: Key
    category: Key | None
    parent_id: Identity | None


class UnitMerged(PublicEvent, type="unit.merged"):
    """A unit that had no members any more went into another, and stands no longer from `since` on."""

    unit_id: Identity
    into_unit_id: Identity
    since: Instant


class PersonRegistered(PublicEvent, type="person.registered"):
    """A person is known; the name is sealed under the person's own key, which erasure destroys."""

    person_id: Identity
    name: Annotated[Line | Seal, SealedUnder("person/{person_id}")]


class PersonErased(PublicEvent, type="person.erased"):
    """A person's key is destroyed as this enters a log; whoever holds a copy of it, or of what it opened, destroys that
    too. Two persons answer for it; null stands for whoever runs the deployment."""

    person_id: Annotated[Identity, DestroysKey("person/{person_id}")]
    requested_by: Identity | None
    confirmed_by: Identity | None


class MemberEnrolled(PublicEvent, type="member.enrolled"):
    """A person became a member of a unit at `since`."""

    person_id: Identity
    unit_id: Identity
    standing: Standing
    since: Instant


class MemberLeft(PublicEvent, type="member.left"):
    """The membership that began at `since` ended at `until`."""

    person_id: Identity
    unit_id: Identity
    since: Instant
    until: Instant


class RoleAppointed(PublicEvent, type="role.appointed"):
    """A person holds a role in a unit from `since` on."""

    role: Key
    unit_id: Identity
    person_id: Identity
    since: Instant


class RoleEnded(PublicEvent, type="role.ended"):
    """The holding of a role that began at `since` ended at `until`."""

    role: Key
    unit_id: Identity
    person_id: Identity
    since: Instant
    until: Instant
