"""The oracle's places: the order of a category, and what the service's assessments say in the oracle's terms."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Raw = Mapping[str, Any]


def as_said(said: Raw) -> dict[str, Any]:
    """An assessment's figures, named as the oracle names its own."""
    figures: dict[str, Any] = {key: said[key] for key in ("unit_id", "category", "standing", "missing", "below_floor")}
    for part in said["parts"]:
        figures[f"{part['part']}: count"] = (part["numerator"], part["denominator"])
        figures[f"{part['part']}: value"] = number(part["value"])
        figures[f"{part['part']}: in force"] = number(part["in_force"])
    heard = said["recognition"]
    figures["work_record"], figures["total"] = number(said["work_record"]), number(said["total"])
    figures["recognition"] = None if heard is None else number(heard["score"])
    figures["round_id"] = None if heard is None else heard["round_id"]
    figures["classes"] = None if heard is None else [
        (c["rater_class"], number(c["in_force"]), c["graded"], c["support"], number(c["lower_bound"]))
        for c in heard["classes"]
    ]  # fmt: skip
    figures["alternatives"] = [
        (one["method"], number(one["recognition"]), number(one["total"])) for one in said["alternatives"]
    ]
    return figures


def misplaced(events: Iterable[Raw], assessed: Mapping[str, Raw], computed: Mapping[str, Any]) -> list[str]:
    """Every place of the last rankings, resting on assessments that stand, that is another here."""
    last: dict[tuple[str | None, ...], Raw] = {}
    for event in events:
        if event["type"] == "candidates.ranked":
            said = event["data"]
            last[said["campaign_id"], said["phase"], said["award"], said["category"]] = said
    found = []
    for said in last.values():
        places = said["places"]
        if any(place["assessment_event"] not in assessed for place in places):
            continue
        ours = _ranks(places, computed)
        theirs = {place["subject_id"]: (place["rank"], place["best_rank"], place["worst_rank"]) for place in places}
        found += [
            f"{said['award']} {said['category']} {who}: {theirs[who]}, not {ours[who]}"
            for who in theirs
            if theirs[who] != ours[who]
        ]
    return found


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _ranks(places: Sequence[Raw], computed: Mapping[str, Any]) -> dict[str, tuple[int | None, ...]]:
    """Rank, best and worst rank of everybody, by counting who is before them."""
    figures = {place["subject_id"]: computed[place["assessment_id"]] for place in places}
    front = {place["subject_id"]: bool(place["frontline"]) for place in places}
    ranked = {
        who: one
        for who, one in figures.items()
        if one["total"] is not None and not one["below_floor"] and one["standing"] != "probationary"
    }

    def key(who: str) -> tuple[Any, ...]:
        one = ranked[who]
        return one["total"], one["recognition"], one.get("fulfilment: value") or Decimal(0), front[who]

    found: dict[str, tuple[int | None, ...]] = dict.fromkeys(figures, (None, None, None))
    for who in ranked:
        ranks = [1 + sum(key(other) > key(who) for other in ranked)]
        for n, (_, _, total) in enumerate(ranked[who]["alternatives"]):
            ranks.append(1 + sum(one["alternatives"][n][2] > total for one in ranked.values() if one["alternatives"]))
        found[who] = ranks[0], min(ranks), max(ranks)
    return found
