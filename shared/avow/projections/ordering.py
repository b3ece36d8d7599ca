"""The order of a list: the same on both engines, exact, with nothing last.

Promises: whatever it is sorted by, a list has one order: text by its bytes, numbers as numbers, what is null last both
ways, and equals by their keys. SQLite keeps exact numbers as text, so there they are sorted by a text made from them
that is in their order, never by a float (tests/property/test_listing.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, false, literal_column, nulls_last, or_

from avow.eventlog.columns import ExactNumber
from avow.kernel.refusal import Refusal

_TURNED = str.maketrans("0123456789", "jihgfedcba")


@dataclass(frozen=True)
class Term:
    """A column a list is sorted by, and which way."""

    name: str
    falling: bool = False


def terms_of(sort: str, known: Sequence[str], keys: Sequence[str]) -> tuple[Term, ...]:
    """`unit_id,-recognition` as terms, the keys behind them that make it one order.

    Raises Refusal: `list.sort_unknown`, which names the columns there are.
    """
    said = [Term(part.removeprefix("-"), part.startswith("-")) for part in sort.split(",")]
    names = [term.name for term in said]
    if len(set(names)) < len(names) or not set(names) <= {*known, *keys}:
        raise Refusal("list.sort_unknown", "sort", known=", ".join(sorted({*known, *keys})))
    return (*said, *(Term(key) for key in keys if key not in names))


def ordered(columns: Any, terms: Sequence[Term], dialect: str) -> list[ColumnElement[Any]]:
    """What a query is ordered by."""
    keys = ((sort_key(columns[term.name], dialect), term.falling) for term in terms)
    return [nulls_last(key.desc() if falling else key.asc()) for key, falling in keys]


def behind(columns: Any, terms: Sequence[Term], values: Sequence[Any], dialect: str) -> ColumnElement[bool]:
    """Whether a row comes after the one with these values."""
    found: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for term, value in zip(terms, values, strict=True):
        column = columns[term.name]
        key = sort_key(column, dialect)
        if value is None:
            same.append(column.is_(None))
            continue
        # As a parameter whatever it is: SQLAlchemy has words of its own for true and false.
        bound = bindparam(None, number_key(value) if key is not column else value, key.type)
        beyond = key < bound if term.falling else key > bound
        found.append(and_(*same, beyond if column.primary_key else or_(beyond, column.is_(None))))
        same.append(key == bound)
    return or_(false(), *found)


def sort_key(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """What a column is sorted by: itself, or on SQLite the text that stands for an exact number."""
    if dialect != "sqlite" or not isinstance(column.type, ExactNumber):
        return column
    table: Any = getattr(column, "table", None)
    return literal_column(number_key_sql(f'"{table.name}"."{column.key}"'), String)


def number_key(value: Decimal) -> str:
    """A text that sorts as the number does: how long the whole part is, then the digits; a negative one turned over."""
    digits = format(abs(value), "f")
    digits = (digits if "." in digits else digits + ".").rstrip("0")
    length = digits.index(".") + 1
    if value < 0:
        return f"-{9999 - length:04}{digits.translate(_TURNED)}~"
    return f"{length:04}{digits}"


def number_key_sql(column: str) -> str:
    """The same of a column of SQLite."""
    digits = f"rtrim(ltrim({column}, '-') || CASE WHEN instr({column}, '.') THEN '' ELSE '.' END, '0')"
    length = f"instr(ltrim({column}, '-') || '.', '.')"
    turned = digits
    for digit, letter in _TURNED.items():
        turned = f"replace({turned}, '{chr(digit)}', '{chr(letter)}')"
    negative = f"substr({column}, 1, 1) = '-' AND {digits} <> '0.'"
    return (
        f"CASE WHEN {negative} THEN '-' || printf('%04d', 9999 - {length}) || {turned} || '~' "
        f"ELSE printf('%04d', {length}) || {digits} END"
    )
