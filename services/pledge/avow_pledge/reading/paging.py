"""How a list is cut that is read from its newest record on."""

from collections.abc import Mapping

from sqlalchemy import Select, Table, select


def newest_first(
    sql: Table, org: str, wanted: Mapping[str, object], after: int | None, limit: int
) -> Select[tuple[object, ...]]:
    """The rows with these values, None standing for any, behind the position the page before ended at."""
    query = select(sql).where(sql.c.org == org).order_by(sql.c.position.desc()).limit(limit)
    query = query.where(*(sql.c[name] == value for name, value in wanted.items() if value is not None))
    return query if after is None else query.where(sql.c.position < after)
