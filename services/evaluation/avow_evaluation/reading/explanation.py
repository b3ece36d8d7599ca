"""A score explained: from the total through its parts to the events, each figure computed again (R-49).

Promises: everything is computed from what the assessment says it came from and from the events it names, read from the
log by their ids: the parts are counted again from the events, recognition again from the result's counts. A figure that
does not come out as it was stored says so (tests/unit/evaluation/test_explanation.py).
"""

from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Connection, select

from avow.audit.explanation import Explanation, Filed, Step, filed, leaves
from avow.contracts.review import ClassTally, ReviewTallied
from avow.contracts.scoring import ScoringRulesPublished
from avow.contracts.values import Label
from avow.eventlog.records import Recorded
from avow.eventlog.types import EventTypes
from avow.kernel.refusal import Refusal
from avow.register.people import names_of
from avow.register.reading import RegisterReader
from avow_evaluation.domain.assessment import AssessmentCalculated
from avow_evaluation.domain.member_review import MemberReviewTallied
from avow_evaluation.domain.period_recognition import ClassScore, RecognitionScore
from avow_evaluation.domain.recognition import lower_bound, rounded, weighed
from avow_evaluation.domain.recount import EVIDENCE, recount
from avow_evaluation.domain.score import total
from avow_evaluation.domain.sensitivity import alternatives
from avow_evaluation.domain.spread import ReviewSpread
from avow_evaluation.domain.work_record import PartScore
from avow_evaluation.projections.assessments import Assessments, assessments
from avow_evaluation.reading.leaf import Words, named, words_for
from avow_evaluation.reading.subjects import unit_names

_TYPES = EventTypes(
    (*EVIDENCE, AssessmentCalculated, ReviewTallied, ReviewSpread, MemberReviewTallied, ScoringRulesPublished)
)
MISSING = {
    "no_work_record": Label(zh="没有总分：没有可计的工作实绩", en="No total: nothing of a work record to count"),
    "no_ledger_row": Label(zh="没有总分：本阶段台账无此对象", en="No total: no row of the ledger in this phase"),
    "withheld": Label(zh="没有总分：评议结果均不予公布", en="No total: every result is withheld"),
}
METHODS = {
    "mean": Label(zh="均值", en="Mean"),
    "shrunk": Label(zh="收缩均值", en="Shrunk mean"),
    "trimmed": Label(zh="截尾均值", en="Trimmed mean"),
    "median": Label(zh="中位数", en="Median"),
}
PARTS = {
    "obligations": Label(zh="履职", en="Obligations"),
    "fulfilment": Label(zh="践诺", en="Fulfilment"),
    "comments": Label(zh="点评", en="Comments"),
    "inspections": Label(zh="督查", en="Inspections"),
    "study": Label(zh="学习", en="Study"),
}


def explain_score(connection: Connection, org: str, assessment_id: str) -> Explanation | None:
    """The tree of an assessment's last revision; None where there is no such assessment."""
    sql = assessments.sql(Assessments.version)
    query = select(sql.c.event_ref).where(sql.c.org == org, sql.c.assessment_id == assessment_id)
    event_ref = connection.scalar(query)
    if event_ref is None:
        return None
    said = filed(connection, org, [event_ref])[event_ref]
    assessed = _TYPES.decode(said.record)
    assert isinstance(assessed, AssessmentCalculated)
    programme = RegisterReader(connection, org).campaign(assessed.campaign_id).programme
    behind = _behind(connection, org, assessed)
    decoded = (_TYPES.decode(one.record) for one in behind.values())
    words = words_for(connection, org, programme, decoded)
    tree = _explain(assessed, said, behind, words, _name(connection, org, assessed))
    return Explanation(id=assessment_id, org=org, agrees=tree.agrees, time_zone=programme.time_zone, tree=tree)


def explanation_of(connection: Connection, org: str, assessment_id: str) -> Explanation:
    """The same; refuses an unknown one."""
    explained = explain_score(connection, org, assessment_id)
    if explained is None:
        raise Refusal("assessment.unknown", "assessment_id")
    return explained


