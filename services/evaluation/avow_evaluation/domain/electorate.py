"""The electorate of a round: for each unit and rater class, the roll of those who may review it or its members (R-41).

Promises: a frozen electorate has every part once, in the order of the subjects and of the form, and nobody twice on one
roll; a class of members is taken from the register, so nobody can leave a member out.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Annotated

from pydantic import Field

from avow.contracts.review import ElectorateFrozen, ElectoratePart, ReviewRoundAnnounced
from avow.contracts.values import Identity, Key
from avow.kernel.message import Line, PrivateEvent, Value
from avow.kernel.refusal import require
from avow.kernel.seal import Seal, SealedUnder
from avow_evaluation.domain.member_review import units_of

Part = tuple[str, str]
"""A unit reviewed and a rater class: those who are counted together."""

Entries = Annotated[tuple[Line, ...], Field(max_length=20_000)]
"""What stands on a roll for each person, such as a student number: personal, though it names nobody."""


class Roll(Value):
    """The roll of one part."""

    unit_id: Identity
    rater_class: Key
    entries: Entries


class RollFrozen(PrivateEvent, type="roll.frozen"):
    """One part's roll, sealed under the round's own key."""

    round_id: Identity
    unit_id: Identity
    rater_class: Key
    entries: Annotated[Entries | Seal, SealedUnder("round/{round_id}")]


def freeze(
    announced: ReviewRoundAnnounced, given: Sequence[Roll], members: Mapping[Part, Sequence[str]]
) -> list[ElectorateFrozen | RollFrozen]:
    """The public counts, then the rolls; refuses as `complete_rolls` does."""
    classes = [weight.rater_class for weight in announced.form.weights]
    rolls = complete_rolls(given, units_of(announced), classes, members)
    counts = tuple(
        ElectoratePart(unit_id=roll.unit_id, rater_class=roll.rater_class, eligible=len(roll.entries)) for roll in rolls
    )
    round_id = announced.round_id
    return [
        ElectorateFrozen(round_id=round_id, parts=counts),
        *(
            RollFrozen(round_id=round_id, unit_id=roll.unit_id, rater_class=roll.rater_class, entries=roll.entries)
            for roll in rolls
        ),
    ]


def complete_rolls(
    given: Sequence[Roll], subjects: Sequence[str], classes: Sequence[str], members: Mapping[Part, Sequence[str]]
) -> list[Roll]:
    """A roll for each part: of `members` where they have it, else as given.

    Refuses a part too many or too few, and an entry that stands on a roll twice.
    """
    rolls: dict[Part, Roll] = {
        (unit_id, rater_class): Roll(unit_id=unit_id, rater_class=rater_class, entries=tuple(sorted(people)))
        for (unit_id, rater_class), people in members.items()
    }
    for n, roll in enumerate(given):
        part = roll.unit_id, roll.rater_class
        require(roll.unit_id in subjects, "electorate.unit_unknown", f"parts[{n}].unit_id")
        require(roll.rater_class in classes, "electorate.class_unknown", f"parts[{n}].rater_class", known=classes)
        require(part not in members, "electorate.class_from_register", f"parts[{n}].rater_class")
        require(part not in rolls, "electorate.part_repeated", f"parts[{n}]")
        require(len(set(roll.entries)) == len(roll.entries), "electorate.entry_repeated", f"parts[{n}].entries")
        # Sorted, so that a place on the roll says nothing either.
        rolls[part] = roll.model_copy(update={"entries": tuple(sorted(roll.entries))})
    parts = list(product(subjects, classes))
    for part in parts:
        require(part in rolls, "electorate.part_missing", "parts", unit_id=part[0], rater_class=part[1])
    return [rolls[part] for part in parts]
