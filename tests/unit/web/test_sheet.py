"""A list as CSV: what a program reads back, and what a spreadsheet cannot be made to carry out."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from avow.contracts.values import Exact, Label
from avow.web.sheet import BOM, columns_of, head, lines


class Row(BaseModel):
    """Something of every kind."""

    name: str | None = None
    title: Label | None = None
    total: Exact | None = None
    version: int = 1
    waived: bool | None = None
    held_at: datetime | None = None
    due_on: date | None = None
    items: list[Label] = []
    grade_counts: dict[str, int] | None = None


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_the_first_line_has_the_field_names_and_the_second_the_headings_if_asked_for() -> None:
    names = ["name", "title.zh", "title.en", "total", "version", "waived", "held_at", "due_on", "items", "grade_counts"]
    assert head(Row, headings=False) == BOM + ",".join(names) + "\r\n"
    first, second = read(head(Row, headings=True).removeprefix(BOM))
    assert first == names
    assert second[:4] == ["名称", "名称·中文", "名称·英文", "总分"]


def test_every_kind_of_value_has_its_form() -> None:
    row = Row(
        name="钟若岚",
        title=Label(zh="名", en="Name"),
        total=Decimal("87.50"),
        waived=True,
        held_at=datetime(2010, 12, 31, 1, tzinfo=UTC),
        due_on=date(2010, 12, 31),
        items=[Label(zh="一", en="One")],
        grade_counts={"good": 3},
    )
    said = "钟若岚,名,Name,87.50,1,true,2010-12-31T01:00:00Z,2010-12-31,"
    assert lines(Row, [row]) == said + '"[{""zh"": ""一"", ""en"": ""One""}]","{""good"": 3}"\r\n'


def test_nothing_is_an_empty_cell_and_an_empty_text_is_quoted() -> None:
    assert lines(Row, [Row(), Row(name="")]) == ',,,,1,,,,[],\r\n"",,,,1,,,,[],\r\n'


@pytest.mark.parametrize("begins", ["=1+1", "+1", "-1", "@A1", "\t=1", "  =1", "＝1", "'quoted"])
def test_no_text_is_a_formula(begins: str) -> None:
    assert lines(Row, [Row(name=begins)]).startswith(f"'{begins}")


def test_a_negative_number_stays_a_number() -> None:
    assert lines(Row, [Row(total=Decimal("-1.5"), version=-2)]).startswith(",,,-1.5,-2,")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_every_text_comes_back(names: list[str]) -> None:
    found = read(lines(Row, [Row(name=name) for name in names]))
    assert [cells[0].removeprefix("'") for cells in found] == names
    assert all(len(cells) == len(columns_of(Row)) for cells in found)
