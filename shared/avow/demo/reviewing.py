"""The round of reviews: announced, frozen, opened, voted in, closed and tallied into the ledger."""

from collections.abc import Iterator

from avow.demo.client import Refused
from avow.demo.founding import BranchCast, Cast
from avow.demo.stage import Stage

ROWS = ("organising", "central_tasks", "pledge_keeping", "practical_help", "building")
TAKING_PART = ((51, 6), (43, 6), (6, 2))
"""How many of the public and of the members of each branch vote; of the third, too few and all the best."""


async def review(stage: Stage, cast: Cast) -> str:
    """Play the round of December 2010; its identity."""
    rounds = stage.evaluation
    await stage.heard()
    opens, closes = "2010-12-06T08:00:00+08:00", "2010-12-17T18:00:00+08:00"
    stage.at(2010, 11, 25, 9)
    round_id = await rounds.create(
        "rounds",
        {
            "campaign_id": cast.campaign_id,
            "title": {"zh": "2010 年下半年群众评议", "en": "Mass review, second half of 2010"},
            "subjects": [entry.unit_id for entry in cast.branches],
            "opens_at": opens,
            "closes_at": closes,
        },
    )
    stage.at(2010, 12, 1, 9)
    rolls = [{"unit_id": e.unit_id, "rater_class": "mass", "entries": list(_roll(n, e))} for n, e in _each(cast)]
    await rounds.ask(f"rounds/{round_id}/electorate", {"parts": rolls})
    credentials = [await _issue(stage, round_id, entry) for entry in cast.branches]
    issued = sum(len(part) for entry in credentials for part in entry)
    stage.tell(
        f"公布评议安排，冻结参评名单，发放 {issued} 个一次性凭证；凭证只显示一次，库里只有散列。",
        f"The round is announced, the electorate frozen, {issued} one-time credentials issued: only hashes are kept.",
    )
    stage.at(2010, 12, 6, 8)
    await rounds.ask(f"rounds/{round_id}/open", {})
    first = credentials[0][0][0]
    await _vote(stage, round_id, credentials)
    try:
        await _cast(stage, round_id, first, 0, 0)
    except Refused as refused:
        stage.tell_refusal("有人用同一凭证再投一次", "Somebody votes again with the same credential", refused)
    stage.at(2010, 12, 17, 18)
    await rounds.ask(f"rounds/{round_id}/close", {})
    try:
        await _cast(stage, round_id, credentials[1][0][-1], 1, 1)
    except Refused as refused:
        stage.tell_refusal("截止后还有人投票", "Somebody votes after the close", refused)
    stage.tell("评议截止，计票入台账。", "The round is closed and tallied into the ledger.")
    await stage.heard()
    return round_id


async def _issue(stage: Stage, round_id: str, entry: BranchCast) -> tuple[list[str], list[str]]:
    mass, members = [
        (await stage.evaluation.ask(f"rounds/{round_id}/credentials", {"unit_id": entry.unit_id, "rater_class": key}))
        for key in ("mass", "members")
    ]
    return mass["credentials"], members["credentials"]


async def _vote(stage: Stage, round_id: str, credentials: list[tuple[list[str], list[str]]]) -> None:
    for day in range(6, 17):
        stage.at(2010, 12, day, 20)
        cast = 0
        for n, (parts, counts) in enumerate(zip(credentials, TAKING_PART, strict=True)):
            for part, count in zip(parts, counts, strict=True):
                for k, credential in enumerate(part[:count]):
                    if 6 + k % 11 == day:
                        await _cast(stage, round_id, credential, n, k)
                        cast += 1
        if cast:
            await stage.evaluation.ask(f"rounds/{round_id}/report", {})
    total = sum(mass + members for mass, members in TAKING_PART)
    stage.tell(
        f"{total} 人凭证打分；对外只按小时公布各类人数，不公布单张选票。",
        f"{total} people vote; only running counts are made public, never a single ballot.",
    )


async def _cast(stage: Stage, round_id: str, credential: str, branch: int, k: int) -> None:
    rows = {row: _grade(branch, k, n) for n, row in enumerate(ROWS)}
    await stage.evaluation.ask(f"rounds/{round_id}/ballots", {"credential": credential, "rows": rows})


def _grade(branch: int, k: int, row: int) -> str | None:
    """The grade one rater gives in one row: a fixed pattern, best in the third branch."""
    if branch == 2:
        return "satisfied"
    if (k + 3 * row) % 29 == 7:
        return None
    turn = (7 * k + 3 * row + 5 * branch) % 20
    for grade, upto in (("satisfied", 12 - 2 * branch), ("fairly_satisfied", 17 - branch), ("basically_satisfied", 19)):
        if turn < upto:
            return grade
    return "not_satisfied"


def _each(cast: Cast) -> Iterator[tuple[int, BranchCast]]:
    return iter(enumerate(cast.branches))


def _roll(n: int, entry: BranchCast) -> Iterator[str]:
    """Invented student and staff numbers."""
    return (f"2010{n + 1:02}{k:04}" for k in range(1, entry.branch.public + 1))
