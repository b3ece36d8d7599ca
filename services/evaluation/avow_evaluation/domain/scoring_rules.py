"""The rules by which units or members are scored: versions, each published before what it scores begins (R-48, R-51).

Promises: a version stands as it was published; the next has the next number and is in force later. The weights make
100, and neither the work record nor recognition weighs nothing. Each version is published on a day before the one it is
in force from; the first, which is in force from the campaign's start, before the first half-year that begins after it
(tests/unit/evaluation/test_scoring_rules.py).
Limit: what counts is the day they were published by whoever says so; a late entry shows when it was recorded, and why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from avow.contracts.review import ClassWeight
from avow.contracts.scoring import PartWeight, ScoringRulesPublished
from avow.contracts.values import Exact, Identity, Label
from avow.kernel.decider import Decider, Facts
from avow.kernel.message import Command, Value
from avow.kernel.refusal import Refusal, require
from avow.programme import ProgrammeTemplate, UnknownKey
from avow.programme.vocabulary import Subject

Weight = Annotated[Exact, Field(ge=0, le=100)]


class Rules(Value):
    """A version of the rules as it is handed in."""

    version: Annotated[int, Field(ge=1, le=1_000)]
    label: Label
    effective_from: date
    work_record: Annotated[tuple[PartWeight, ...], Field(min_length=1, max_length=10)]
    recognition: Annotated[tuple[ClassWeight, ...], Field(min_length=1, max_length=50)]
    work_record_floor: Weight
    recognition_floor: Weight


class PublishScoringRules(Command):
    """Publish a version of the rules; without `rules`, the first one of the campaign's programme."""

    campaign_id: Identity
    subject: Subject
    rules: Rules | None = None


@dataclass(frozen=True)
class ScoringRules:
    """Every version, from the first."""

    versions: tuple[ScoringRulesPublished, ...] = ()

    def in_force(self, day: date) -> ScoringRulesPublished | None:
        """The version in force for what begins on a day."""
        return next((rules for rules in reversed(self.versions) if rules.effective_from <= day), None)


@dataclass(frozen=True, kw_only=True)
class RulesFacts(Facts):
    """The campaign's programme and first day, and the day of publishing in its time zone."""

    programme: ProgrammeTemplate
    starts_on: date
    today: date


def decide(command: PublishScoringRules, rules: ScoringRules, facts: RulesFacts) -> list[ScoringRulesPublished]:
    given = command.rules or of_the_programme(command.subject, facts)
    last = rules.versions[-1] if rules.versions else None
    expected = last.version + 1 if last else 1
    require(given.version == expected, "scoring_rules.version_not_next", "rules.version", expected=expected)
    after = given.effective_from >= facts.starts_on if last is None else given.effective_from > last.effective_from
    require(after, "scoring_rules.not_after_the_last", "rules.effective_from")
    until = given.effective_from if last else max(given.effective_from, half_year_after(facts.starts_on))
    require(facts.today < until, "scoring_rules.too_late", "rules.effective_from", until=until.isoformat())
    weights = [*(entry.weight for entry in given.work_record), *(entry.weight for entry in given.recognition)]
    require(min(weights) >= 0, "scoring_rules.weight_negative", "rules")
    _require_once([entry.part for entry in given.work_record], "work_record")
    _require_once([entry.rater_class for entry in given.recognition], "recognition")
    _require_asked(given.recognition, command.subject, facts.programme)
    work_record, recognition = (sum_of(entries) for entries in (given.work_record, given.recognition))
    require(work_record > 0, "scoring_rules.work_record_weightless", "rules.work_record")
    require(recognition > 0, "scoring_rules.recognition_weightless", "rules.recognition")
    total = work_record + recognition
    require(total == 100, "scoring_rules.weights_not_a_hundred", "rules.work_record", total=format(total, "f"))
    return [
        ScoringRulesPublished(
            campaign_id=command.campaign_id,
            subject=command.subject,
            version=given.version,
            label=given.label,
            effective_from=given.effective_from,
            work_record=given.work_record,
            recognition=given.recognition,
            work_record_floor=given.work_record_floor,
            recognition_floor=given.recognition_floor,
        )
    ]


def evolve(rules: ScoringRules, event: ScoringRulesPublished) -> ScoringRules:
    return ScoringRules((*rules.versions, event))


scoring_rules: Decider[PublishScoringRules, ScoringRules, RulesFacts, ScoringRulesPublished] = Decider(
    stream="scoring_rules",
    initial=ScoringRules(),
    decide=decide,
    evolve=evolve,
    events=(ScoringRulesPublished,),
)


def identity_of(campaign_id: str, subject: str) -> str:
    """The identity of a campaign's rules for units or for members."""
    return f"{campaign_id}/{subject}"


def sum_of(entries: Iterable[PartWeight | ClassWeight]) -> Decimal:
    """What the entries weigh together."""
    return sum((entry.weight for entry in entries), Decimal(0))


def half_year_after(day: date) -> date:
    """The first day of the first half-year that begins after a day."""
    return date(day.year, 7, 1) if day < date(day.year, 7, 1) else date(day.year + 1, 1, 1)


def of_the_programme(subject: Subject, facts: RulesFacts) -> Rules:
    """The first version, as the programme has it, in force from the campaign's first day."""
    try:
        rules, form = facts.programme.scoring_rules_for(subject), facts.programme.review_form(subject)
    except UnknownKey as unknown:
        raise Refusal("scoring_rules.none_in_programme", "subject") from unknown
    return Rules(
        version=rules.version,
        label=Label(zh=rules.label.zh, en=rules.label.en),
        effective_from=facts.starts_on,
        work_record=tuple(PartWeight(part=entry.part, weight=entry.weight) for entry in rules.work_record),
        recognition=tuple(ClassWeight(rater_class=entry.rater_class, weight=entry.weight) for entry in form.weights),
        work_record_floor=rules.work_record_floor,
        recognition_floor=rules.recognition_floor,
    )


def _require_once(keys: Sequence[str], at: str) -> None:
    for n, key in enumerate(keys):
        require(key not in keys[:n], "scoring_rules.entry_repeated", f"rules.{at}[{n}]")


def _require_asked(weights: Sequence[ClassWeight], subject: Subject, programme: ProgrammeTemplate) -> None:
    """Every rater class is one that the programme's form asks."""
    asked = [form for form in programme.review_forms if form.subject == subject]
    known = [entry.rater_class for form in asked for entry in form.weights]
    for n, entry in enumerate(weights):
        at = f"rules.recognition[{n}].rater_class"
        require(entry.rater_class in known, "scoring_rules.class_unknown", at, known=", ".join(known))
