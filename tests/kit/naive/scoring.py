"""What the views of the evaluation service hold of rules, evidence, assessments and candidates."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.kit.naive.told import Table, Tables, Told


def scoring_rules(events: Iterable[Told]) -> Tables:
    rules: Table = {}
    for event in events:
        if event.type == "scoring_rules.published":
            f = event.fields
            rules[f["campaign_id"], f["subject"], str(f["version"])] = {
                **event.of("campaign_id", "subject", "version", "label", "effective_from", "work_record"),
                **event.of("recognition"),
                **event.exact("work_record_floor", "recognition_floor"),
                "version_key": str(f["version"]),
                "published_at": event.occurred_at,
                "event_ref": event.event_id,
                "position": event.position,
            }
    return {"scoring_rules": rules}


def evidence(events: Iterable[Told]) -> Tables:
    told = list(events)
    return {
        "evidence_duty": _duties(told),
        "evidence_item": _items(told),
        "evidence_comment": {
            event.event_id: event.of("campaign_id", "unit_id", "person_id", "grade")
            | {"event_ref": event.event_id, "commented_at": event.occurred_at, "position": event.position}
            for event in told
            if event.type == "comment.recorded"
        },
        **_results(told),
        "evidence_merger": {
            event.fields["unit_id"]: event.of("unit_id", "into_unit_id") | event.moments("since")
            for event in told
            if event.type == "unit.merged"
        },
    }


def _duties(events: Iterable[Told]) -> Table:
    duties: Table = {}
    nothing = dict.fromkeys(("campaign_id", "obligation", "owner_kind", "owner_id", "unit_id", "ends_on", "outcome"))
    for event in events:
        if not event.type.startswith("obligation."):
            continue
        f = event.fields
        first = {"obligation_id": f["obligation_id"], "waived": False, "events": [], "position": event.position}
        row = duties.setdefault(f["obligation_id"], nothing | first)
        row["events"].append(event.event_id)
        if event.type != "obligation.reassessed":
            row.update(event.of("campaign_id", "obligation", "unit_id", "ends_on"))
            row.update(owner_kind=f["owner"]["kind"], owner_id=f["owner"]["id"])
        if event.type == "obligation.waived":
            row["waived"] = True
        else:
            row["outcome"] = f["outcome"]
    return duties


def _items(events: Iterable[Told]) -> Table:
    items: Table = {}
    nothing = dict.fromkeys(("campaign_id", "phase", "pledger_kind", "pledger_id", "due_on"))

    def of(event: Told, item: int) -> dict[str, Any]:
        key = event.fields["pledge_id"], str(item)
        first = {"pledge_id": key[0], "item": key[1], "verified": False, "excused": False, "events": []}
        row = items.setdefault(key, {**nothing, **first, "position": event.position})
        row["events"].append(event.event_id)
        return row

    for event in events:
        f = event.fields
        if event.type == "pledge.made":
            for n, item in enumerate(f["items"]):
                row = of(event, n)
                row.update(event.of("campaign_id", "phase"), due_on=max(item["milestones"], default=None))
                row.update(pledger_kind=f["pledger"]["kind"], pledger_id=f["pledger"]["id"])
        elif event.type == "pledge.item_verified":
            of(event, f["item"])["verified"] = True
        elif event.type == "pledge.withdrawn":
            for n in f["items"]:
                of(event, n)["excused"] = f["excused"]
    return items


def _results(events: Iterable[Told]) -> Tables:
    rounds: Table = {}
    results: Table = {}
    nothing = dict.fromkeys(
        ("campaign_id", "subject", "validity", "classes", "spread", "z", "tallied_at", "event_ref", "spread_ref",
         "position")
    )  # fmt: skip
    for event in events:
        f = event.fields
        if event.type == "review_round.announced":
            z = Decimal(f["form"]["z"])
            rounds[f["round_id"]] = event.of("round_id", "rehearsal") | {"z": z}
        elif event.type in ("review.tallied", "member_review.tallied", "review.spread"):
            of_member = event.type == "member_review.tallied"
            is_spread = event.type == "review.spread"
            if not is_spread and rounds[f["round_id"]]["rehearsal"]:
                continue
            key = f["round_id"], f["person_id"] if of_member else f["unit_id"]
            row = results.setdefault(key, {"round_id": key[0], "subject_id": key[1], **nothing})
            if is_spread:
                row.update(spread=f["classes"], spread_ref=event.event_id)
                continue
            row.update(event.of("campaign_id", "validity", "classes"), tallied_at=event.occurred_at)
            row.update(z=rounds[f["round_id"]]["z"], event_ref=event.event_id, position=event.position)
            row["subject"] = "member" if of_member else "unit"
            if of_member:
                row["spread"] = f["spread"]
    return {"evidence_round": rounds, "evidence_result": results}


def assessments(events: Iterable[Told]) -> Tables:
    found: Table = {}
    said = ("assessment_id", "campaign_id", "phase", "subject", "subject_id", "unit_id", "category", "standing",
            "revision", "rules_version", "missing", "below_floor", "alternatives", "evidence_position")  # fmt: skip
    others = ("work_record", "recognition", "total", "parts", "classes", "calculated_at", "event_ref", "position")
    for event in events:
        f = event.fields
        if event.type == "assessment.calculated":
            recognition = f["recognition"]
            parts = [{name: value for name, value in part.items() if name != "evidence"} for part in f["parts"]]
            found[f["assessment_id"]] = {
                **event.of(*said),
                **event.exact("work_record", "total"),
                "recognition": None if recognition is None else Decimal(recognition["score"]),
                "classes": None if recognition is None else recognition["classes"],
                "parts": parts,
                "dropped": False,
                "calculated_at": event.occurred_at,
                "event_ref": event.event_id,
                "position": event.position,
            }
        elif event.type == "assessment.dropped":
            nothing = dict.fromkeys((*said, *others)) | {"assessment_id": f["assessment_id"]}
            found.setdefault(f["assessment_id"], nothing)["dropped"] = True
    return {"assessment": found}


def commendation_candidates(events: Iterable[Told]) -> Tables:
    candidates: Table = {}
    rankings: Table = {}
    for event in events:
        if event.type != "candidates.ranked":
            continue
        batch = event.of("campaign_id", "phase", "award") | {"category": event.fields["category"] or ""}
        ranked = {"revision": event.fields["revision"], "ranked_at": event.occurred_at}
        rankings[tuple(batch.values())] = batch | ranked
        for n, place in enumerate(event.fields["places"]):
            exact = {
                name: None if place[name] is None else Decimal(place[name])
                for name in ("total", "recognition", "fulfilment")
            }
            candidates[(*batch.values(), place["subject_id"])] = {
                **place,
                **exact,
                **batch,
                **event.of("revision", "subject"),
                "place": n + 1,
                "event_ref": event.event_id,
                "position": event.position,
            }
    return {"commendation_candidates": candidates, "commendation_ranking": rankings}
