"""Every score and every place of a campaign computed anew from its raw events, with the standard library alone.

    oracle.scores(pledge_events, evaluation_events)          # {assessment id: figures}
    oracle.disagreements(pledge_events, evaluation_events)   # [] where the service is right

Events are plain dicts: `position` in the evaluation service's log, `event_id`, `type`, `occurred_at` (with a zone) and
`data`; tests/kit/raw_log.py makes them of a log. Recognition starts from the ballots themselves. Square roots are taken
by `math.isqrt` to 60 decimals, so nothing here shares a step with the service (oracle_review.py has the reviews).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.kit.oracle_places import as_said, misplaced
from tests.kit.oracle_review import Heard, alternatives, heard_in, nine, recognised

Raw = Mapping[str, Any]
Figures = dict[str, Any]
Count = tuple[Fraction, int]


class Log:
    """What was known at a position of the evaluation service's log, for one sheet."""

    def __init__(self, events: Iterable[Raw], position: int, campaign: str, phase: str, subject: str) -> None:
        self.events = sorted((e for e in events if e["position"] <= position), key=lambda e: int(e["position"]))
        self.campaign, self.subject = campaign, subject
        approved = next(e["data"] for e in self.of("campaign.approved") if e["data"]["campaign_id"] == campaign)
        self.programme = approved["programme"]
        self.phase = next(one for one in self.programme["phases"] if one["key"] == phase)
        self.first = date.fromisoformat(self.phase["starts_on"])
        self.last = date.fromisoformat(self.phase["ends_on"]) + timedelta(days=self.phase["grace_days"])
        zone = ZoneInfo(self.programme["time_zone"])
        self.begins = datetime.combine(self.first, time(), zone)
        self.over = datetime.combine(self.last + timedelta(days=1), time(), zone)

    def of(self, *types: str) -> list[Raw]:
        return [event for event in self.events if event["type"] in types]

    def mine(self, *types: str) -> list[Raw]:
        """The events of these types that belong to the campaign."""
        return [event for event in self.of(*types) if event["data"]["campaign_id"] == self.campaign]

    def rules(self) -> Raw:
        published = [e for e in self.mine("scoring_rules.published") if e["data"]["subject"] == self.subject]
        in_time = [e for e in published if date.fromisoformat(e["data"]["effective_from"]) <= self.first]
        return max(in_time, key=lambda e: int(e["data"]["version"]))


def scores(pledge_events: Sequence[Raw], evaluation_events: Sequence[Raw]) -> dict[str, Figures]:
    """The figures of every assessment that stands, by its id, from what was known where it was calculated."""
    events = [*pledge_events, *evaluation_events]
    found: dict[str, Figures] = {}
    sheets: dict[tuple[Any, ...], dict[str, Figures]] = {}
    for event in _standing(evaluation_events):
        said = event["data"]
        at = said["evidence_position"], said["campaign_id"], said["phase"], said["subject"]
        key = *at, event["occurred_at"]
        if key not in sheets:
            sheets[key] = _sheet(Log(events, *at), event["occurred_at"])
        found[said["assessment_id"]] = sheets[key].get(said["subject_id"], {"unit_id": None})
    return found


def disagreements(pledge_events: Sequence[Raw], evaluation_events: Sequence[Raw]) -> list[str]:
    """Every figure an assessment or a place says that comes out otherwise here."""
    computed = scores(pledge_events, evaluation_events)
    standing = _standing(evaluation_events)
    found = []
    for event in standing:
        said, ours = event["data"], computed[event["data"]["assessment_id"]]
        theirs = as_said(said)
        who = f"{said['subject']} {said['subject_id']} {said['phase']}"
        wrong = [name for name in theirs if theirs[name] != ours.get(name)]
        found += [f"{who}: {name} is {theirs[name]!r}, not {ours.get(name)!r}" for name in wrong]
    return found + misplaced(evaluation_events, {event["event_id"]: event["data"] for event in standing}, computed)


def _standing(events: Iterable[Raw]) -> list[Raw]:
    """The last assessment of each subject that is on a sheet."""
    last: dict[str, Raw] = {}
    for event in sorted(events, key=lambda e: int(e["position"])):
        if event["type"] == "assessment.calculated":
            last[event["data"]["assessment_id"]] = event
        elif event["type"] == "assessment.dropped":
            last.pop(event["data"]["assessment_id"], None)
    return list(last.values())


def _sheet(log: Log, asked_at: datetime) -> dict[str, Figures]:
    rules = log.rules()["data"]
    who = _subjects(log, min(asked_at, log.over - timedelta(microseconds=1)))
    heard = {key: recognised(rules["recognition"], results) for key, results in heard_in(log).items()}
    withheld = {key for key, one in heard.items() if one is None}
    of_category: dict[str, list[Heard]] = defaultdict(list)
    for key, (_, category, _) in who.items():
        if (one := heard.get(key)) is not None:
            of_category[category].append(one)
    parts = {"obligations": _obligations(log), "fulfilment": _fulfilment(log), "comments": _comments(log)}
    found = {}
    for key, (unit_id, category, standing) in who.items():
        figures: Figures = {"unit_id": unit_id, "category": category, "standing": standing}
        counts = {part: by_subject.get(key, (Fraction(0), 0)) for part, by_subject in parts.items()}
        earned = _work_record(figures, rules["work_record"], counts)
        _join(figures, rules, earned, heard.get(key), of_category[category])
        missing = [] if earned is not None else ["no_work_record"]
        if heard.get(key) is None:
            missing.append("withheld" if key in withheld else "no_ledger_row")
        figures["missing"] = missing
        found[key] = figures
    return found


