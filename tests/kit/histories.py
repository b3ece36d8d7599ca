"""A random but repeatable past of both services: every event a view handles, entered late, corrected, and imported.

Each event is an example of the contracts with other identities in it, so that a new event of a view joins by itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from avow.eventlog.records import Context, Proposed
from avow.kernel.message import Event
from avow.kernel.ports import SimulatedClock
from avow.projections.projection import Projection
from tests.kit.contract_examples import BRANCH, COMMITTEE, EXAMPLES, OTHER_BRANCH
from tests.kit.logs import Log, identity, imports
from tests.kit.private_examples import PRIVATE_EXAMPLES

UNITS = (BRANCH, OTHER_BRANCH, COMMITTEE)
PEOPLE = tuple(identity(n) for n in range(32, 38))
ROUNDS, OTHERS = ([identity(n) for n in range(start, start + 4)] for start in (100, 200))
_STREAMS = {"electorate": "review_round", "review": "review_round", "credentials": "review_round", "comment": "meeting"}
_FIRST = ("campaign.approved", "review_round.announced")
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
        """An example with other identities, numbers, words and scopes in it."""
        chance = self.chance
        changes: dict[str, object] = {}
        for name, value in example:
            if name.endswith("unit_id") or name == "parent_id":
                changes[name] = chance.choice(UNITS)
            elif name == "round_id":
                changes[name] = chance.choice(ROUNDS)
            elif name in ("person_id", "chair_id", "commentator_id"):
                changes[name] = chance.choice(PEOPLE)
            elif name in ("pledge_id", "meeting_id"):
                changes[name] = chance.choice(OTHERS)
            elif name in ("count", "present", "eligible", "generation"):
                changes[name] = chance.randrange(1, 500)
            elif name == "scope":
                changes[name] = chance.choice(("public", "unit"))
            elif name == "subjects":
                changes[name] = tuple(chance.sample(UNITS, 3))
            elif name == "hashes":
                changes[name] = tuple(f"{chance.getrandbits(256):064x}" for _ in range(chance.randrange(4)))
            elif name in ("name", "channel") and isinstance(value, str):
                changes[name] = f"{value}{chance.randrange(9)}"
        return example.model_copy(update=changes)

    def _stream(self, event: Event) -> str:
        category = event.type.split(".")[0]
        fields = dict(event)
        wanted = f"{_STREAMS.get(category, category)}_id".replace("review_round", "round")
        own = fields.get(wanted) or fields.get("campaign_id") or fields.get("person_id") or fields.get("unit_id")
        return f"{_STREAMS.get(category, category)}/{own}"


async def live_through(past: Past, log: Log, projections: Sequence[Projection], events: int) -> None:
    """Let so many events of these views happen, over half a year."""
    clock = log.ports.clock
    assert isinstance(clock, SimulatedClock)
    wanted = {name for projection in projections for name in projection.event_types}
    examples = [example for example in (*EXAMPLES, *PRIVATE_EXAMPLES) if example.type in wanted]
    firsts = [example for example in examples if example.type in _FIRST]
    usual = [example for example in examples if example.type != _ENDS]
    said: list[Event] = []
    for first in (past.varied(example) for example in firsts):
        said += [first.model_copy(update={"round_id": one}) for one in ROUNDS] if "round_id" in dict(first) else [first]
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
