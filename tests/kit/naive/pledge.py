"""What the views of the pledge service hold."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.kit.naive.told import Table, Tables, Told


def pledge_wall(events: Iterable[Told]) -> Tables:
    wall: Table = {}
    progress: Table = {}
    calendars: Table = {}
    for event in events:
        f, at = event.fields, event.occurred_at
        if event.type == "campaign.approved":
            calendars[f["campaign_id"]] = {
                **event.of("campaign_id", "ends_on"),
                "time_zone": f["programme"].get("time_zone", "UTC"),
                "phase_ends": {phase["key"]: phase["ends_on"] for phase in f["programme"].get("phases", [])},
            }
        elif event.type == "pledge.made":
            calendar = calendars.get(f["campaign_id"], {"time_zone": None, "phase_ends": {}, "ends_on": None})
            phase_end = calendar["phase_ends"].get(f["phase"], calendar["ends_on"])
            days = sorted(day for item in f["items"] for day in item["milestones"])
            due = [max(item["milestones"]) if item["milestones"] else phase_end for item in f["items"]]
            before = wall.get(f["pledge_id"], {"wording": None, "sealed_wording": None, "verified": 0, "withdrawn": 0})
            wall[f["pledge_id"]] = {
                **before,
                **event.of("pledge_id", "campaign_id", "unit_id", "phase", "items", "scope", "channel"),
                **event.prose("wording"),
                "pledger_kind": f["pledger"]["kind"],
                "pledger_id": f["pledger"]["id"],
                "made_at": at,
                "standing": [{"due_on": day, "state": "open", "excused": None, "settled_at": None} for day in due],
                "time_zone": calendar["time_zone"],
                "first_milestone": days[0] if days else None,
                "last_milestone": days[-1] if days else None,
                "position": event.position,
            }
        elif event.type == "pledge.progress_reported":
            progress[event.event_id] = {
                "report_id": event.event_id,
                **event.of("pledge_id", "unit_id", "item", "quantity", "percent", "fulfilled", "evidence_sha256"),
                **event.of("scope"),
                **event.exact("value"),
                "note": None,
                "sealed_note": None,
                **event.prose("note"),
                "reported_at": at,
                "position": event.position,
            }
            if f["fulfilled"]:
                wall[f["pledge_id"]]["standing"][f["item"]]["state"] = "declared"
        elif event.type == "pledge.item_verified":
            row = wall[f["pledge_id"]]
            row["verified"] += 1
            row["standing"][f["item"]].update(state="verified", settled_at=_written(event))
        elif event.type == "pledge.withdrawn":
            row = wall[f["pledge_id"]]
            row["withdrawn"] += len(f["items"])
            for item in f["items"]:
                row["standing"][item].update(state="withdrawn", excused=f["excused"], settled_at=_written(event))
    return {"pledge_wall": wall, "pledge_progress": progress, "pledge_wall_calendar": calendars}


def _written(event: Told) -> str:
    return event.occurred_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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
            row = meetings.setdefault(f["meeting_id"], {"meeting_id": f["meeting_id"], **nothing})
            row.update(event.of("campaign_id", "unit_id", "kind", "agenda", "chair_id", "present", "expected", "scope"))
            row.update(event.prose("summary"), held_at=event.occurred_at, position=event.position)
        elif event.type == "comment.recorded":
            meetings.setdefault(f["meeting_id"], {"meeting_id": f["meeting_id"], **nothing})
            heard[f["meeting_id"]] += 1
            subject = f.get("person_id") or f["unit_id"]
            key = f["meeting_id"], f["commentator_id"], subject
            row = comments.setdefault(key, {"text": None, "sealed_text": None, "subject_id": subject})
            row.update(event.of("meeting_id", "commentator_id", "unit_id", "person_id", "grade", "scope"))
            row.update(event.prose("text"), commented_at=event.occurred_at, position=event.position)
    for meeting_id, row in meetings.items():
        row["comments"] = heard[meeting_id]
    return {"meeting": meetings, "meeting_comment": comments}


def obligation_calendar(events: Iterable[Told]) -> Tables:
    calendar: Table = {}
    evidence: Table = {}
    meetings: Table = {}
    nothing = dict.fromkeys(
        ("round_id", "campaign_id", "obligation", "owner_kind", "owner_id", "unit_id", "starts_on", "ends_on", "due_on",
         "outcome", "met_on", "met_by", "assessed_at", "waived_at", "sealed_reason", "reason", "position")
    )  # fmt: skip
    for event in events:
        f, at = event.fields, event.occurred_at
        if event.type.startswith("obligation."):
            row = calendar.setdefault(
                f["obligation_id"], {"obligation_id": f["obligation_id"], "waived": False, **nothing}
            )
            if event.type == "obligation.waived":
                row.update(event.prose("reason"), waived=True, waived_at=at)
                continue
            row.update(event.of("outcome", "met_on", "met_by"), assessed_at=at)
            if event.type == "obligation.assessed":
                row.update(event.of("campaign_id", "obligation", "unit_id", "starts_on", "ends_on", "due_on"))
                row.update(owner_kind=f["owner"]["kind"], owner_id=f["owner"]["id"], position=event.position)
                row["round_id"] = event.stream.partition("/")[2]
        elif event.type in ("meeting.held", "comment.recorded", "pledge.made", "work_plan.adopted"):
            member: Any = None
            if event.type == "meeting.held":
                meetings[f["meeting_id"]] = event.of("meeting_id", "kind", "agenda")
            elif event.type == "comment.recorded":
                member = f.get("person_id")
            elif event.type == "pledge.made" and f["pledger"]["kind"] == "member":
                member = f["pledger"]["id"]
            meeting = meetings.get(f.get("meeting_id"), {"kind": None, "agenda": []})
            evidence[event.event_id] = {
                "event_id": event.event_id,
                "type": event.type,
                "at": at,
                **event.of("campaign_id", "unit_id", "meeting_id"),
                "member_id": member,
                "kind": meeting["kind"],
                "agenda": meeting["agenda"],
                "phase": f.get("phase") or ("" if event.type == "pledge.made" else None),
            }
    return {"obligation_calendar": calendar, "obligation_evidence": evidence, "obligation_meeting": meetings}


def work_plans(events: Iterable[Told]) -> Tables:
    plans: Table = {}
    nothing = dict.fromkeys(
        ("campaign_id", "unit_id", "phase", "status", "revision", "service_audience", "items", "scope", "wording",
         "sealed_wording", "drafted_at", "adopted_at", "adopted_revision", "reason", "position")
    )  # fmt: skip
    for event in events:
        if not event.type.startswith("work_plan."):
            continue
        f = event.fields
        row = plans.setdefault(f["plan_id"], {"plan_id": f["plan_id"], **nothing})
        if event.type == "work_plan.drafted":
            row.update(event.of("campaign_id", "unit_id", "phase", "revision", "service_audience", "items", "scope"))
            row.update({"wording": None, "sealed_wording": None, **event.prose("wording")})
            row.update(status="drafted", drafted_at=event.occurred_at)
            if row["position"] is None:
                row["position"] = event.position
        elif event.type == "work_plan.adopted":
            row.update(status="adopted", adopted_at=event.occurred_at, adopted_revision=f["revision"])
        else:
            row["reason"] = f["reason"]
            if event.type == "work_plan.returned":
                row["status"] = "returned"
    return {"work_plan": plans}