def _behind(connection: Connection, org: str, assessed: AssessmentCalculated) -> dict[str, Filed]:
    """Every event the assessment names."""
    named = [*(one for part in assessed.parts for one in part.evidence), assessed.rules_event]
    return filed(connection, org, [*named, *(assessed.recognition.evidence if assessed.recognition else ())])


def _explain(assessed: AssessmentCalculated, said: Filed, events: dict[str, Filed], words: Words, name: str) -> Step:
    parts = [_part(part, assessed, events, words) for part in assessed.parts]
    record, earned = _work_record(assessed, parts)
    steps = [*(Step(what=MISSING[reason]) for reason in assessed.missing), record]
    exact = None
    if assessed.recognition is not None:
        exact = _exact(assessed.recognition, assessed.recognition.classes)
        steps.append(_recognition(assessed.recognition, exact, events, words))
    steps += [_sensitivity(assessed, earned), _rules(assessed, events, words)]
    computed = total(earned, exact, assessed.recognition_weight)
    phase = named(words.programme.phases, assessed.phase)
    return Step(
        what=Label(zh=f"总分：{name}，{phase.zh}", en=f"Total: {name}, {phase.en}"),
        stored=_text(assessed.total),
        computed=_text(computed),
        event=said.ref,
        steps=steps,
    )


def _work_record(assessed: AssessmentCalculated, parts: list[Step]) -> tuple[Step, Fraction | None]:
    """The work record from its parts' counts, and the points it earns."""
    kept = [part for part in assessed.parts if part.denominator]
    every = sum((Fraction(part.weight) for part in assessed.parts), Fraction(0))
    weight = sum((Fraction(part.weight) for part in kept), Fraction(0))
    points = sum((Fraction(p.weight) * Fraction(p.numerator) / p.denominator for p in kept), Fraction(0))
    share = points / weight if weight else None
    step = Step(
        what=Label(zh=f"工作实绩（权重 {_plain(every)}）", en=f"Work record (weight {_plain(every)})"),
        stored=_text(assessed.work_record),
        computed=None if share is None else _text(rounded(100 * share)),
        steps=parts,
    )
    return step, None if share is None else share * every


def _part(part: PartScore, assessed: AssessmentCalculated, events: dict[str, Filed], words: Words) -> Step:
    kept = [one for one in assessed.parts if one.denominator]
    every = sum((Fraction(one.weight) for one in assessed.parts), Fraction(0))
    weight = sum((Fraction(one.weight) for one in kept), Fraction(0))
    there = [events[one] for one in part.evidence if one in events]
    again = recount(part.part, [(one.ref.event_id, _TYPES.decode(one.record)) for one in there], assessed.ends_on)
    name = PARTS[part.part]
    left_out = Label(zh="没有可计的事项，权重分给其余各项", en="nothing to count: its weight goes to the others")
    in_force = rounded(Fraction(part.weight) * every / weight) if part.denominator and weight else None
    value = rounded(Fraction(part.numerator) / part.denominator) if part.denominator else None
    return Step(
        what=name if part.denominator else Label(zh=f"{name.zh}：{left_out.zh}", en=f"{name.en}: {left_out.en}"),
        stored=_text(part.value),
        computed=_text(value),
        steps=[
            *_in_force(part.weight, part.in_force, in_force),
            Step(
                what=Label(zh="分子 / 分母", en="Numerator / denominator"),
                stored=f"{part.numerator} / {part.denominator}",
                computed=f"{again.numerator} / {again.denominator}",
                steps=_leaves(there, words),
            ),
        ],
    )


def _in_force(weight: Decimal, stored: Decimal | None, computed: Decimal | None) -> list[Step]:
    """The weight in force; nothing for what is left out."""
    if stored is None and computed is None:
        return []
    what = Label(zh=f"权重 {_plain(Fraction(weight))}，计入", en=f"Weight {_plain(Fraction(weight))}, in force")
    return [Step(what=what, stored=_text(stored), computed=_text(computed))]


