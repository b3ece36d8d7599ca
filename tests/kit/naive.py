"""What each view holds, computed the slow and obvious way: dictionaries, one event after the other.

Nothing here knows how projections are made. A new view joins the comparison by its name in `NAIVE`: a function from
the events, oldest first, to its tables, each a dictionary of rows by key.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

Table = dict[Any, dict[str, Any]]
Tables = dict[str, Table]


class Told(NamedTuple):
    """An event as a log tells it: its fields as JSON, sealed ones as the seals they are."""

    type: str
    position: int
    version: int
    event_id: str
    occurred_at: datetime
    fields: dict[str, Any]


def told(record: Any) -> Told:
    """A record of the log, opened no further than its JSON."""
    fields = json.loads(record.data) | json.loads(record.sealed or b"{}")
    return Told(record.type, record.position, record.version, str(record.event_id), record.occurred_at, fields)


def register(events: Iterable[Told]) -> Tables:
    campaigns: Table = {}
    units: Table = {}
    people: Table = {}
    memberships: Table = {}
    roles: Table = {}
    for event in events:
        f, version = event.fields, event.version
        if event.type == "campaign.approved":
            names = ["campaign_id", "template", "title", "starts_on", "ends_on", "programme"]
            campaigns[f["campaign_id"]] = {name: f[name] for name in names} | {"version": version}
        elif event.type == "unit.registered":
            names = ["unit_id", "name", "kind", "category", "parent_id"]
            units[f["unit_id"]] = {name: f[name] for name in names} | {"since": event.occurred_at, "version": version}
        elif event.type in ("person.registered", "person.erased"):
            row = people.setdefault(
                f["person_id"], {"person_id": f["person_id"], "name": None, "since": None, "erased_at": None}
            )
            if event.type == "person.registered":
                row.update(name=f["name"], since=event.occurred_at, version=version)
            else:
                row.update(name=None, erased_at=event.occurred_at, version=version)
        elif event.type in ("member.enrolled", "member.left"):
            at = datetime.fromisoformat(f["since"])
            row = memberships.setdefault(
                (f["person_id"], f["unit_id"], at),
                {"person_id": f["person_id"], "unit_id": f["unit_id"], "since": at, "standing": None, "until": None},
            )
            row["version"] = version
            if event.type == "member.enrolled":
                row["standing"] = f["standing"]
            else:
                row["until"] = datetime.fromisoformat(f["until"])
        elif event.type in ("role.appointed", "role.ended"):
            at = datetime.fromisoformat(f["since"])
            names = ["unit_id", "role", "person_id"]
            row = roles.setdefault(
                (*(f[name] for name in names), at), {name: f[name] for name in names} | {"since": at, "until": None}
            )
            row["version"] = version
            if event.type == "role.ended":
                row["until"] = datetime.fromisoformat(f["until"])
    return {
        "register_campaign": campaigns,
        "register_unit": units,
        "register_person": people,
        "register_membership": memberships,
        "register_role": roles,
    }


def pledge_wall(events: Iterable[Told]) -> Tables:
    wall: Table = {}
    for event in events:
        if event.type != "pledge.made":
            continue
        f = event.fields
        names = ["pledge_id", "campaign_id", "unit_id", "phase", "items", "scope", "channel"]
        days = sorted(day for item in f["items"] for day in item["milestones"])
        is_sealed = isinstance(f["wording"], dict)
        before = wall.get(f["pledge_id"], {"wording": None, "sealed_wording": None})
        wall[f["pledge_id"]] = (
            before
            | {name: f[name] for name in names}
            | {
                "pledger_kind": f["pledger"]["kind"],
                "pledger_id": f["pledger"]["id"],
                "made_at": event.occurred_at,
                "first_milestone": days[0] if days else None,
                "last_milestone": days[-1] if days else None,
                "position": event.position,
                ("sealed_wording" if is_sealed else "wording"): f["wording"],
            }
        )
    return {"pledge_wall": wall}


def meeting_register(events: Iterable[Told]) -> Tables:
    meetings: Table = {}
    comments: Table = {}
    heard: Counter[str] = Counter()
    nothing = dict.fromkeys(
        ("campaign_id", "unit_id", "kind", "agenda", "chair_id", "present", "expected", "scope", "held_at", "summary",
         "sealed_summary", "position")
    )  # fmt: skip
    for event in events:
        f = event.fields
        if event.type == "meeting.held":
            names = ["campaign_id", "unit_id", "kind", "agenda", "chair_id", "present", "expected", "scope"]
            row = meetings.setdefault(f["meeting_id"], {"meeting_id": f["meeting_id"], **nothing})
            row.update({name: f[name] for name in names}, held_at=event.occurred_at, position=event.position)
            row["sealed_summary" if isinstance(f["summary"], dict) else "summary"] = f["summary"]
        elif event.type == "comment.recorded":
            meetings.setdefault(f["meeting_id"], {"meeting_id": f["meeting_id"], **nothing})
            heard[f["meeting_id"]] += 1
            names = ["meeting_id", "commentator_id", "unit_id", "grade", "scope"]
            key = f["meeting_id"], f["commentator_id"]
            row = comments.setdefault(key, {"text": None, "sealed_text": None})
            row.update({name: f[name] for name in names}, commented_at=event.occurred_at, position=event.position)
            row["sealed_text" if "ciphertext" in f["text"] else "text"] = f["text"]
    for meeting_id, row in meetings.items():
        row["comments"] = heard[meeting_id]
    return {"meeting": meetings, "meeting_comment": comments}


def credentials(events: Iterable[Told]) -> Tables:
    known: Table = {}
    in_force: Table = {}
    for event in events:
        if event.type == "credentials.issued":
            part = {name: event.fields[name] for name in ("round_id", "unit_id", "rater_class", "generation")}
            in_force[part["round_id"], part["unit_id"], part["rater_class"]] = part
            for one in event.fields["hashes"]:
                known[part["round_id"], one] = {**part, "hash": one}
    return {"credential": known, "credential_part": in_force}


def round_board(events: Iterable[Told]) -> Tables:
    columns = ("round_id", "position", "campaign_id", "title", "subjects", "form", "status", "opens_at", "closes_at",
               "opened_at", "closed_at", "closed_by")  # fmt: skip
    statuses = {"review_round.announced": "announced", "electorate.frozen": "frozen", "review_round.opened": "open",
                "review_round.closed": "closed", "review.tallied": "tallied"}  # fmt: skip
    rounds: Table = {}
    parts: Table = {}
    for event in events:
        f = event.fields
        of_parts = {"electorate.frozen": f.get("parts"), "credentials.issued": [f], "review.submitted": [f]}
        for part in of_parts.get(event.type) or []:
            key = f["round_id"], part["unit_id"], part["rater_class"]
            new = dict(zip(("round_id", "unit_id", "rater_class"), key, strict=True))
            row = parts.setdefault(key, {**new, "eligible": None, "issued": 0, "submitted": 0})
            if event.type == "electorate.frozen":
                row["eligible"] = part["eligible"]
            elif event.type == "credentials.issued":
                row["issued"] = len(f["hashes"])
            else:
                row["submitted"] = f["count"]
        if event.type in statuses:
            row = rounds.setdefault(f["round_id"], dict.fromkeys(columns) | {"round_id": f["round_id"]})
            row["status"] = statuses[event.type]
            if event.type == "review_round.announced":
                row.update({name: f[name] for name in ("campaign_id", "title", "subjects", "form")})
                row.update({name: datetime.fromisoformat(f[name]) for name in ("opens_at", "closes_at")})
                row["position"] = event.position
            elif event.type == "review_round.opened":
                row["opened_at"] = event.occurred_at
            elif event.type == "review_round.closed":
                row.update(closed_at=event.occurred_at, closed_by=event.event_id)
    return {"round_board": rounds, "round_part": parts}


def dedicated_ledger(events: Iterable[Told]) -> Tables:
    ledger: Table = {}
    units: Table = {}
    rounds: Table = {}
    evidence: Table = {}
    counted = {"pledge.made": "pledges_made", "meeting.held": "meetings_held", "comment.recorded": "comments"}
    zero: dict[str, Any] = dict.fromkeys(counted.values(), 0)
    for event in events:
        f = event.fields
        if event.type == "unit.registered":
            units[f["unit_id"]] = {name: f[name] for name in ("unit_id", "name", "category")}
        elif event.type in counted:
            key = f["campaign_id"], f["unit_id"]
            row = evidence.setdefault(key, {"campaign_id": key[0], "unit_id": key[1], **zero})
            row[counted[event.type]] += 1
        elif event.type == "review_round.announced":
            times = {name: datetime.fromisoformat(f[name]) for name in ("opens_at", "closes_at")}
            rounds[f["round_id"]] = {name: f[name] for name in ("round_id", "title", "subjects")} | times
        elif event.type == "review.tallied":
            round_, unit = rounds[f["round_id"]], units.get(f["unit_id"], {})
            stood = evidence.get((f["campaign_id"], f["unit_id"]), zero)
            grades: dict[str, int] = defaultdict(int)
            for tally in f["rows"]:
                for grade, number in tally["grades"].items():
                    grades[grade] += number
            exact = {
                name: None if f[name] is None else Decimal(f[name]) for name in ("turnout", "good_rate", "recognition")
            }
            ledger[f["round_id"], f["unit_id"]] = {
                **{name: f[name] for name in ("round_id", "unit_id", "campaign_id", "eligible", "cast", "validity")},
                **exact,
                **{name: stood[name] for name in zero},
                "seq": round_["subjects"].index(f["unit_id"]) + 1,
                "unit": unit.get("name"),
                "category": unit.get("category"),
                "round": round_["title"],
                "opens_at": round_["opens_at"],
                "closes_at": round_["closes_at"],
                "by_class": f["classes"],
                "grade_counts": dict(grades) if f["rows"] else None,
                "abstained": sum(tally["abstained"] for tally in f["rows"]) if f["rows"] else None,
                "criteria": f["rows"] or None,
                "tallied_at": event.occurred_at,
                "event_ref": event.event_id,
                "position": event.position,
            }
    return {"dedicated_ledger": ledger, "ledger_unit": units, "ledger_round": rounds, "ledger_evidence": evidence}


NAIVE: dict[str, Callable[[Iterable[Told]], Tables]] = {
    "register": register,
    "pledge_wall": pledge_wall,
    "meeting_register": meeting_register,
    "credentials": credentials,
    "round_board": round_board,
    "dedicated_ledger": dedicated_ledger,
}
