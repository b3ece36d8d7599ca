"""A build has the indexes its tables declare, under exact numbers too, and they go with it."""

from functools import partial

from sqlalchemy import Connection, text

from avow.projections.builds import Build, State, begin, create_views, drop
from avow.projections.ordering import number_key_sql
from avow.projections.projection import Projection, exact, index, key, table
from avow.projections.projection import text as words
from tests.kit.logs import a_log

scores = table("score", key("score_id"), words("category"), exact("total"), index("category", "total"))


class Scores(Projection):
    """A table with an index, and nothing folded into it."""

    name, version, tables = "scores", 1, (scores,)


def indexes(connection: Connection) -> set[str]:
    sql = (
        "SELECT name FROM sqlite_master WHERE type = 'index'"
        if connection.dialect.name == "sqlite"
        else "SELECT indexname FROM pg_indexes"
    )
    return {name for name in connection.scalars(text(sql)) if name.startswith("score_v1")}


async def test_each_build_has_its_indexes_and_takes_them_with_it(engine_url: str) -> None:
    async with a_log(engine_url) as log:
        await log.database.write(partial(create_views, projections=[Scores()]))
        assert "score_v1_b1_i1" in await log.database.read(indexes)
        number = await log.database.write(partial(begin, projection=Scores()))
        assert {"score_v1_b1_i1", "score_v1_b2_i1"} <= await log.database.read(indexes)
        await log.database.write(partial(drop, projection=Scores(), build=Build(number, 1, State.BUILDING)))
        assert "score_v1_b2_i1" not in await log.database.read(indexes)


async def test_sqlite_finds_rows_in_the_order_of_an_exact_number_by_the_index() -> None:
    async with a_log("sqlite://") as log:
        await log.database.write(partial(create_views, projections=[Scores()]))
        ordered = f"WHERE org = 'demo' AND category = 'x' ORDER BY {number_key_sql('total')}"
        plan = f"EXPLAIN QUERY PLAN SELECT * FROM score_v1_b1 {ordered}"
        steps = await log.database.write(lambda c: [row[3] for row in c.exec_driver_sql(plan)])
        assert "score_v1_b1_i1" in steps[0]
        assert not any("TEMP B-TREE" in step for step in steps)