def _recognition(said: RecognitionScore, exact: Decimal | None, events: dict[str, Filed], words: Words) -> Step:
    weight = sum((Fraction(entry.weight) for entry in said.classes), Fraction(0))
    kept = sum((Fraction(entry.weight) for entry in said.classes if entry.graded), Fraction(0))
    there = [events[one] for one in said.evidence if one in events]
    tallied = (_TYPES.decode(one.record) for one in there)
    classes = {
        tally.rater_class: tally
        for event in tallied
        if isinstance(event, ReviewTallied | MemberReviewTallied)
        for tally in event.classes
    }
    scale = weight / kept if kept else None
    steps = [_class(entry, said.z, scale, classes.get(entry.rater_class), words) for entry in said.classes]
    return Step(
        what=Label(zh=f"群众公认度（权重 {_plain(weight)}）", en=f"Recognition (weight {_plain(weight)})"),
        stored=_text(said.score),
        computed=None if exact is None else _text(rounded(exact)),
        steps=[*steps, *_leaves(there, words)],
    )


def _class(entry: ClassScore, z: Decimal, scale: Fraction | None, tally: ClassTally | None, words: Words) -> Step:
    heard = entry.graded is not None
    raters = named(words.programme.rater_classes, entry.rater_class)
    name = Label(zh=f"评议主体：{raters.zh}", en=f"Rater class: {raters.en}")
    left_out = Label(zh=f"{name.zh}：不足最低票数，不计", en=f"{name.en}: below its minimum, left out")
    in_force = rounded(Fraction(entry.weight) * scale) if heard and scale is not None else None
    counts = None if tally is None or not tally.counted else f"{tally.support} / {tally.graded}"
    bound = None if not entry.graded or entry.support is None else lower_bound(Fraction(entry.support), entry.graded, z)
    return Step(
        what=name if heard else left_out,
        stored=_text(entry.lower_bound),
        computed=None if bound is None else _text(rounded(bound)),
        steps=[
            *_in_force(entry.weight, entry.in_force, in_force),
            Step(
                what=Label(zh="优良票数 / 有效票数", en="Support / graded ballots"),
                stored=f"{entry.support} / {entry.graded}",
                computed=counts,
            ),
        ]
        if heard
        else [],
    )


def _exact(said: RecognitionScore, classes: tuple[ClassScore, ...]) -> Decimal | None:
    """The recognition to 50 digits, from the counts the assessment says."""
    return weighed([(entry, entry.weight) for entry in classes], said.z)


def _sensitivity(assessed: AssessmentCalculated, earned: Fraction | None) -> Step:
    """The totals the other ways to measure recognition give, from the means of each class."""
    heard = () if assessed.recognition is None else assessed.recognition.classes
    weights = {entry.rater_class: Fraction(entry.weight) for entry in heard}
    again = alternatives(assessed.means, weights, earned, Fraction(assessed.recognition_weight))
    totals = {one.method: one.total for one in again}
    return Step(
        what=Label(zh="换一种算法（不作数）", en="Measured otherwise, never official"),
        steps=[
            Step(what=METHODS[one.method], stored=_text(one.total), computed=_text(totals.get(one.method)))
            for one in assessed.alternatives
        ],
    )


def _rules(assessed: AssessmentCalculated, events: dict[str, Filed], words: Words) -> Step:
    published = events.get(assessed.rules_event)
    rules = None if published is None else _TYPES.decode(published.record)
    return Step(
        what=Label(zh="考评办法", en="Scoring rules"),
        stored=f"v{assessed.rules_version}",
        computed=f"v{rules.version}" if isinstance(rules, ScoringRulesPublished) else None,
        steps=[] if published is None else _leaves([published], words),
    )


def _leaves(events: list[Filed], words: Words) -> list[Step]:
    def said(record: Recorded) -> Label:
        return words.of(_TYPES.decode(record), record.occurred_at)

    return leaves(events, said)


def _name(connection: Connection, org: str, assessed: AssessmentCalculated) -> str:
    if assessed.subject == "unit":
        return unit_names(connection, org, [assessed.subject_id]).get(assessed.subject_id, assessed.subject_id)
    return names_of(connection, org, [assessed.subject_id]).get(assessed.subject_id) or assessed.subject_id


def _text(figure: Decimal | None) -> str | None:
    return None if figure is None else format(figure, "f")


def _plain(weight: Fraction) -> str:
    return format(rounded(weight).normalize(), "f")