def _subjects(log: Log, at: datetime) -> dict[str, tuple[str, str, str | None]]:
    """Unit, category and standing of everybody on the sheet."""
    gone = {e["data"]["unit_id"] for e in log.of("unit.merged") if moment(e["data"]["since"]) <= at}
    units = {
        e["data"]["unit_id"]: e["data"]["category"]
        for e in log.of("unit.registered")
        if e["occurred_at"] <= at and e["data"]["category"] is not None and e["data"]["unit_id"] not in gone
    }
    if log.subject == "unit":
        return {unit_id: (unit_id, category, None) for unit_id, category in units.items()}
    left = {
        (e["data"]["person_id"], e["data"]["unit_id"], e["data"]["since"]): moment(e["data"]["until"])
        for e in log.of("member.left")
    }
    found: dict[str, tuple[str, str, str | None]] = {}
    for event in sorted(log.of("member.enrolled"), key=lambda e: moment(e["data"]["since"])):
        said = event["data"]
        until = left.get((said["person_id"], said["unit_id"], said["since"]))
        if moment(said["since"]) <= at and (until is None or at < until) and said["unit_id"] in units:
            found[said["person_id"]] = said["unit_id"], units[said["unit_id"]], said["standing"]
    return found


def _obligations(log: Log) -> dict[str, Count]:
    advisory = {one["key"] for one in log.programme["obligations"] if one["advisory"]}
    owed: dict[str, Raw] = {}
    outcome: dict[str, str] = {}
    waived = set()
    for event in log.of("obligation.assessed", "obligation.reassessed", "obligation.waived"):
        said = event["data"]
        if event["type"] != "obligation.reassessed":
            owed[said["obligation_id"]] = said
        if event["type"] == "obligation.waived":
            waived.add(said["obligation_id"])
        else:
            outcome[said["obligation_id"]] = said["outcome"]
    worth = {"met": Fraction(1), "met_late": Fraction(1, 2), "missed": Fraction(0)}
    found: dict[str, Count] = {}
    for key, said in owed.items():
        counts = said["campaign_id"] == log.campaign and said["obligation"] not in advisory and key not in waived
        if not counts or not log.first <= date.fromisoformat(said["ends_on"]) <= log.last:
            continue
        if log.subject == "member" and said["owner"]["kind"] != "member":
            continue
        owner = said["unit_id"] if log.subject == "unit" else said["owner"]["id"]
        met, closed = found.get(owner, (Fraction(0), 0))
        found[owner] = met + worth[outcome[key]], closed + 1
    return found


def _fulfilment(log: Log) -> dict[str, Count]:
    verified = {(e["data"]["pledge_id"], e["data"]["item"]) for e in log.of("pledge.item_verified")}
    withdrawn = [e["data"] for e in log.of("pledge.withdrawn") if e["data"]["excused"]]
    excused = {(said["pledge_id"], n) for said in withdrawn for n in said["items"]}
    found: dict[str, Count] = {}
    for event in log.mine("pledge.made"):
        said = event["data"]
        if said["phase"] != log.phase["key"] or said["pledger"]["kind"] != log.subject:
            continue
        kept, due = found.get(said["pledger"]["id"], (Fraction(0), 0))
        for n, item in enumerate(said["items"]):
            day = max(item["milestones"], default=log.phase["ends_on"])
            if date.fromisoformat(day) <= log.last and (said["pledge_id"], n) not in excused:
                due += 1
                kept += (said["pledge_id"], n) in verified
        found[said["pledger"]["id"]] = kept, due
    return found


def _comments(log: Log) -> dict[str, Count]:
    found: dict[str, Count] = {}
    for event in log.mine("comment.recorded"):
        said = event["data"]
        about = said.get("person_id") if log.subject == "member" else said["unit_id"]
        of_kind = about is not None and (said.get("person_id") is not None) == (log.subject == "member")
        if of_kind and said["grade"] is not None and log.begins <= event["occurred_at"] < log.over:
            total, count = found.get(about, (Fraction(0), 0))
            found[about] = total + Fraction(said["grade"], 100), count + 1
    return found


def _work_record(figures: Figures, weights: Sequence[Raw], counts: Mapping[str, Count]) -> Fraction | None:
    """The points the work record earns, beside the figures of its parts."""
    counted = {entry["part"]: counts.get(entry["part"], (Fraction(0), 0)) for entry in weights}
    weight = {entry["part"]: Fraction(entry["weight"]) for entry in weights}
    every = sum(weight.values())
    kept = sum(weight[part] for part, (_, below) in counted.items() if below)
    earned = Fraction(0)
    for part, (above, below) in counted.items():
        in_force = weight[part] * every / kept if below and kept else None
        figures[f"{part}: count"] = (str(above), below)
        figures[f"{part}: value"] = nine(above / below) if below else None
        figures[f"{part}: in force"] = None if in_force is None else nine(in_force)
        earned += in_force * above / below if in_force is not None else 0
    figures["work_record"] = nine(100 * earned / every) if kept else None
    return earned if kept else None


def _join(figures: Figures, rules: Raw, earned: Fraction | None, heard: Heard | None, others: Sequence[Heard]) -> None:
    weight = sum(Fraction(entry["weight"]) for entry in rules["recognition"])
    figures["recognition"] = None if heard is None else nine(heard.recognition)
    figures["round_id"] = None if heard is None else heard.round_id
    figures["classes"] = None if heard is None else heard.classes(rules["recognition"])
    figures["total"] = None
    if earned is not None and heard is not None:
        figures["total"] = nine(earned + weight * heard.recognition / 100)
    figures["alternatives"] = alternatives(rules["recognition"], earned, heard, others)
    floors = {"work_record": rules["work_record_floor"], "recognition": rules["recognition_floor"]}
    figures["below_floor"] = [
        side for side, floor in floors.items() if figures[side] is not None and figures[side] < Fraction(floor)
    ]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
