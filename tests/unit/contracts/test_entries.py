"""The catalogue says of every event who publishes it, what its fields are, and shows it."""

from avow.contracts.catalogue import every_public_event
from avow.contracts.entries import entries
from avow.contracts.envelope import decode

BY_TYPE = {entry.event.type: entry for entry in entries()}


def test_every_public_event_is_in_it_once_in_the_catalogues_order() -> None:
    assert [entry.event for entry in entries()] == list(every_public_event())


def test_it_says_who_publishes_an_event() -> None:
    assert BY_TYPE["book.opened"].services == ("pledge", "evaluation")
    assert BY_TYPE["pledge.made"].services == ("pledge",)
    assert BY_TYPE["review.tallied"].services == ("evaluation",)


def test_fields_are_named_by_their_path() -> None:
    fields = {field.path: field for field in BY_TYPE["pledge.made"].fields}
    assert fields["items[].quantities[].target"].kind.en == "number, as text"
    assert fields["pledger.kind"].kind.en == "`unit`, `member`"
    assert fields["items[].milestones"].kind.en == "list of day"
    assert fields["phase"].kind.en == "key or null"
    rows = {field.path: field for field in BY_TYPE["review.tallied"].fields}
    assert rows["rows[].grades"].kind.en == "by key: whole number"


def test_it_says_what_is_sealed_and_under_which_key() -> None:
    sealed = {(type, f.path): f.sealed for type, entry in BY_TYPE.items() for f in entry.fields if f.sealed}
    assert sealed == {
        ("person.registered", "name"): "person/{person_id}",
        ("pledge.made", "wording"): "scope/{scope}/{unit_id}",
        ("pledge.withdrawn", "reason"): "scope/{scope}/{unit_id}",
        ("work_plan.adopted", "wording"): "scope/{scope}/{unit_id}",
        ("meeting.held", "summary"): "scope/{scope}/{unit_id}",
        ("comment.recorded", "text"): "scope/{scope}/{unit_id}",
        ("obligation.waived", "reason"): "unit/{unit_id}",
    }


def test_the_example_is_of_the_schema_it_stands_by() -> None:
    for entry in entries():
        envelope = decode(entry.sample)
        assert f"{envelope.type}.v{envelope.schema}" == entry.name
        assert envelope.leaf_holds()
