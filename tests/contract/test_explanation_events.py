"""An event is found by its id, one's own as well as one that was imported, and says where it came from."""

from collections.abc import Callable
from functools import partial

from avow.audit.explanation import filed, leaves
from avow.contracts.values import Label
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, a_log, a_unit, identity, imports, proposed


async def test_an_imported_event_is_found_by_the_id_it_had_where_it_was_written(
    new_engine_url: Callable[[], str],
) -> None:
    other = Ports(SimulatedClock(START), seeded(2))
    async with a_log(new_engine_url()) as source, a_log(new_engine_url(), other, service="evaluation") as importer:
        (written,) = await source.append(proposed(a_unit(1)))
        await importer.append(*imports(await source.envelopes()))
        (own,) = await importer.append(proposed(a_unit(2)))
        asked = [str(own.event_id), str(written.event_id), identity(99)]
        found = await importer.database.read(partial(filed, org=ORG, event_ids=asked))
        assert found.keys() == {str(own.event_id), str(written.event_id)}
        steps = leaves(list(found.values()), lambda record: Label(zh=record.type, en=record.type))
        refs = [step.event for step in steps if step.event is not None]
        source_log = str((await source.head()).log_id)
        assert [(ref.event_id, ref.type, ref.source) for ref in refs] == [
            (str(written.event_id), "unit.registered", source_log),
            (str(own.event_id), "unit.registered", None),
        ]
        assert [ref.position for ref in refs] == [3, 4]
