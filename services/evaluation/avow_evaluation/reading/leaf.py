"""What an event behind a score said, in words for whoever reads the explanation (R-49).

Promises: words come from the events and the programme alone; of what may be sealed nothing is said
(tests/unit/evaluation/test_explanation.py). Limit: days are in the campaign's time zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from avow.contracts.meeting import CommentRecorded
from avow.contracts.obligation import ObligationAssessed, ObligationReassessed, ObligationWaived
from avow.contracts.pledge import PledgeItem, PledgeItemVerified, PledgeMade, PledgeWithdrawn
from avow.contracts.review import ReviewTallied
from avow.contracts.scoring import ScoringRulesPublished
from avow.contracts.values import Label
from avow.kernel.message import Event
from avow.programme import ProgrammeTemplate
from avow.programme.vocabulary import Term
from avow_evaluation.domain.member_review import MemberReviewTallied
from avow_evaluation.domain.spread import ReviewSpread
from avow_evaluation.projections.round_board import RoundBoard, rounds

OUTCOMES = {
    "met": Label(zh="按期", en="met"),
    "met_late": Label(zh="逾期完成", en="met late"),
    "missed": Label(zh="未完成", en="missed"),
}
VALIDITIES = {
    "valid": Label(zh="有效", en="valid"),
    "low": Label(zh="参评率偏低", en="low turnout"),
    "invalid": Label(zh="无效", en="invalid"),
}


@dataclass(frozen=True)
class Words:
    """Puts events into words, with what the others behind the same score say of the same thing."""

    programme: ProgrammeTemplate
    titles: Mapping[str, Label]
    duties: dict[str, ObligationAssessed | ObligationWaived] = field(default_factory=dict)
    items: dict[tuple[str, int], PledgeItem] = field(default_factory=dict)

    def of(self, event: Event | None, occurred_at: datetime) -> Label:
        """What it said."""
        match event:
            case ObligationAssessed() | ObligationReassessed():
                outcome = OUTCOMES[event.outcome]
                again = isinstance(event, ObligationReassessed)
                zh, en = ("改为", "now ") if again else ("", "")
                return self._duty(event.obligation_id, Label(zh=f"{zh}{outcome.zh}", en=f"{en}{outcome.en}"))
            case ObligationWaived():
                return self._duty(event.obligation_id, Label(zh="免除", en="waived"))
            case PledgeMade():
                day, n = self._day(occurred_at), len(event.items)
                return Label(
                    zh=f"承诺 {event.pledge_id[:8]}，共 {n} 项，{day} 作出",
                    en=f"Pledge of {n} item{'s' if n > 1 else ''}, made {day}",
                )
            case PledgeItemVerified():
                return self._items(event.pledge_id, [event.item], Label(zh="已核实", en="verified"))
            case PledgeWithdrawn():
                gone = Label(zh="撤回，准予免责", en="withdrawn, excused")
                kept = Label(zh="撤回，不予免责", en="withdrawn, not excused")
                return self._items(event.pledge_id, event.items, gone if event.excused else kept)
            case CommentRecorded():
                day = self._day(occurred_at)
                return Label(zh=f"点评 {event.grade} 分，{day}", en=f"Comment, grade {event.grade}, {day}")
            case ReviewTallied() | MemberReviewTallied():
                title, found = self._title(event.round_id), VALIDITIES[event.validity]
                return Label(zh=f"评议结果《{title.zh}》：{found.zh}", en=f"Result of “{title.en}”: {found.en}")
            case ReviewSpread():
                title = self._title(event.round_id)
                return Label(zh=f"选票分布《{title.zh}》", en=f"Spread of the ballots of “{title.en}”")
            case ScoringRulesPublished():
                label, since = event.label, event.effective_from
                return Label(
                    zh=f"《{label.zh}》v{event.version}，自 {since} 起",
                    en=f"{label.en}, v{event.version} from {since}",
                )
            case _:
                return Label(zh="事件", en="Event")

    def _duty(self, obligation_id: str, outcome: Label) -> Label:
        owed = self.duties.get(obligation_id)
        if owed is None:
            return Label(zh=f"职责 {obligation_id[:8]}：{outcome.zh}", en=f"Obligation: {outcome.en}")
        name = named(self.programme.obligations, owed.obligation)
        period = _period(owed.starts_on, owed.ends_on)
        return Label(zh=f"{name.zh} {period}：{outcome.zh}", en=f"{name.en} {period}: {outcome.en}")

    def _items(self, pledge_id: str, numbers: Iterable[int], outcome: Label) -> Label:
        labels = [self._item(pledge_id, number) for number in numbers]
        zh, en = "、".join(label.zh for label in labels), ", ".join(label.en for label in labels)
        return Label(zh=f"承诺 {pledge_id[:8]} {zh}：{outcome.zh}", en=f"{en}: {outcome.en}")

    def _item(self, pledge_id: str, number: int) -> Label:
        item = self.items.get((pledge_id, number))
        if item is None:
            return Label(zh=f"第 {number + 1} 项", en=f"item {number + 1}")
        name = named(self.programme.criteria, item.criterion)
        return Label(zh=f"第 {number + 1} 项（{name.zh}）", en=f"item {number + 1} ({name.en})")

    def _title(self, round_id: str) -> Label:
        return self.titles.get(round_id, Label(zh=round_id[:8], en=round_id[:8]))

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.programme.time_zone)).date()


def words_for(connection: Connection, org: str, programme: ProgrammeTemplate, events: Iterable[Event | None]) -> Words:
    """The words of a programme for these events."""
    told = list(events)
    round_ids = {e.round_id for e in told if isinstance(e, ReviewTallied | MemberReviewTallied | ReviewSpread)}
    sql = rounds.sql(RoundBoard.version)
    query = select(sql.c.round_id, sql.c.title).where(sql.c.org == org, sql.c.round_id.in_(sorted(round_ids)))
    titles = {row.round_id: Label.model_validate(row.title) for row in connection.execute(query) if row.title}
    words = Words(programme, titles)
    for event in told:
        if isinstance(event, ObligationAssessed | ObligationWaived):
            words.duties[event.obligation_id] = event
        elif isinstance(event, PledgeMade):
            words.items.update({(event.pledge_id, n): item for n, item in enumerate(event.items)})
    return words


def named(terms: Iterable[Term], key: str) -> Label:
    """What people call an entry; its key where the programme has no such entry."""
    label = next((term.label for term in terms if term.key == key), None)
    return Label(zh=key, en=key) if label is None else Label(zh=label.zh, en=label.en)


def _period(starts_on: date, ends_on: date) -> str:
    """`2010-09` for a whole month, else its days."""
    is_month = starts_on.day == 1 and (ends_on + timedelta(days=1)) == (starts_on + timedelta(days=31)).replace(day=1)
    return f"{starts_on:%Y-%m}" if is_month else f"{starts_on}—{ends_on}"
