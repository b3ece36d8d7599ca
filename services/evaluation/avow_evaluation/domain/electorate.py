"""The electorate of a round: for each unit reviewed and each rater class, the roll of those who may review it (R-41).

Promises: a frozen electorate has every part exactly once, in the order of the subjects and of the form; nobody stands on
a roll twice. A class of members is taken from the register, so nobody can leave a member out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated

from avow.contracts.values import Identity, Key
from avow.kernel.message import Line, Value
from avow.kernel.refusal import require
from pydantic import Field

Part = tuple[str, str]
"""A unit reviewed and a rater class: those who are counted together."""

Entries = Annotated[tuple[Line, ...], Field(max_length=20_000)]
"""What stands on a roll for each person, such as a student number: personal, though it names nobody."""


class Roll(Value):
    """The roll of one part."""

    unit_id: Identity
    rater_class: Key
    entries: Entries


@dataclass(frozen=True)
class Register:
    """What the register says of the electorate: which rater classes are members, and each unit's members that day."""

    member_classes: Collection[str]
    members: Mapping[str, Sequence[str]]


def complete_rolls(
    given: Sequence[Roll], subjects: Sequence[str], classes: Sequence[str], register: Register
) -> list[Roll]:
    """A roll for each part; refuses a part too many or too few, and an entry that stands on a roll twice."""
    rolls: dict[Part, Roll] = {}
    for n, roll in enumerate(given):
        part = roll.unit_id, roll.rater_class
        require(roll.unit_id in subjects, "electorate.unit_unknown", f"parts[{n}].unit_id")
        require(roll.rater_class in classes, "electorate.class_unknown", f"parts[{n}].rater_class", known=classes)
        from_register = roll.rater_class in register.member_classes
        require(not from_register, "electorate.class_from_register", f"parts[{n}].rater_class")
        require(part not in rolls, "electorate.part_repeated", f"parts[{n}]")
        require(len(set(roll.entries)) == len(roll.entries), "electorate.entry_repeated", f"parts[{n}].entries")
        rolls[part] = roll
    return [
        _of_members(unit_id, rater_class, register)
        if rater_class in register.member_classes
        else _given(rolls, (unit_id, rater_class))
        for unit_id, rater_class in product(subjects, classes)
    ]


def _of_members(unit_id: str, rater_class: str, register: Register) -> Roll:
    return Roll(unit_id=unit_id, rater_class=rater_class, entries=tuple(sorted(register.members[unit_id])))


def _given(rolls: Mapping[Part, Roll], part: Part) -> Roll:
    unit_id, rater_class = part
    require(part in rolls, "electorate.part_missing", "parts", unit_id=unit_id, rater_class=rater_class)
    # In the order of the entries, so that a place on the roll says nothing either.
    return rolls[part].model_copy(update={"entries": tuple(sorted(rolls[part].entries))})
