"""The checksum of a projection's content: the same rows give the same 64 hexadecimal digits on every engine.

SHA-256 over each table's name and its rows in the order of their keys, every row as canonical JSON. Rows are read in
keyset pages, so that memory stays flat.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, Table, Text, literal, select, tuple_, type_coerce

from avow.contracts import moment
from avow.projections.projection import Canonical, Projection, Sealed, ViewTable

PAGE = 5000


class Content(NamedTuple):
    """What a table holds of one organisation: how many rows, and their checksum."""

    rows: int
    checksum: str


def checksum(connection: Connection, org: str, projection: Projection, build: int | None = None) -> str:
    """The content checksum of an organisation's rows, as they stand: the live ones, or those of a build."""
    digest = sha256()
    for view in projection.tables:
        digest.update(f"{view.name}\n".encode())
        for line in lines(connection, org, view, _table(view, projection, build)):
            digest.update(line)
    return digest.hexdigest()


def contents(connection: Connection, org: str, projection: Projection, build: int) -> dict[str, Content]:
    """Rows and checksum of each table of a build, by the table's name."""
    found = {}
    for view in projection.tables:
        digest, rows = sha256(), 0
        for line in lines(connection, org, view, _table(view, projection, build)):
            digest.update(line)
            rows += 1
        found[view.name] = Content(rows, digest.hexdigest())
    return found


def lines(connection: Connection, org: str, view: ViewTable, table: Table) -> Iterator[bytes]:
    """Each row of an organisation as a line of canonical JSON, in the order of the keys."""
    names = sorted(["org", *view.defaults])
    keys = [table.c[name] for name in view.keys]
    places = [names.index(name) for name in view.keys]
    as_json = [isinstance(table.c[name].type, Canonical | Sealed) for name in names]
    # What is stored as canonical JSON is taken as the text it is.
    columns = [type_coerce(table.c[n], Text).label(n) if json_ else table.c[n]
               for n, json_ in zip(names, as_json, strict=True)]  # fmt: skip
    shapes = [(f"{json.dumps(name)}:", json_) for name, json_ in zip(names, as_json, strict=True)]
    query = select(*columns).where(table.c.org == org).order_by(*keys).limit(PAGE)
    asked = query
    while True:
        page = connection.execute(asked).all()
        for row in page:
            said = ",".join(
                f"{head}{value if json_ and value is not None else _text(value)}"
                for (head, json_), value in zip(shapes, row, strict=True)
            )
            yield f"{{{said}}}\n".encode()
        if len(page) < PAGE:
            return
        last = [literal(page[-1][n], key.type) for n, key in zip(places, keys, strict=True)]
        asked = query.where(tuple_(*keys) > tuple_(*last))


def _text(value: object) -> str:
    if value is None or isinstance(value, bool | int | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime):
        return f'"{moment.to_text(value)}"'
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    if isinstance(value, Decimal):
        normal = value.normalize()
        return f'"{normal:f}"' if normal else '"0"'
    raise TypeError(type(value).__name__)


def _table(view: ViewTable, projection: Projection, build: int | None) -> Table:
    return view.sql(projection.version) if build is None else view.stored(projection.version, build)
