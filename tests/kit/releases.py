"""What each service is in this release, and what it could be in a later one.

In the later one a unit's event has come to its third schema, a person's, which holds a seal, to its second, there is an
event nobody has heard of, and the folds that read these events have changed with them; what they fold has not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from avow.contracts.organisation import PersonRegistered, UnitRegistered
from avow.eventlog.records import Recorded
from avow.kernel.message import Event, PublicEvent
from avow.kernel.seal import Seal, SealedUnder
from avow.projections.projection import Projection, Row, on
from avow.register.projection import Register, people, units
from avow.service.hosting import installed
from avow_evaluation.projections.dedicated_ledger import DedicatedLedger
from avow_evaluation.projections.dedicated_ledger import units as ledger_units


def _in_languages(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"labels": {"zh": fields["name"]}}


def _without_the_name(fields: dict[str, Any]) -> dict[str, Any]:
    return {"place": {"below": fields.pop("parent_id"), "kind": fields.pop("kind")}} | fields


class LaterUnit(PublicEvent, type="unit.registered", schema=3, upcasters={1: _in_languages, 2: _without_the_name}):
    """Schema 2 added the name in languages, schema 3 took the old name away and made a place of kind and parent."""

    unit_id: str
    labels: dict[str, str]
    place: dict[str, str | None]
    category: str | None


def _called(fields: dict[str, Any]) -> dict[str, Any]:
    return {"person_id": fields["person_id"], "called": fields["name"]}


class LaterPerson(PublicEvent, type="person.registered", schema=2, upcasters={1: _called}):
    """Schema 2 renamed what is sealed."""

    person_id: str
    called: Annotated[str | Seal, SealedUnder("person/{person_id}")]


class WeatherChanged(PublicEvent, type="weather.changed"):
    """An event this release has never heard of."""

    sky: str


class LaterRegister(Register):
    """The register, folded from the later events."""

    @on(LaterUnit, row=units.at("unit_id"))
    def unit_registered(self, event: LaterUnit, recorded: Recorded, row: Row) -> None:  # type: ignore[override]
        row.update(name=event.labels["zh"], kind=event.place["kind"], parent_id=event.place["below"])
        row.update(category=event.category, since=recorded.occurred_at, version=recorded.version)

    @on(LaterPerson, row=people.at("person_id"))
    def person_registered(self, event: LaterPerson, recorded: Recorded, row: Row) -> None:  # type: ignore[override]
        row.update(name=event.called, since=recorded.occurred_at, version=recorded.version)


class LaterLedger(DedicatedLedger):
    """The ledger, folded from the later events."""

    @on(LaterUnit, row=ledger_units.at("unit_id"))
    def unit_registered(self, event: LaterUnit, recorded: Recorded, row: Row) -> None:  # type: ignore[override]
        row.update(name=event.labels["zh"], category=event.category)


@dataclass(frozen=True)
class Release:
    """What one release of a service knows and projects."""

    types: Sequence[type[Event]]
    projections: Sequence[Projection]


def _later(release: Release) -> Release:
    kept = [event for event in release.types if event not in (UnitRegistered, PersonRegistered)]
    later: dict[type[Projection], Projection] = {Register: LaterRegister(), DedicatedLedger: LaterLedger()}
    views = [later.get(type(view), view) for view in release.projections]
    return Release((*kept, LaterUnit, LaterPerson, WeatherChanged), views)


NOW = {name: Release(entry.blueprint.event_types, entry.blueprint.projections) for name, entry in installed().items()}
LATER = {name: _later(release) for name, release in NOW.items()}
