"""The words of a programme: what it calls its units, roles, phases, criteria, scopes and kinds of record (R-75).

Promises: every part is frozen, refuses unknown fields and reads back from JSON as it was written. A field marked
`RefersTo` names an entry of another list of the template; consistency.py follows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from avow.programme.errors import UnknownKey

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
"""The name by which code and events speak of an entry."""

Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
"""One line of text for people."""

Subject = Literal["unit", "member"]
"""What is reviewed, scored and commended."""

Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]


def _as_written(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("write the number in quotes, so that it stays exact")
    return value


def _day(value: object) -> object:
    if isinstance(value, bool | int | float):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


Exact = Annotated[Decimal, BeforeValidator(_as_written), Field(ge=0, lt=10**12, decimal_places=9)]
"""An exact number that is not negative: a weight, points, a floor."""

Share = Annotated[Exact, Field(gt=0, le=1)]
"""An exact part of a whole: above 0, at most 1."""

Day = Annotated[date, BeforeValidator(_day)]


@dataclass(frozen=True)
class RefersTo:
    """Marks a field whose key or keys are defined by the template's list of that name."""

    entries: str


class Part(BaseModel):
    """A frozen part of a template; `identity` names the field in which no two entries of one list may agree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: ClassVar[str] = ""


class Label(Part):
    """A name in Chinese and English."""

    zh: Text
    en: Text


class Term(Part):
    """A key and what people call it."""

    identity = "key"

    key: Key
    label: Label


T = TypeVar("T", bound=Term)


def find(entries: Sequence[T], key: str, kind: str) -> T:
    """The entry of that key; UnknownKey where there is none."""
    for entry in entries:
        if entry.key == key:
            return entry
    raise UnknownKey(kind, key, tuple(entry.key for entry in entries))


class Vocabulary(Part):
    """What the programme calls the things every programme has."""

    campaign: Label
    committee: Label
    leading_group: Label
    office: Label
    unit: Label
    member: Label
    probationary: Label
    public_rater: Label
    pledge: Label
    review: Label
    honour: Label


class Phase(Term):
    """A stretch of the campaign that ends in a batch of commendations; a soft end allows `grace_days` more (R-19)."""

    starts_on: Day
    ends_on: Day
    soft_end: Flag
    grace_days: Count

    @property
    def last_day(self) -> date:
        """The last day that still counts for this phase."""
        return self.ends_on + timedelta(days=self.grace_days)


class Criterion(Term):
    """A standard with its indicators; `public_only`: its evidence is what public raters answer, and no other (R-17)."""

    indicators: Annotated[tuple[Label, ...], Field(min_length=1)]
    public_only: Flag


class CriteriaSet(Term):
    """The criteria for units or for members, and the gates to pass before they are scored (R-13…R-16)."""

    identity = "subject"

    subject: Subject
    gates: tuple[Term, ...]
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    def criterion(self, key: str) -> Criterion:
        """The criterion of that key; UnknownKey where the set has none."""
        return find(self.criteria, key, f"the {self.subject} criteria")


class UnitKind(Term):
    """A kind of organisational unit and the kinds it may stand below; none for the top (R-06)."""

    parents: Annotated[tuple[Key, ...], RefersTo("unit_kinds")]


class Role(Term):
    """A role and the kinds of unit in which it is held (R-56)."""

    sits_in: Annotated[tuple[Key, ...], RefersTo("unit_kinds"), Field(min_length=1)]


class RecordField(Term):
    """A field of an activity record."""

    type: Literal["text", "number", "date"]
    required: Flag


class ActivityKind(Term):
    """A kind of small record, such as a study session or a visit, with its fields (R-08…R-11, R-39, R-53, R-62)."""

    fields: Annotated[tuple[RecordField, ...], Field(min_length=1)]


PledgeField = Literal[
    "aims", "qualitative_indicators", "quantitative_indicators", "milestones", "accountable_person_id"
]
"""What an item of a pledge may be required to carry beyond its wording and its criterion (R-07, R-26)."""


class PledgerRules(Part):
    """How many items a pledge has, and what each of them must carry (R-26, R-28)."""

    min_items: Annotated[Count, Field(ge=1)]
    max_items: Count
    required_fields: tuple[PledgeField, ...]


class PledgeRules(Part):
    """The rules for a unit's pledge and for a member's; None where the programme has no such pledge."""

    unit: PledgerRules | None
    member: PledgerRules | None
