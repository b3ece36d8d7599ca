"""A random but repeatable past of both services: every event a view handles, entered late, corrected, and imported.

Each event is an example of the contracts with other identities in it, so that a new event of a view joins by itself.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from avow.contracts.pledge import PledgeItem
from avow.eventlog.records import Context, Proposed
from avow.kernel.message import Event
from avow.kernel.ports import SimulatedClock
from avow.projections.projection import Projection
from tests.kit.contract_examples import BRANCH, COMMITTEE, EXAMPLES, ITEM, OTHER_BRANCH, SINCE
from tests.kit.logs import Log, identity, imports
from tests.kit.private_examples import PRIVATE_EXAMPLES

UNITS = (BRANCH, OTHER_BRANCH, COMMITTEE)
PEOPLE = tuple(identity(n) for n in range(32, 38))
ROUNDS, OTHERS, OF_MEMBERS = ([identity(n) for n in range(start, start + 4)] for start in (100, 200, 300))
"""Rounds on units, whatever else has an identity, and rounds on members."""
ITEMS = 3
"""How many items every pledge has."""
_IDENTITIES = {
    "electorate": "round_id",
    "review": "round_id",
    "member_review": "round_id",
    "review_round": "round_id",
    "credentials": "round_id",
    "comment": "meeting_id",
    "work_plan": "plan_id",
}
_STREAMS = {"round_id": "review_round", "meeting_id": "meeting"}
_FIRST = ("campaign.approved", "review_round.announced", "pledge.made")
"""What others of their stream cannot be without."""
_ENDS = "person.erased"


class Past:
    """Events that happen, each in its stream, never before what happened there already."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self._last: dict[str, datetime] = {}

    def happening(self, event: Event, now: datetime, log: Log) -> Proposed:
        """Mostly just now, sometimes long ago."""
        stream = self._stream(event)
        ago = timedelta(minutes=self.chance.choice([0, 0, 1, 60, 60 * 24 * 3, 60 * 24 * 40]))
        at = max(self._last.get(stream, datetime.min.replace(tzinfo=now.tzinfo)), now - ago)
        self._last[stream] = at
        return Proposed(stream, log.ports.new_id(), event, Context(at))

    def varied(self, example: Event) -> Event:
        """An example with other identities, numbers, words, scopes and outcomes in it."""
        changes = {name: self._other(name, value) for name, value in example}
        if example.type == "comment.recorded" and self.chance.random() < 0.5:
            changes["person_id"] = None
        if example.type == "member_review.tallied":
            changes["round_id"] = self.chance.choice(OF_MEMBERS)
        elif example.type == "review_round.announced":
            changes |= self.chance.choice((self._on_units, self._on_members))()
        return example.model_copy(update=changes)

    def firsts(self, example: Event) -> list[Event]:
        """What there has to be at first, of each stream."""
        if example.type == "pledge.made":
            return [self.varied(example).model_copy(update={"pledge_id": one}) for one in OTHERS]
        if example.type == "review_round.announced":
            units = [self.varied(example).model_copy(update={"round_id": one} | self._on_units()) for one in ROUNDS]
            members = [{**self._on_members(), "round_id": one} for one in OF_MEMBERS]
            return units + [self.varied(example).model_copy(update=one) for one in members]
        return [self.varied(example)]

    def _on_units(self) -> dict[str, object]:
        return {"subject": "unit", "unit_id": None, "subjects": tuple(self.chance.sample(UNITS, len(UNITS)))}

    def _on_members(self) -> dict[str, object]:
        chance = self.chance
        subjects = tuple(chance.sample(PEOPLE, len(PEOPLE)))
        return {
            "round_id": chance.choice(OF_MEMBERS),
            "subject": "member",
            "unit_id": chance.choice(UNITS),
            "subjects": subjects,
        }

    def _other(self, name: str, value: Any) -> Any:
        """Another value of a field, or the one it has."""
        chance = self.chance
        match name:
            case "parent_id" | "into_unit_id" | "unit_id":
                return chance.choice(UNITS)
            case "round_id":
                return chance.choice(ROUNDS)
            case "person_id" | "chair_id" | "commentator_id":
                return chance.choice(PEOPLE)
            case "pledge_id" | "meeting_id" | "obligation_id" | "plan_id" | "assessment_id":
                return chance.choice(OTHERS)
            case "count" | "present" | "eligible" | "generation" | "revision" | "version":
                return chance.randrange(1, 500)
            case "scope":
                return chance.choice(("public", "unit"))
            case "rehearsal" | "excused" | "fulfilled":
                return chance.random() < 0.3
            case "since":
                return SINCE + timedelta(days=chance.choice((0, 200)))
            case "outcome":
                return chance.choice(("met", "met_late", "missed"))
            case "category" | "total" | "good_rate" | "met_on" if chance.random() < 0.3:
                return None
            case "recognition" if not isinstance(value, tuple) and chance.random() < 0.3:
                return None
            case "rows" | "classes" | "met_by" if chance.random() < 0.3:
                return ()
            case "grades" if chance.random() < 0.3:
                return {}
            case "pledger" | "owner" if chance.random() < 0.3:
                return value.model_copy(update={"kind": "unit", "id": chance.choice(UNITS)})
            case "programme":
                phases = [{"key": "phase.pledge", "ends_on": "2011-06-30"}]
                return {**value, **chance.choice(({}, {"time_zone": "Asia/Shanghai"}, {"phases": phases}))}
            case "hashes":
                return tuple(f"{chance.getrandbits(256):064x}" for _ in range(chance.randrange(4)))
            case "item":
                return chance.randrange(ITEMS)
            case "items" if value and not isinstance(value[0], int | type(ITEM)):
                return value
            case "items" if isinstance(value[0], int):
                return tuple(chance.sample(range(ITEMS), chance.randrange(1, ITEMS + 1)))
            case "items":
                return tuple(self._item() for _ in range(ITEMS))
            case "places":
                ranked = zip(value, chance.sample(PEOPLE, len(value)), strict=True)
                return tuple(place.model_copy(update={"subject_id": one}) for place, one in ranked)
            case "name" | "channel" if isinstance(value, str):
                return f"{value}{chance.randrange(9)}"
            case _:
                return value

    def _item(self) -> PledgeItem:
        days = [date(2010, month, 28) for month in self.chance.sample(range(1, 13), self.chance.randrange(3))]
        return ITEM.model_copy(update={"milestones": tuple(days)})

    def _stream(self, event: Event) -> str:
        category = event.type.split(".")[0]
        fields = dict(event)
        wanted = _IDENTITIES.get(category, f"{category}_id")
        own = fields.get(wanted) or fields.get("campaign_id") or fields.get("person_id") or fields.get("unit_id")
        return f"{_STREAMS.get(wanted, category)}/{own}"


