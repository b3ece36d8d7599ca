"""What is known of every subject in a period, from the evidence (R-47, R-49).

Promises: all of it is read in one snapshot, in the order it came into the log, so the same log gives the same lists. A
period is its days, both included, in the programme's time zone: a duty counts by the day its own period ends, a comment
and a result by the moment they happened, an item of a pledge by the phase of the pledge and the day it is due. A duty
that is only advisory never counts (R-33); a unit has every duty that is said to count for it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, select

from avow.contracts.review import ClassTally
from avow.contracts.scoring import ScoredPart
from avow.kernel.refusal import Refusal
from avow.programme import ProgrammeTemplate, UnknownKey
from avow.programme.vocabulary import Phase, Subject
from avow.register.reading import RegisterReader
from avow_evaluation.domain.period_recognition import Reviewed
from avow_evaluation.domain.spread import ClassSpread
from avow_evaluation.domain.work_record import Counted, Duty, Graded, Item
from avow_evaluation.domain.work_record import comments as count_comments
from avow_evaluation.domain.work_record import fulfilment as count_fulfilment
from avow_evaluation.domain.work_record import obligations as count_obligations
from avow_evaluation.projections.evidence import Evidence, comments, duties, items, results


@dataclass(frozen=True)
class Period:
    """A phase of a campaign: its days, its days of grace included, and its moments."""

    campaign_id: str
    programme: ProgrammeTemplate
    phase: Phase

    @property
    def begins(self) -> datetime:
        return self._midnight(self.phase.starts_on)

    @property
    def over(self) -> datetime:
        """The first moment behind it."""
        return self._midnight(self.phase.last_day + timedelta(days=1))

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.programme.time_zone)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)


def period_of(reader: RegisterReader, campaign_id: str, phase: str) -> Period:
    """A phase of an approved campaign. Raises Refusal: `campaign.unknown`, `assessment.phase_unknown`."""
    programme = reader.campaign(campaign_id).programme
    try:
        return Period(campaign_id, programme, programme.phase(phase))
    except UnknownKey as unknown:
        raise Refusal("assessment.phase_unknown", "phase", known=", ".join(unknown.known)) from unknown


def counted(connection: Connection, org: str, period: Period, subject: Subject) -> dict[str, dict[ScoredPart, Counted]]:
    """What each part counts, by subject."""
    found: dict[str, dict[ScoredPart, Counted]] = defaultdict(dict)
    for subject_id, owed in duties_of(connection, org, period, subject).items():
        found[subject_id]["obligations"] = count_obligations(owed)
    for subject_id, promised in items_of(connection, org, period, subject).items():
        found[subject_id]["fulfilment"] = count_fulfilment(promised, period.phase.last_day)
    for subject_id, said in comments_on(connection, org, period, subject).items():
        found[subject_id]["comments"] = count_comments(said)
    return found


def reviewed(connection: Connection, org: str, period: Period, subject: Subject) -> dict[str, list[Reviewed]]:
    """The results of each subject tallied within the period, withheld or not."""
    sql = results.sql(Evidence.version)
    query = _of(sql, org, period).where(sql.c.subject == subject, *_within(sql, "tallied_at", period))
    found: dict[str, list[Reviewed]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["subject_id"]].append(_reviewed(row))
    return found


def duties_of(connection: Connection, org: str, period: Period, subject: Subject) -> dict[str, list[Duty]]:
    """The duties that count, by whom they are counted for."""
    sql = duties.sql(Evidence.version)
    advisory = [entry.key for entry in period.programme.obligations if entry.advisory]
    phase = period.phase
    query = _of(sql, org, period).where(
        sql.c.ends_on >= phase.starts_on, sql.c.ends_on <= phase.last_day, sql.c.obligation.not_in(advisory)
    )
    if subject == "member":
        query = query.where(sql.c.owner_kind == "member")
    found: dict[str, list[Duty]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        owner = row["unit_id"] if subject == "unit" else row["owner_id"]
        found[owner].append(Duty(row["outcome"], row["waived"], tuple(row["events"])))
    return found


def items_of(connection: Connection, org: str, period: Period, subject: Subject) -> dict[str, list[Item]]:
    """The items of pledges that count, by pledger."""
    sql = items.sql(Evidence.version)
    query = _of(sql, org, period).where(sql.c.phase == period.phase.key, sql.c.pledger_kind == subject)
    found: dict[str, list[Item]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        due_on = row["due_on"] or period.phase.ends_on
        found[row["pledger_id"]].append(Item(due_on, row["verified"], row["excused"], tuple(row["events"])))
    return found


def comments_on(connection: Connection, org: str, period: Period, subject: Subject) -> dict[str, list[Graded]]:
    """The graded comments that count, by whom they are about."""
    sql = comments.sql(Evidence.version)
    query = _of(sql, org, period).where(sql.c.grade.is_not(None), *_within(sql, "commented_at", period))
    about = sql.c.person_id if subject == "member" else sql.c.unit_id
    query = query.where(sql.c.person_id.is_not(None) if subject == "member" else sql.c.person_id.is_(None))
    found: dict[str, list[Graded]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row[about.name]].append(Graded(row["grade"], row["event_ref"]))
    return found


def _of(sql: Table, org: str, period: Period) -> Select[tuple[object, ...]]:
    of_campaign = sql.c.org == org, sql.c.campaign_id == period.campaign_id
    return select(sql).where(*of_campaign).order_by(sql.c.position, *sql.primary_key.columns)


def _within(sql: Table, name: str, period: Period) -> Sequence[ColumnElement[bool]]:
    return sql.c[name] >= period.begins, sql.c[name] < period.over


def _reviewed(row: RowMapping) -> Reviewed:
    return Reviewed(
        round_id=row["round_id"],
        event=row["event_ref"],
        tallied_at=row["tallied_at"],
        position=row["position"],
        validity=row["validity"],
        classes=tuple(ClassTally.model_validate(one) for one in row["classes"]),
        z=row["z"],
        spread=tuple(ClassSpread.model_validate(one) for one in row["spread"] or ()),
        spread_by=row["spread_ref"],
    )
