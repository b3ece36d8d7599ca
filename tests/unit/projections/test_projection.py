"""How a projection is declared, and what a row lets its fold do."""

import pytest

from avow.contracts.organisation import PersonRegistered, UnitRegistered
from avow.eventlog.records import Recorded
from avow.projections.projection import Projection, Row, canonical, document, key, number, on, table, text
from tests.kit.logs import a_unit
from tests.kit.sample_projection import Rebuilt, Sample

things = table("thing", key("thing_id"), text("name"), number("seen", 0), document("parts"))


def a_row(exists: bool = True) -> Row:
    return Row({"thing_id": "1", "name": None, "seen": 0, "parts": [{"n": 1}]}, exists)


def test_a_projection_reads_the_types_it_handles_and_no_others() -> None:
    class Names(Projection):
        name, version, tables = "names", 1, (things,)

        @on(UnitRegistered, row=things.at("unit_id"))
        @on(PersonRegistered, row=things.at("person_id"))
        def named(self, event: UnitRegistered | PersonRegistered, recorded: Recorded, row: Row) -> None:
            row["name"] = event.name

        def unmarked(self) -> None:
            """Something else."""

    assert sorted(Names().event_types) == ["person.registered", "unit.registered"]
    assert set(Names.handlers["unit.registered"].rows) == {"row"}


def test_a_later_version_inherits_its_handlers() -> None:
    assert Rebuilt.handlers.keys() == Sample.handlers.keys()
    assert (Rebuilt.version, Sample.version) == (2, 1)


def test_a_later_version_may_fold_an_event_anew() -> None:
    class Recounted(Sample):
        version = 3

        @on(UnitRegistered, row=things.at("unit_id"))
        def registered(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:  # type: ignore[override]
            row["seen"] += 1

    assert set(Recounted.handlers["unit.registered"].rows) == {"row"}
    assert Recounted.handlers.keys() == Sample.handlers.keys()


def test_an_event_handled_twice_in_one_projection_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Twofold handles unit\.registered twice"):

        class Twofold(Projection):
            name, version, tables = "twofold", 1, (things,)

            @on(UnitRegistered, row=things.at("unit_id"))
            def first(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:
                """Once."""

            @on(UnitRegistered, row=things.at("unit_id"))
            def second(self, event: UnitRegistered, recorded: Recorded, row: Row) -> None:
                """And again."""


def test_a_table_has_a_name_for_each_version_and_belongs_to_organisations() -> None:
    one, two = things.sql(1), things.sql(2)
    assert (one.name, two.name) == ("thing_v1", "thing_v2")
    assert things.sql(1) is one
    assert things.stored(1, 7).name == "thing_v1_b7"
    assert [column.name for column in one.primary_key] == ["org", "thing_id"]


def test_rows_are_named_by_attributes_or_by_functions_of_the_event() -> None:
    recorded: Recorded = None  # type: ignore[assignment]
    unit = a_unit(1)
    assert things.at("unit_id").keys(unit, recorded) == [(unit.unit_id,)]
    assert things.at(lambda event, _: event.name[:1]).keys(unit, recorded) == [(unit.name[:1],)]
    assert things.each(lambda event, _: [("a",), ("b",)]).keys(unit, recorded) == [("a",), ("b",)]


def test_a_row_is_changed_by_setting_and_not_by_reading() -> None:
    row = a_row(exists=False)
    assert (row["seen"], row.exists, row.changed) == (0, False, False)
    row["seen"] += 1
    assert (row["seen"], row.exists, row.changed) == (1, True, True)


def test_a_row_has_its_columns_and_no_others() -> None:
    row = a_row()
    with pytest.raises(KeyError, match="colour"):
        row["colour"] = "red"
    with pytest.raises(TypeError):
        del row["name"]
    assert (set(row), len(row)) == ({"thing_id", "name", "seen", "parts"}, 4)


def test_a_document_changed_in_place_is_not_changed() -> None:
    row = a_row()
    row["parts"].append(2)
    row["parts"][0]["n"] = 5
    assert (row["parts"], row.changed) == ([{"n": 1}], False)


def test_a_document_reads_as_it_will_when_it_was_stored() -> None:
    row = a_row()
    mine = [1, ("a", "b")]
    row["parts"] = (mine, {"k": None})
    mine.append(3)
    assert row["parts"] == [[1, ["a", "b"]], {"k": None}]


def test_the_canonical_text_of_a_value_is_one() -> None:
    assert canonical({"b": [1, None], "a": "é"}) == '{"a":"é","b":[1,null]}' == canonical({"a": "é", "b": (1, None)})
