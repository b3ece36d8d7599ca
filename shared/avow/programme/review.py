"""How reviews are asked, weighed and scored: scales, rater classes, forms, thresholds, scoring rules (R-41…R-51).

Promises: every number is exact; what is computed from them belongs to the evaluation domain.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from avow.programme.errors import UnknownKey
from avow.programme.vocabulary import Count, Exact, Flag, Key, Label, Part, RefersTo, Share, Subject, Term, find


class Grade(Term):
    """One grade; `top` grades count as recognition."""

    points: Annotated[Exact, Field(le=100)]
    top: Flag


class GradeScale(Term):
    """Grades from the best to the worst."""

    grades: Annotated[tuple[Grade, ...], Field(min_length=2)]

    def grade(self, key: str) -> Grade:
        """The grade of that key; UnknownKey where the scale has none."""
        return find(self.grades, key, f"the grades of {self.key}")

    def points(self, key: str) -> Decimal:
        """What a grade is worth, out of 100; UnknownKey where the scale has none."""
        return self.grade(key).points


class RaterClass(Term):
    """Raters who are counted and weighed together; `kinds` are the sorts of people in a class of several.

    `is_member` tells the organisation's members from public raters.
    """

    is_member: Flag
    kinds: tuple[Term, ...] = ()


class FormRow(Term):
    """One question and the criteria its answers are evidence for (R-17)."""

    criteria: Annotated[tuple[Key, ...], RefersTo("criteria"), Field(min_length=1)]


class ClassWeight(Part):
    """How much a rater class weighs in the recognition."""

    identity = "rater_class"

    rater_class: Annotated[Key, RefersTo("rater_classes")]
    weight: Exact


class ReviewForm(Part):
    """The form for units or for members; results are shown within `result_scope` (R-45)."""

    identity = "subject"

    subject: Subject
    label: Label
    scale: Annotated[Key, RefersTo("grade_scales")]
    result_scope: Annotated[Key, RefersTo("scopes")]
    rows: Annotated[tuple[FormRow, ...], Field(min_length=1)]
    weights: Annotated[tuple[ClassWeight, ...], Field(min_length=1)]

    def weight(self, rater_class: str) -> Decimal:
        """What a rater class weighs; UnknownKey where the form does not ask it."""
        for entry in self.weights:
            if entry.rater_class == rater_class:
                return entry.weight
        known = tuple(entry.rater_class for entry in self.weights)
        raise UnknownKey(f"the rater classes of the {self.subject} form", rater_class, known)


class Turnout(Part):
    """Below `invalid_below` a round has no result; below `warn_below` its result carries a warning."""

    invalid_below: Share
    warn_below: Share


class ClassMinimum(Part):
    """A rater class counts from `at_least` ballots and this share of its electorate, whichever is more."""

    at_least: Annotated[Count, Field(ge=1)]
    share: Share


class Recognition(Part):
    """The z of the Wilson lower bound."""

    z: Annotated[Exact, Field(gt=0)]


class Satisfaction(Part):
    """Below `rectify_below` rectification is required; `target` is what is aimed at."""

    rectify_below: Share
    target: Share


WorkRecordPart = Literal["obligations", "fulfilment", "comments", "inspections", "study"]


class PartWeight(Part):
    """How much a part of the work record weighs in the total."""

    identity = "part"

    part: WorkRecordPart
    weight: Exact


class ScoringRules(Part):
    """The first version of the rules that score units or members; with the form's weights they make 100 (R-48, R-51).

    Nobody is commended below either floor. Later versions are published as events, never by editing this one.
    """

    identity = "subject"

    subject: Subject
    label: Label
    version: Annotated[Count, Field(ge=1)]
    work_record: Annotated[tuple[PartWeight, ...], Field(min_length=1)]
    work_record_floor: Annotated[Exact, Field(le=100)]
    recognition_floor: Annotated[Exact, Field(le=100)]