async def live_through(past: Past, log: Log, projections: Sequence[Projection], events: int) -> None:
    """Let so many events of these views happen, over half a year; what another service says is only heard of."""
    clock = log.ports.clock
    assert isinstance(clock, SimulatedClock)
    heard = {record.type for record in await log.records() if record.log_id is not None}
    wanted = {name for projection in projections for name in projection.event_types} - heard
    examples = [example for example in (*EXAMPLES, *PRIVATE_EXAMPLES) if example.type in wanted]
    firsts = [example for example in examples if example.type in _FIRST]
    usual = [example for example in examples if example.type != _ENDS]
    said: list[Event] = []
    for example in firsts:
        said += past.firsts(example)
    said += [past.varied(past.chance.choice(usual)) for _ in range(events)]
    said += [past.varied(example) for example in examples if example.type == _ENDS]
    for event in said:
        clock.set(clock.now() + timedelta(minutes=past.chance.choice([0, 0, 7, 60 * 12])))
        await log.append(past.happening(event, clock.now(), log))


async def overhear(past: Past, log: Log, source: Log) -> None:
    """Import everything public of another log, a few at a time."""
    clock = log.ports.clock
    assert isinstance(clock, SimulatedClock)
    lines = imports(await source.envelopes())
    while lines:
        few = past.chance.randrange(1, 30)
        clock.set(clock.now() + timedelta(hours=past.chance.randrange(48)))
        await log.append(*lines[:few])
        lines = lines[few:]
