"""People move and branches merge while the campaign goes on (C10)."""

from collections.abc import Iterator
from datetime import date
from functools import partial

from avow.demo.client import Ask
from avow.demo.founding import BranchCast
from avow.demo.scene import Act, Scene
from avow.demo.stage import moment

MOVED = date(2011, 2, 21)
MERGED = date(2012, 1, 10)


def moving(scene: Scene) -> Iterator[Act]:
    """A member changes branches; a year later one branch goes into another."""
    yield Act(moment(MOVED), partial(_move, scene))
    yield Act(moment(MERGED), partial(_merge, scene))


async def _move(scene: Scene) -> None:
    scene.stage.at(MOVED)
    branches = scene.cast.branches
    source, target = branches["B05"], branches["B01"]
    member = source.members[0]
    await scene.stage.pledge.all([_transfer(source, target, member)])
    _note(source, target, member)
    scene.stage.tell(
        f"一名党员由{source.branch.name}转到{target.branch.name}；此前的记录仍属原支部。",
        "A member moves to another branch; what is on record before stays with the old one.",
    )


async def _merge(scene: Scene) -> None:
    stage, branches = scene.stage, scene.cast.branches
    stage.at(MERGED)
    source, target = branches["B06"], branches["B05"]
    await stage.pledge.ask(f"roles/{source.unit_id}/secretary/end", {"person_id": source.secretary})
    members = list(source.members)
    await stage.pledge.all(_transfer(source, target, member) for member in members)
    stage.at(MERGED, 10)
    await stage.pledge.ask(f"units/{source.unit_id}/merge", {"into_unit_id": target.unit_id})
    for member in members:
        _note(source, target, member)
    # What the old branch promised is the new one's to answer for.
    source.secretary = target.secretary
    del branches["B06"]
    stage.tell(
        f"{source.branch.name}并入{target.branch.name}，{len(members)} 名党员随转；并入之前的台账照旧可查。",
        f"A branch goes into another with its {len(members)} members; its ledger of before can still be read.",
    )


def _transfer(source: BranchCast, target: BranchCast, member: str) -> Ask:
    return Ask(f"memberships/{member}/transfer", {"from_unit_id": source.unit_id, "to_unit_id": target.unit_id})


def _note(source: BranchCast, target: BranchCast, member: str) -> None:
    """A newcomer stands first, so that the secretary stays last."""
    source.members.remove(member)
    target.members.insert(0, member)
