"""A programme template: all that makes one organisation's programme differ from another's, as data (R-75).

Promises: a template that exists agrees with itself, whichever way it was built; it is hashable, and equal to what its
JSON reads back as, so the event that approves a campaign carries it whole and a replay reads no file (proved by
tests/unit/programme/). Limit: it holds the first version of every rule; later ones are events.
"""

from datetime import date
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints, model_validator

from avow.programme.cadence import Obligation
from avow.programme.commendation import Award, ChainStep, Notice, TieBreak
from avow.programme.consistency import problems
from avow.programme.errors import TemplateError, UnknownKey
from avow.programme.review import (
    ClassMinimum,
    GradeScale,
    RaterClass,
    Recognition,
    ReviewForm,
    Satisfaction,
    ScoringRules,
    Turnout,
)
from avow.programme.vocabulary import (
    ActivityKind,
    Count,
    CriteriaSet,
    Criterion,
    Day,
    Key,
    Label,
    Part,
    Phase,
    PledgeRules,
    RefersTo,
    Role,
    Subject,
    Term,
    UnitKind,
    Vocabulary,
    find,
)


class ProgrammeTemplate(Part):
    """The programme of one organisation.

    A template that contradicts itself is refused with a TemplateError, which pydantic wraps in its ValidationError.
    A look-up raises UnknownKey where the template does not define the key.
    """

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    version: Annotated[Count, Field(ge=1)]
    title: Label
    theme: Label
    issuer: Label
    time_zone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]+(/[A-Za-z0-9_+-]+){0,2}$")]
    starts_on: Day
    ends_on: Day | None
    """None until the event that ends the campaign is known (R-18)."""
    supervision_answer_days: Count

    vocabulary: Vocabulary
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    stages: Annotated[tuple[Term, ...], Field(min_length=1)]
    aims: Annotated[tuple[Term, ...], Field(min_length=1)]
    categories: Annotated[tuple[Term, ...], Field(min_length=1)]
    unit_kinds: Annotated[tuple[UnitKind, ...], Field(min_length=1)]
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    leading_group_roles: Annotated[tuple[Key, ...], RefersTo("roles"), Field(min_length=1)]
    scopes: Annotated[tuple[Term, ...], Field(min_length=1)]
    """From the narrowest to the widest."""
    channels: Annotated[tuple[Term, ...], Field(min_length=1)]
    meeting_kinds: Annotated[tuple[Term, ...], Field(min_length=1)]
    agenda_tags: tuple[Term, ...]
    activity_kinds: tuple[ActivityKind, ...]
    inspection_modes: tuple[Term, ...]
    pledge: PledgeRules
    criteria_sets: Annotated[tuple[CriteriaSet, ...], Field(min_length=1)]

    grade_scales: Annotated[tuple[GradeScale, ...], Field(min_length=1)]
    rater_classes: Annotated[tuple[RaterClass, ...], Field(min_length=1)]
    review_forms: Annotated[tuple[ReviewForm, ...], Field(min_length=1)]
    turnout: Turnout
    class_minimum: ClassMinimum
    recognition: Recognition
    satisfaction: Satisfaction
    scoring_rules: tuple[ScoringRules, ...]

    obligations: Annotated[tuple[Obligation, ...], Field(min_length=1)]

    awards: Annotated[tuple[Award, ...], Field(min_length=1)]
    recommendation_chain: Annotated[tuple[ChainStep, ...], Field(min_length=1)]
    tie_breaks: Annotated[tuple[TieBreak, ...], Field(min_length=1)]
    notice: Notice

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "ProgrammeTemplate":
        found = tuple(problems(self))
        if found:
            raise TemplateError(found)
        return self

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The criteria of every set."""
        return tuple(criterion for entry in self.criteria_sets for criterion in entry.criteria)

    def phase(self, key: str) -> Phase:
        return find(self.phases, key, "phases")

    def phase_on(self, day: date) -> Phase | None:
        """The phase a day counts for, a soft end's grace included; None outside all of them (R-19)."""
        return next((phase for phase in self.phases if phase.starts_on <= day <= phase.last_day), None)

    def aim(self, key: str) -> Term:
        return find(self.aims, key, "aims")

    def category(self, key: str) -> Term:
        return find(self.categories, key, "categories")

    def unit_kind(self, key: str) -> UnitKind:
        return find(self.unit_kinds, key, "unit_kinds")

    def role(self, key: str) -> Role:
        return find(self.roles, key, "roles")

    def scope(self, key: str) -> Term:
        return find(self.scopes, key, "scopes")

    def reach(self, scope: str) -> int:
        """How wide a scope is: 0 for the narrowest, one more for each wider."""
        return self.scopes.index(self.scope(scope))

    def channel(self, key: str) -> Term:
        return find(self.channels, key, "channels")

    def meeting_kind(self, key: str) -> Term:
        return find(self.meeting_kinds, key, "meeting_kinds")

    def activity_kind(self, key: str) -> ActivityKind:
        return find(self.activity_kinds, key, "activity_kinds")

    def criterion(self, key: str) -> Criterion:
        return find(self.criteria, key, "criteria")

    def criteria_for(self, subject: Subject) -> CriteriaSet:
        """The criteria units or members are measured by; UnknownKey where the programme has none."""
        return _about(self.criteria_sets, subject, "criteria_sets")

    def scale(self, key: str) -> GradeScale:
        return find(self.grade_scales, key, "grade_scales")

    def rater_class(self, key: str) -> RaterClass:
        return find(self.rater_classes, key, "rater_classes")

    def class_of(self, kind: str) -> RaterClass:
        """The rater class a kind of rater is counted in."""
        for entry in self.rater_classes:
            if kind in (entry.key, *(known.key for known in entry.kinds)):
                return entry
        raise UnknownKey("rater_classes", kind, tuple(entry.key for entry in self.rater_classes))

    def review_form(self, subject: Subject) -> ReviewForm:
        """The form units or members are reviewed by; UnknownKey where the programme has none."""
        return _about(self.review_forms, subject, "review_forms")

    def scoring_rules_for(self, subject: Subject) -> ScoringRules:
        """The first scoring rules for units or members; UnknownKey where the programme has none."""
        return _about(self.scoring_rules, subject, "scoring_rules")

    def obligation(self, key: str) -> Obligation:
        return find(self.obligations, key, "obligations")

    def award(self, key: str) -> Award:
        return find(self.awards, key, "awards")


S = TypeVar("S", CriteriaSet, ReviewForm, ScoringRules)


def _about(entries: tuple[S, ...], subject: Subject, kind: str) -> S:
    for entry in entries:
        if entry.subject == subject:
            return entry
    raise UnknownKey(kind, subject, tuple(entry.subject for entry in entries))
