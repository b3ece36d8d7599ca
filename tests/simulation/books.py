"""What the simulated services are: the real ones' events and views, and one view more, which shows each event that was
taken in twice, left out, or out of its order; and what is asked of them."""

from dataclasses import dataclass, replace
from hashlib import sha256

from sqlalchemy import Connection

from avow.contracts.organisation import PersonRegistered, UnitRegistered
from avow.eventlog.execute import Asked, Ground, Grounds
from avow.eventlog.records import Recorded
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Event
from avow.projections.projection import Projection, Row, key, number, on, table, text
from avow.register.projection import Register
from avow.service.service import Blueprint
from avow_evaluation.bootstrap import BLUEPRINT as EVALUATION
from avow_pledge.bootstrap import BLUEPRINT as PLEDGE
from tests.kit.logs import Noted, a_unit

OTHER = {"pledge": "evaluation", "evaluation": "pledge"}
SIDES = tuple(OTHER)
chains = table("chain_of", key("type"), number("events", 0), text("chained"))
OF_ITS_TYPE = chains.at(lambda event, recorded: recorded.type)


class Chained(Projection):
    """The events of each type as a chain: no two histories come to the same."""

    name, version, tables = "chained", 1, (chains,)

    @on(UnitRegistered, row=OF_ITS_TYPE)
    def unit(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:
        self._link(recorded, row)

    @on(PersonRegistered, row=OF_ITS_TYPE)
    def person(self, event: PersonRegistered, recorded: Recorded, row: Row) -> None:
        self._link(recorded, row)

    @on(Noted, row=OF_ITS_TYPE)
    def note(self, event: Noted, recorded: Recorded, row: Row) -> None:
        self._link(recorded, row)

    def _link(self, recorded: Recorded, row: Row) -> None:
        said = f"{row['chained']} {recorded.position} {recorded.event_id}"
        row.update(events=row["events"] + 1, chained=sha256(said.encode()).hexdigest())


def _blueprint(real: Blueprint, whole: bool) -> Blueprint:
    views = real.projections if whole else (Register(),)
    facts_from = real.facts_from if whole else (Register.name,)
    return replace(
        real,
        event_types=(*real.event_types, Noted),
        projections=(*views, Chained()),
        facts_from=(*facts_from, Chained.name),
    )


FEW = {"pledge": _blueprint(PLEDGE, whole=False), "evaluation": _blueprint(EVALUATION, whole=False)}
"""With the register and the chains alone: most of what time a simulation takes goes into views."""
WHOLE = {"pledge": _blueprint(PLEDGE, whole=True), "evaluation": _blueprint(EVALUATION, whole=True)}


class Say(Command):
    """Say something: `aloud` events in public, and one in private if `noted`."""

    text: str
    aloud: int
    noted: bool


@dataclass(frozen=True)
class Said:
    """How much was said by somebody."""

    events: int = 0


def _decide(command: Say, said: Said, facts: Facts) -> list[Event]:
    public = [a_unit(n, f"{command.text}.{n}") for n in range(command.aloud)]
    return [*public, Noted(text=f"{command.text}.noted")] if command.noted else [*public]


def _evolve(said: Said, event: Event) -> Said:
    return Said(said.events + 1)


speaker = Decider(stream="speaker", initial=Said(), decide=_decide, evolve=_evolve, events=(UnitRegistered, Noted))


def ground(guarded: bool) -> Ground[Say, Said, Facts]:
    """What a speaker's decisions rest on: nothing but its own stream."""

    def read(_: Connection, asked: Asked[Say, Said]) -> Grounds[Facts]:
        return Grounds(Facts(asked.occurred_at, asked.actor), guarded=guarded)

    return read
