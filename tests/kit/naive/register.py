"""What the register holds of campaigns, units, people, memberships and roles."""

from collections.abc import Iterable
from datetime import datetime

from tests.kit.naive.told import Table, Tables, Told


def register(events: Iterable[Told]) -> Tables:
    campaigns: Table = {}
    units: Table = {}
    people: Table = {}
    memberships: Table = {}
    roles: Table = {}
    no_unit = dict.fromkeys(("name", "kind", "category", "parent_id", "since", "until", "merged_into"))
    for event in events:
        f, version = event.fields, event.version
        if event.type == "campaign.approved":
            names = ["campaign_id", "template", "title", "starts_on", "ends_on", "programme"]
            campaigns[f["campaign_id"]] = {name: f[name] for name in names} | {"version": version}
        elif event.type == "unit.registered":
            names = ["unit_id", "name", "kind", "category", "parent_id"]
            row = units.setdefault(f["unit_id"], no_unit | {"unit_id": f["unit_id"]})
            row.update(event.of(*names), since=event.occurred_at, version=version)
        elif event.type == "unit.merged":
            row = units.setdefault(f["unit_id"], no_unit | {"unit_id": f["unit_id"]})
            row.update(until=datetime.fromisoformat(f["since"]), merged_into=f["into_unit_id"], version=version)
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
