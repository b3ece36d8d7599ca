"""How the demo begins: the campaign is approved, the units, their people and the leading group are registered."""

from dataclasses import dataclass, field
from datetime import date

from avow.demo.client import Ask
from avow.demo.college import COMMITTEE, GENERAL_BRANCHES, LEADING_GROUP, OFFICE_DIRECTOR, Branch, College
from avow.demo.stage import Stage

BEGINS = date(2010, 6, 1)
TEMPLATE = "cxzy-2010"


@dataclass
class BranchCast:
    """A branch with the identities it was given; its secretary stands last among its members."""

    branch: Branch
    unit_id: str
    secretary: str
    members: list[str]


@dataclass
class Cast:
    """Everybody's identity; a branch that was merged stands among `branches` no longer."""

    college: College
    campaign_id: str
    committee_id: str
    leaders: dict[str, str]
    generals: list[BranchCast] = field(default_factory=list)
    branches: dict[str, BranchCast] = field(default_factory=dict)

    @property
    def units(self) -> list[BranchCast]:
        """The branches, then the general branches."""
        return [*self.branches.values(), *self.generals]


async def found(stage: Stage, college: College) -> Cast:
    """Play the first day; who there is."""
    pledge = stage.pledge
    stage.at(BEGINS, 9)
    campaign_id = await pledge.create("campaigns", {"template": TEMPLATE})
    await pledge.ask(f"campaigns/{campaign_id}/approve", {})
    stage.tell("党委批准活动方案，模板 cxzy-2010。", "The committee approves the campaign from the template cxzy-2010.")
    committee = {"campaign_id": campaign_id, "name": COMMITTEE, "kind": "committee"}
    committee_id = await pledge.create("units", committee)
    names = [name for name, _ in LEADING_GROUP]
    leaders = dict(zip(names, await _people(stage, names), strict=True))
    cast = Cast(college, campaign_id, committee_id, leaders)
    seats = [(role, leaders[name]) for name, role in LEADING_GROUP]
    for role, person_id in (*seats, ("office_director", leaders[OFFICE_DIRECTOR])):
        await _appoint(stage, cast, committee_id, role, person_id)
    await _general_branches(stage, cast)
    await _branches(stage, cast)
    members = sum(len(entry.members) for entry in cast.branches.values())
    stage.tell(
        f"成立领导小组和办公室，登记 {len(cast.generals)} 个总支、{len(cast.branches)} 个支部、{members} 名党员；"
        "姓名一律加封存放。",
        f"Leading group and office appointed; {len(cast.generals)} general branches, {len(cast.branches)} branches, "
        f"{members} members, every name sealed.",
    )
    return cast


async def _general_branches(stage: Stage, cast: Cast) -> None:
    """Each is led by a member of the leading group, who is its only member."""
    unit = {"campaign_id": cast.campaign_id, "kind": "general_branch", "parent_id": cast.committee_id}
    units = await stage.pledge.create_all(Ask("units", {**unit, "name": name}) for name in GENERAL_BRANCHES)
    heads = list(cast.leaders.values())[-len(units) :]
    for name, unit_id, head in zip(GENERAL_BRANCHES, units, heads, strict=True):
        await _enrol(stage, unit_id, [head])
        await _appoint(stage, cast, unit_id, "secretary", head)
        branch = Branch(name, name, "", 0, 1, 0, work=90, regard=90, punctual=100)
        cast.generals.append(BranchCast(branch, unit_id, head, [head]))


async def _branches(stage: Stage, cast: Cast) -> None:
    unit = {"campaign_id": cast.campaign_id, "kind": "branch"}
    branches = cast.college.branches
    units = await stage.pledge.create_all(
        Ask("units", {**unit, "name": b.name, "category": b.category, "parent_id": cast.generals[b.general].unit_id})
        for b in branches
    )
    people = iter(await _people(stage, list(cast.college.names())))
    for branch, unit_id in zip(branches, units, strict=True):
        members = [next(people) for _ in range(branch.members)]
        await _enrol(stage, unit_id, members)
        await _appoint(stage, cast, unit_id, "secretary", members[-1])
        cast.branches[branch.key] = BranchCast(branch, unit_id, members[-1], members)


async def _people(stage: Stage, names: list[str]) -> list[str]:
    return await stage.pledge.create_all(Ask("people", {"name": name}) for name in names)


async def _enrol(stage: Stage, unit_id: str, members: list[str]) -> None:
    body = {"unit_id": unit_id, "standing": "full"}
    await stage.pledge.all(Ask(f"memberships/{person_id}/enrol", body) for person_id in members)


async def _appoint(stage: Stage, cast: Cast, unit_id: str, role: str, person_id: str) -> None:
    body = {"campaign_id": cast.campaign_id, "person_id": person_id}
    await stage.pledge.ask(f"roles/{unit_id}/{role}/appoint", body)
