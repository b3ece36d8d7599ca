"""The checksum of a projection's content: the same rows give the same 64 hexadecimal digits on every engine.

SHA-256 over each table's name and its rows in the order of their keys, every row as canonical JSON.
"""

from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from pydantic import BaseModel
from sqlalchemy import Connection, select

from avow.contracts import moment
from avow.projections.projection import Projection, canonical


def checksum(connection: Connection, org: str, projection: Projection) -> str:
    """The content checksum of an organisation's rows, as they stand."""
    digest = sha256()
    for view in projection.tables:
        sql = view.sql(projection.version)
        digest.update(f"{view.name}\n".encode())
        keys = [sql.c[name] for name in view.keys]
        for row in connection.execute(select(sql).where(sql.c.org == org).order_by(*keys)).mappings():
            digest.update(canonical({name: _plain(value) for name, value in row.items()}).encode() + b"\n")
    return digest.hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return moment.to_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        normal = value.normalize()
        return format(normal, "f") if normal else "0"
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return value
