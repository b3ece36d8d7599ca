"""What the views of the evaluation service hold of review rounds, credentials and results."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.kit.naive.told import Table, Tables, Told


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
    nothing = dict.fromkeys(
        ("position", "campaign_id", "title", "subject", "subjects", "unit_id", "form", "status", "opens_at",
         "closes_at", "opened_at", "closed_at", "closed_by")
    )  # fmt: skip
    statuses = {
        "review_round.announced": "announced",
        "electorate.frozen": "frozen",
        "review_round.opened": "open",
        "review_round.closed": "closed",
        "review.tallied": "tallied",
        "member_review.tallied": "tallied",
    }
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
            first = {"round_id": f["round_id"], "rehearsal": False}
            row = rounds.setdefault(f["round_id"], nothing | first)
            row["status"] = statuses[event.type]
            if event.type == "review_round.announced":
                row.update(event.of("campaign_id", "title", "subject", "subjects", "unit_id", "rehearsal", "form"))
                row.update(event.moments("opens_at", "closes_at"), position=event.position)
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
    zero = dict.fromkeys(("pledges_made", "meetings_held", "comments"), 0)

    def count(event: Told, what: str, subject_id: str) -> None:
        key = event.fields["campaign_id"], subject_id
        row = evidence.setdefault(key, {"campaign_id": key[0], "subject_id": key[1], **zero})
        row[what] += 1

    for event in events:
        f = event.fields
        if event.type == "unit.registered":
            units[f["unit_id"]] = event.of("unit_id", "name", "category")
        elif event.type == "pledge.made":
            count(event, "pledges_made", f["unit_id"])
            if f["pledger"]["kind"] == "member":
                count(event, "pledges_made", f["pledger"]["id"])
        elif event.type == "meeting.held":
            count(event, "meetings_held", f["unit_id"])
        elif event.type == "comment.recorded":
            count(event, "comments", f.get("person_id") or f["unit_id"])
        elif event.type == "review_round.announced":
            said = event.of("round_id", "title", "subjects", "rehearsal")
            rounds[f["round_id"]] = said | event.moments("opens_at", "closes_at")
        elif event.type in ("review.tallied", "member_review.tallied"):
            of_member = event.type == "member_review.tallied"
            if rounds[f["round_id"]]["rehearsal"]:
                continue
            subject_id = f["person_id"] if of_member else f["unit_id"]
            own = evidence.get((f["campaign_id"], subject_id), zero)
            of_unit = evidence.get((f["campaign_id"], f["unit_id"]), zero)
            ledger[f["round_id"], subject_id] = {
                **event.of("round_id", "unit_id", "person_id", "campaign_id", "eligible", "cast", "validity"),
                **event.exact("turnout", "good_rate", "recognition"),
                **(_of_member(event) if of_member else _of_unit(event)),
                **_round_and_unit(rounds[f["round_id"]], units.get(f["unit_id"], {}), subject_id),
                "subject_id": subject_id,
                "subject": "member" if of_member else "unit",
                "pledges_made": own["pledges_made"],
                "meetings_held": of_unit["meetings_held"],
                "comments": own["comments"],
                "by_class": f["classes"],
                "tallied_at": event.occurred_at,
                "event_ref": event.event_id,
                "position": event.position,
            }
    return {"dedicated_ledger": ledger, "ledger_unit": units, "ledger_round": rounds, "ledger_evidence": evidence}


def _round_and_unit(round_: dict[str, Any], unit: dict[str, Any], subject_id: str) -> dict[str, Any]:
    return {
        "seq": round_["subjects"].index(subject_id) + 1,
        "round": round_["title"],
        "opens_at": round_["opens_at"],
        "closes_at": round_["closes_at"],
        "unit": unit.get("name"),
        "category": unit.get("category"),
    }


def _of_member(event: Told) -> dict[str, Any]:
    f = event.fields
    return {"grade_counts": f["grades"] or None, "abstained": f["abstained"], "criteria": None}


def _of_unit(event: Told) -> dict[str, Any]:
    rows = event.fields["rows"]
    grades: dict[str, int] = defaultdict(int)
    for tally in rows:
        for grade, number in tally["grades"].items():
            grades[grade] += number
    return {
        "grade_counts": dict(grades) if rows else None,
        "abstained": sum(tally["abstained"] for tally in rows) if rows else None,
        "criteria": rows or None,
    }
