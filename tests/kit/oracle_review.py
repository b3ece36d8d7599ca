"""The oracle's reviews: from the ballots of a round to recognition, and to the four other ways of measuring it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import floor, isqrt
from statistics import median
from typing import Any

SCALE = 10**60
Raw = Mapping[str, Any]


@dataclass
class Class:
    """What the graded ballots of a class that counts say of one subject: of each, top grades ÷ graded rows, and the
    mean of its points."""

    tops: list[Fraction]
    points: list[Fraction]

    def bound(self, z: Fraction) -> Fraction:
        """Wilson's lower bound: the smaller root of (n + z²)w² - (2k + z²)w + k²/n = 0."""
        n, k = len(self.tops), sum(self.tops, Fraction(0))
        a, b, c = n + z * z, 2 * k + z * z, k * k / n
        return max(Fraction(0), (b - root(b * b - 4 * a * c)) / (2 * a))


@dataclass
class Heard:
    """A result: the classes that count in it, and the recognition under the rules' weights."""

    round_id: str
    at: datetime
    position: int
    z: Fraction
    heard: dict[str, Class]
    recognition: Fraction = Fraction(0)

    def classes(self, weights: Sequence[Raw]) -> list[tuple[Any, ...]]:
        """Of each class its weight in force, ballots, support and bound; nothing of one left out."""
        every = sum(Fraction(entry["weight"]) for entry in weights)
        kept = sum(Fraction(entry["weight"]) for entry in weights if entry["rater_class"] in self.heard)
        found: list[tuple[Any, ...]] = []
        for entry in weights:
            one = self.heard.get(entry["rater_class"])
            if one is None:
                found.append((entry["rater_class"], None, None, None, None))
            else:
                in_force = nine(Fraction(entry["weight"]) * every / kept)
                support = str(sum(one.tops, Fraction(0)))
                found.append((entry["rater_class"], in_force, len(one.tops), support, nine(one.bound(self.z))))
        return found


def root(value: Fraction) -> Fraction:
    """The square root, cut at 60 decimals."""
    return Fraction(isqrt(value.numerator * value.denominator * SCALE**2), value.denominator * SCALE)


def nine(value: Fraction | int) -> Decimal:
    """The nearest number of nine decimals, ties to the even one."""
    whole, rest = divmod(Fraction(value) * 10**9, 1)
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1)
    return Decimal(int(whole) + up) / 10**9


def heard_in(log: Any) -> dict[str, list[Heard]]:
    """The results of each subject within the period, in the order they came; without a class where it is withheld."""
    rounds = {
        e["data"]["round_id"]: e["data"]
        for e in log.mine("review_round.announced")
        if not e["data"].get("rehearsal") and e["data"].get("subject", "unit") == log.subject
    }
    eligible: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for event in log.of("electorate.frozen"):
        for part in event["data"]["parts"]:
            eligible[event["data"]["round_id"], part["unit_id"]][part["rater_class"]] = part["eligible"]
    ballots: dict[tuple[str, str], list[Raw]] = defaultdict(list)
    for event in log.of("ballot.cast"):
        ballots[event["data"]["round_id"], event["data"]["unit_id"]].append(event["data"])
    found: dict[str, list[Heard]] = defaultdict(list)
    for event in log.of("review.tallied", "member_review.tallied"):
        said = event["data"]
        if said["round_id"] in rounds and log.begins <= event["occurred_at"] < log.over:
            key = said["round_id"], said["unit_id"]
            subject = said["unit_id"] if log.subject == "unit" else said["person_id"]
            form, row = rounds[said["round_id"]]["form"], f"member.{subject}" if log.subject == "member" else None
            heard = _classes(form, eligible[key], ballots[key], row)
            z = Fraction(form["z"])
            found[subject].append(Heard(said["round_id"], event["occurred_at"], event["position"], z, heard))
    return found


def recognised(weights: Sequence[Raw], results: Sequence[Heard]) -> Heard | None:
    """The last result in which a class counts that weighs something."""
    for result in sorted(results, key=lambda one: (one.at, one.position), reverse=True):
        weight = {entry["rater_class"]: Fraction(entry["weight"]) for entry in weights}
        heard = {key: one for key, one in result.heard.items() if key in weight}
        total = sum(weight[key] for key in heard)
        if total:
            result.heard = heard
            result.recognition = 100 * sum(weight[key] * one.bound(result.z) for key, one in heard.items()) / total
            return result
    return None


def alternatives(
    weights: Sequence[Raw], earned: Fraction | None, heard: Heard | None, category: Sequence[Heard]
) -> list[tuple[str, Decimal, Decimal]]:
    """Method, recognition and total for each of the four."""
    if earned is None or heard is None:
        return []
    weight = {entry["rater_class"]: Fraction(entry["weight"]) for entry in weights}
    kept, every = sum((weight[key] for key in heard.heard), Fraction(0)), sum(weight.values(), Fraction(0))
    found = []
    for method in ("mean", "shrunk", "trimmed", "median"):
        figures = {key: _measure(method, one.points, _pool(category, key)) for key, one in heard.heard.items()}
        reached = sum((weight[key] * figure for key, figure in figures.items()), Fraction(0)) / kept
        found.append((method, nine(reached), nine(earned + every * reached / 100)))
    return found


def _pool(category: Sequence[Heard], key: str) -> list[Fraction]:
    return [points for one in category if key in one.heard for points in one.heard[key].points]


def _measure(method: str, points: Sequence[Fraction], pool: Sequence[Fraction]) -> Fraction:
    n, ordered = len(points), sorted(points)
    if method == "mean":
        return sum(points, Fraction(0)) / n
    if method == "shrunk":
        return (sum(points, Fraction(0)) + 20 * sum(pool, Fraction(0)) / len(pool)) / (n + 20)
    if method == "median":
        return Fraction(median(ordered))
    away = floor(Fraction(n, 20))
    return sum(ordered[away : n - away], Fraction(0)) / (n - 2 * away)


def _classes(form: Raw, eligible: Mapping[str, int], ballots: Sequence[Raw], row: str | None) -> dict[str, Class]:
    """The classes that count, from all the ballots cast; none where too few took part."""
    everybody = sum(eligible.values())
    if not everybody or Fraction(len(ballots), everybody) < Fraction(form["invalid_below"]):
        return {}
    top = {grade["key"] for grade in form["grades"] if grade["top"]}
    points = {grade["key"]: Fraction(grade["points"]) for grade in form["grades"]}
    found = {}
    for weight in form["weights"]:
        key = weight["rater_class"]
        one = Class([], [])
        for ballot in ballots:
            rows = ballot["rows"].values() if row is None else [ballot["rows"][row]]
            grades = [grade for grade in rows if grade is not None]
            if ballot["rater_class"] == key and grades:
                one.tops.append(Fraction(sum(grade in top for grade in grades), len(grades)))
                one.points.append(sum((points[grade] for grade in grades), Fraction(0)) / len(grades))
        n = len(one.tops)
        if n >= form["minimum_ballots"] and n >= Fraction(form["minimum_share"]) * eligible[key]:
            found[key] = one
    return found
