"""The form a round is held by, as its programme has it: all a tally needs, so a recount reads no file (R-41, R-42)."""

from collections.abc import Iterable

from avow.contracts.review import ClassWeight, FormRow, Grade, ReviewForm
from avow.contracts.values import Label
from avow.kernel.refusal import Refusal
from avow.programme import ProgrammeTemplate, UnknownKey
from avow.programme.review import ReviewForm as ProgrammeForm
from avow.programme.vocabulary import Label as ProgrammeLabel


def unit_form(programme: ProgrammeTemplate) -> ReviewForm:
    """The form units are reviewed by; refuses where the programme has none."""
    try:
        form = programme.review_form("unit")
    except UnknownKey as unknown:
        raise Refusal("round.no_unit_form", "campaign_id") from unknown
    return _form(programme, form, (FormRow(key=row.key, label=_label(row.label)) for row in form.rows))


def member_form(programme: ProgrammeTemplate, people: Iterable[str]) -> ReviewForm:
    """The form by which members are reviewed together: a row for each, for one grade over all; refuses likewise."""
    try:
        form = programme.review_form("member")
    except UnknownKey as unknown:
        raise Refusal("round.no_member_form", "campaign_id") from unknown
    return _form(programme, form, (FormRow(key=row_of(person_id), label=_label(form.label)) for person_id in people))


def row_of(person_id: str) -> str:
    """The key of the row on which a member is graded."""
    return f"member.{person_id}"


def _form(programme: ProgrammeTemplate, form: ProgrammeForm, rows: Iterable[FormRow]) -> ReviewForm:
    return ReviewForm(
        rows=tuple(rows),
        grades=tuple(
            Grade(key=grade.key, label=_label(grade.label), points=grade.points, top=grade.top)
            for grade in programme.scale(form.scale).grades
        ),
        weights=tuple(ClassWeight(rater_class=entry.rater_class, weight=entry.weight) for entry in form.weights),
        invalid_below=programme.turnout.invalid_below,
        warn_below=programme.turnout.warn_below,
        minimum_ballots=programme.class_minimum.at_least,
        minimum_share=programme.class_minimum.share,
        z=programme.recognition.z,
    )


def _label(label: ProgrammeLabel) -> Label:
    return Label(zh=label.zh, en=label.en)
