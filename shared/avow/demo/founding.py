"""How the demo begins: the campaign is approved, the units, their people and the leading group are registered."""

from dataclasses import dataclass, field

from avow.demo.college import BRANCHES, COMMITTEE, LEADING_GROUP, OFFICE_DIRECTOR, Branch
from avow.demo.stage import Stage


@dataclass
class BranchCast:
    """A branch with the identities it was given."""

    branch: Branch
    unit_id: str
    secretary: str
    members: list[str]


@dataclass
class Cast:
    """Everybody's identity."""

    campaign_id: str
    committee_id: str
    leaders: dict[str, str] = field(default_factory=dict)
    branches: list[BranchCast] = field(default_factory=list)


async def found(stage: Stage) -> Cast:
    """Play the first days; who there is."""
    pledge = stage.pledge
    stage.at(2010, 6, 1, 9)
    campaign_id = await pledge.create("campaigns", {"template": "cxzy-2010"})
    await pledge.ask(f"campaigns/{campaign_id}/approve", {})
    stage.tell("党委批准活动方案，模板 cxzy-2010。", "The committee approves the campaign from the template cxzy-2010.")
    committee = {"campaign_id": campaign_id, "name": COMMITTEE, "kind": "committee"}
    cast = Cast(campaign_id, await pledge.create("units", committee))
    for name, role in (*LEADING_GROUP, (OFFICE_DIRECTOR, "office_director")):
        cast.leaders[name] = await _person(stage, name)
        await _appoint(stage, cast, cast.committee_id, role, cast.leaders[name])
    for branch in BRANCHES:
        cast.branches.append(await _branch(stage, cast, branch))
    people = len(cast.leaders) + sum(len(entry.members) for entry in cast.branches)
    stage.tell(
        f"成立领导小组和办公室，登记 {len(BRANCHES)} 个支部、{people} 人；姓名一律加封存放。",
        f"Leading group and office appointed; {len(BRANCHES)} branches, {people} people, every name sealed.",
    )
    return cast


async def _branch(stage: Stage, cast: Cast, branch: Branch) -> BranchCast:
    unit_id = await stage.pledge.create(
        "units",
        {
            "campaign_id": cast.campaign_id,
            "name": branch.name,
            "kind": "branch",
            "category": branch.category,
            "parent_id": cast.committee_id,
        },
    )
    members = []
    for name in (branch.secretary, *branch.members):
        person_id = await _person(stage, name)
        await stage.pledge.ask(f"memberships/{person_id}/enrol", {"unit_id": unit_id, "standing": "full"})
        members.append(person_id)
    await _appoint(stage, cast, unit_id, "secretary", members[0])
    return BranchCast(branch, unit_id, members[0], members)


async def _person(stage: Stage, name: str) -> str:
    return await stage.pledge.create("people", {"name": name})


async def _appoint(stage: Stage, cast: Cast, unit_id: str, role: str, person_id: str) -> None:
    body = {"campaign_id": cast.campaign_id, "person_id": person_id}
    await stage.pledge.ask(f"roles/{unit_id}/{role}/appoint", body)
