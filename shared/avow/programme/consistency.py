"""Whether a template agrees with itself: keys, dates, weights, grades, criteria, quotas and the chain.

Promises: every fault is found in one pass and named with its path. Limit: whether the values are wise is for the
committee to say.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from avow.programme.cadence import OnDates
from avow.programme.errors import Problem
from avow.programme.references import key_problems
from avow.programme.vocabulary import Term

if TYPE_CHECKING:
    from avow.programme.review import ReviewForm
    from avow.programme.template import ProgrammeTemplate


def problems(template: "ProgrammeTemplate") -> Iterator[Problem]:
    """Everything in which the template contradicts itself."""
    yield from key_problems(template)
    yield from _apart((f"criteria_sets[{n}].criteria", e.criteria) for n, e in enumerate(template.criteria_sets))
    classes = template.rater_classes
    kinds = [(f"rater_classes[{n}].kinds", entry.kinds) for n, entry in enumerate(classes)]
    yield from _apart([("rater_classes", classes), *kinds])
    yield from _units(template)
    yield from _dates(template)
    yield from _obligations(template)
    yield from _bounds(template)
    yield from _grades(template)
    for n, form in enumerate(template.review_forms):
        yield from _form(f"review_forms[{n}]", form, template)
    yield from _scoring(template)
    yield from _chain(template)


def _apart(lists: Iterable[tuple[str, Sequence[Term]]]) -> Iterator[Problem]:
    """Lists that are looked up as one share no key."""
    taken: set[str] = set()
    for at, entries in lists:
        for n, entry in enumerate(entries):
            if entry.key in taken:
                yield Problem(f"{at}[{n}].key", f"{entry.key!r} is already taken")
        taken.update(entry.key for entry in entries)


def _units(template: "ProgrammeTemplate") -> Iterator[Problem]:
    kinds = [kind.key for kind in template.unit_kinds]
    for n, kind in enumerate(template.unit_kinds):
        for m, parent in enumerate(kind.parents):
            if parent in kinds[n:]:
                yield Problem(f"unit_kinds[{n}].parents[{m}]", f"{parent!r} must be listed above {kind.key!r}")


def _dates(template: "ProgrammeTemplate") -> Iterator[Problem]:
    if template.ends_on is not None and template.ends_on < template.starts_on:
        yield Problem("ends_on", f"the campaign ends before it starts on {template.starts_on}")
    for n, phase in enumerate(template.phases):
        if phase.ends_on < phase.starts_on:
            yield Problem(f"phases[{n}].ends_on", f"{phase.key!r} ends before it starts on {phase.starts_on}")
        if phase.starts_on < template.starts_on:
            yield Problem(f"phases[{n}].starts_on", f"{phase.key!r} starts before the campaign")
        if template.ends_on is not None and phase.ends_on > template.ends_on:
            yield Problem(f"phases[{n}].ends_on", f"{phase.key!r} ends after the campaign")
        if phase.soft_end != (phase.grace_days > 0):
            yield Problem(f"phases[{n}].grace_days", "a soft end has days of grace, a hard end has none")
    for n, (earlier, later) in enumerate(pairwise(template.phases), start=1):
        if later.starts_on <= earlier.last_day:
            yield Problem(f"phases[{n}].starts_on", f"{earlier.key!r} is not over before {earlier.last_day} has passed")


def _obligations(template: "ProgrammeTemplate") -> Iterator[Problem]:
    for n, obligation in enumerate(template.obligations):
        if obligation.owner.nobody:
            yield Problem(f"obligations[{n}].owner", "names nobody who owes it")
        for m, day in enumerate(obligation.due.dates if isinstance(obligation.due, OnDates) else ()):
            if day < template.starts_on or (template.ends_on is not None and day > template.ends_on):
                yield Problem(f"obligations[{n}].due.dates[{m}]", f"{day} lies outside the campaign")


def _bounds(template: "ProgrammeTemplate") -> Iterator[Problem]:
    for name, rules in (("unit", template.pledge.unit), ("member", template.pledge.member)):
        if rules is not None and rules.max_items < rules.min_items:
            yield Problem(f"pledge.{name}.max_items", f"is below min_items, {rules.min_items}")
    if template.turnout.warn_below < template.turnout.invalid_below:
        yield Problem("turnout.warn_below", "is below invalid_below, so nobody would ever be warned")
    if template.satisfaction.target < template.satisfaction.rectify_below:
        yield Problem("satisfaction.target", f"is below rectify_below, {template.satisfaction.rectify_below}")
    for n, award in enumerate(template.awards):
        if award.quota.max_per_unit < award.quota.min_per_unit:
            yield Problem(f"awards[{n}].quota.max_per_unit", f"is below min_per_unit, {award.quota.min_per_unit}")


def _grades(template: "ProgrammeTemplate") -> Iterator[Problem]:
    for n, scale in enumerate(template.grade_scales):
        for m, (better, worse) in enumerate(pairwise(scale.grades), start=1):
            at = f"grade_scales[{n}].grades[{m}]"
            if worse.points >= better.points:
                yield Problem(f"{at}.points", f"{worse.key!r} must be worth less than {better.key!r}")
            if worse.top and not better.top:
                yield Problem(f"{at}.top", f"{worse.key!r} cannot be a top grade while {better.key!r} is none")
        if len({grade.top for grade in scale.grades}) == 1:
            yield Problem(f"grade_scales[{n}].grades", "some grades are top grades and some are not")


def _form(at: str, form: "ReviewForm", template: "ProgrammeTemplate") -> Iterator[Problem]:
    criteria = [c for entry in template.criteria_sets if entry.subject == form.subject for c in entry.criteria]
    foreign = {c.key for c in template.criteria} - {c.key for c in criteria}
    for n, row in enumerate(form.rows):
        for m, key in enumerate(row.criteria):
            if key in foreign:
                yield Problem(f"{at}.rows[{n}].criteria[{m}]", f"{key!r} is not a criterion for a {form.subject}")
    asked = {key for row in form.rows for key in row.criteria}
    if not any(criterion.public_only and criterion.key in asked for criterion in criteria):
        yield Problem(f"{at}.rows", "no row is evidence for a criterion that only public raters answer (R-17)")
    public = {entry.key for entry in template.rater_classes if not entry.is_member}
    if all(entry.weight == 0 for entry in form.weights):
        yield Problem(f"{at}.weights", "every weight is zero")
    elif not any(entry.weight > 0 for entry in form.weights if entry.rater_class in public):
        yield Problem(f"{at}.weights", "public raters weigh nothing (R-51)")


def _scoring(template: "ProgrammeTemplate") -> Iterator[Problem]:
    recognition = {form.subject: sum(entry.weight for entry in form.weights) for form in template.review_forms}
    for n, rules in enumerate(template.scoring_rules):
        work_record = sum(entry.weight for entry in rules.work_record)
        if work_record == 0:
            yield Problem(f"scoring_rules[{n}].work_record", "every weight is zero")
        if rules.subject not in recognition:
            yield Problem(f"scoring_rules[{n}].subject", f"there is no review form for a {rules.subject}")
        elif work_record + recognition[rules.subject] != 100:
            total = work_record + recognition[rules.subject]
            yield Problem(f"scoring_rules[{n}].work_record", f"makes {total} with the review form's weights, not 100")
    scored = {rules.subject for rules in template.scoring_rules}
    for n, award in enumerate(template.awards):
        if award.subject not in scored:
            yield Problem(f"awards[{n}].subject", f"there are no scoring rules for a {award.subject}")


def _chain(template: "ProgrammeTemplate") -> Iterator[Problem]:
    steps = template.recommendation_chain
    for n, step in enumerate(steps):
        at = f"recommendation_chain[{n}]"
        if (step.act == "nominate") != (n == 0):
            yield Problem(f"{at}.act", "the first step nominates, and no other")
        if (step.act == "approve") != (n == len(steps) - 1):
            yield Problem(f"{at}.act", "the last step approves, and no other")
        if not (step.by.units or step.by.roles):
            yield Problem(f"{at}.by", "names no kind of unit and no role")
    if [step.act for step in steps].count("notice") != 1:
        yield Problem("recommendation_chain", "holds one public notice, no more and no fewer")
