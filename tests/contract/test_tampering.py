"""Whoever alters the books is found, and the first position named; or the limit of the proof is shown."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from avow.audit.verify import Verdict
from avow.eventlog.append import open_book
from avow.eventlog.keys import destroy_keys
from avow.eventlog.tables import event, log_head
from avow.projections.projector import checkpoint
from tests.kit.adversary import change, drop_table, flip, forge, remove, swap, tamper
from tests.kit.logs import ORG, START, a_unit, identity
from tests.kit.two_books import TwoBooks, found_in, persons, places, say, two_books

PERSON = persons.stored(1, 1)
PLACE = places.stored(1, 1)


@pytest.fixture
async def books(new_engine_url: Callable[[], str]) -> AsyncIterator[TwoBooks]:
    """The pair, on either engine."""
    async with two_books(new_engine_url(), new_engine_url()) as pair:
        yield pair


def first(verdict: Verdict) -> tuple[str, int | None]:
    """The first finding."""
    assert not verdict.ok
    return found_in(verdict.findings)[0]


class TestTampering:
    """An adversary with every right on the database, on both engines alike."""

    async def test_honest_books_verify(self, books: TwoBooks) -> None:
        verdict = await books.verify_both()
        assert verdict.ok
        assert verdict.findings == ()
        assert [(side.log.events, side.log.public_events, side.log.imported_events) for side in verdict.sides] == [
            (10, 6, 2),
            (8, 3, 5),
        ]
        assert [(copy.importer, copy.imported, copy.behind) for copy in verdict.imports] == [
            ("pledge", 2, 1),
            ("evaluation", 5, 1),
        ]

    async def test_the_same_books_give_the_same_verdict_again(self, books: TwoBooks) -> None:
        assert (await books.verify_both()).as_json() == (await books.verify_both()).as_json()

    @pytest.mark.parametrize(
        ("position", "column"), [(2, "data"), (4, "data"), (3, "sealed"), (3, "salt"), (10, "leaf"), (7, "data")]
    )
    async def test_one_flipped_bit_is_found(self, books: TwoBooks, position: int, column: str) -> None:
        await tamper(books.pledge.database, change(position, **{column: flip}))
        assert first(await books.verify(books.pledge)) == ("leaf.mismatch", position)

    async def test_whatever_else_a_row_says_cannot_be_altered(self, books: TwoBooks) -> None:
        others = {
            "actor": identity(7),
            "on_behalf_of": identity(7),
            "late_reason": "补录",
            "campaign": "",
            "correlation_id": UUID(int=7),
            "event_id": UUID(int=7),
            "type": "unit.renamed",
            "schema": 2,
            "stream": "unit/7",
            "version": 2,
            "sequence": None,
            "sealed": b"{}",
            "salt": b"",
            "occurred_at": START,
            "recorded_at": START + timedelta(days=1),
        }
        for column, value in others.items():
            was = await tamper(books.pledge.database, change(5, **{column: value}))
            assert (column, *first(await books.verify(books.pledge))) == (column, "leaf.mismatch", 5)
            await tamper(books.pledge.database, change(5, **was))
        assert (await books.verify(books.pledge)).ok

    async def test_another_hash_breaks_the_chain(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, change(5, hash=flip))
        assert first(await books.verify(books.pledge)) == ("chain.broken", 5)

    async def test_a_removed_row_leaves_a_hole(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, remove(4))
        verdict = await books.verify(books.pledge)
        assert first(verdict) == ("position.missing", 4)
        assert "至 4" in verdict.findings[0].text("zh")

    async def test_the_first_row_is_missed(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, remove(1))
        assert first(await books.verify(books.pledge)) == ("position.missing", 1)

    async def test_a_hole_that_was_closed_up_breaks_the_chain(self, books: TwoBooks) -> None:
        up = [change(position, position=position - 1) for position in range(5, 11)]
        await tamper(books.pledge.database, remove(4), *up)
        assert first(await books.verify(books.pledge)) == ("chain.broken", 4)

    async def test_a_cut_tail_is_missed_by_the_head_row(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, remove(8, 9, 10))
        assert first(await books.verify(books.pledge)) == ("tail.missing", 8)

    async def test_a_head_row_that_was_set_back_alone_is_found(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, lambda c: c.execute(update(log_head).values(position=9)))
        assert first(await books.verify(books.pledge)) == ("head.mismatch", 10)

    async def test_a_head_row_that_is_gone_is_found(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, lambda c: c.execute(delete(log_head)))
        assert first(await books.verify(books.pledge)) == ("head.missing", 10)

    async def test_another_log_id_in_the_head_row_is_found(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, lambda c: c.execute(update(log_head).values(log_id=UUID(int=7))))
        verdict = await books.verify_both()
        assert first(verdict.sides[0]) == ("head.mismatch", 1)
        assert found_in(verdict.imports[1].findings) == [("import.not_at_source", 3)]

    async def test_two_rows_that_changed_places_break_the_chain(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, swap(4, 5))
        assert first(await books.verify(books.pledge)) == ("chain.broken", 4)

    async def test_they_do_so_even_if_each_place_keeps_its_hash(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, swap(4, 5, "hash"))
        assert first(await books.verify(books.pledge)) == ("chain.broken", 4)

    async def test_contents_that_changed_places_do_not_give_their_leaves(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, swap(4, 9, "version", "event_id", "recorded_at", "salt", "leaf", "hash"))
        assert first(await books.verify(books.pledge)) == ("leaf.mismatch", 4)

    async def test_an_import_that_was_altered_is_found_by_its_row_first(self, books: TwoBooks) -> None:
        await tamper(books.evaluation.database, change(6, data=flip))
        verdict = await books.verify_both()
        assert first(verdict.sides[1]) == ("leaf.mismatch", 6)
        assert found_in(verdict.imports[1].findings) == [("import.differs_from_source", 6)]

    async def test_a_destroyed_key_alters_nothing_that_is_proved(self, books: TwoBooks) -> None:
        before = (await books.verify_both()).as_json()
        assert await books.pledge.database.write(lambda c: destroy_keys(c, ORG, [f"person/{identity(2)}"]))
        assert (await books.verify_both()).as_json() == before

    async def test_rows_of_another_organisation_are_none_of_this_books_business(self, books: TwoBooks) -> None:
        def smuggle(connection: Connection) -> None:
            row = connection.execute(select(event).where(event.c.position == 1)).mappings().one()
            connection.execute(insert(event).values({**row, "org": "other"}))

        await tamper(books.pledge.database, smuggle)
        assert (await books.verify(books.pledge)).ok


class TestForgery:
    """An adversary who computes every hash anew: the log alone is silent, a copy elsewhere is not."""

    async def test_forging_an_honest_log_changes_nothing(self, books: TwoBooks) -> None:
        before = (await books.verify(books.pledge)).log.hash
        await tamper(books.pledge.database, forge)
        assert (await books.verify(books.pledge)).log.hash == before

    async def test_a_rewritten_log_is_betrayed_by_the_other_services_imports(self, books: TwoBooks) -> None:
        words = "后勤第二支部".encode(), "后勤第九支部".encode()
        await tamper(books.pledge.database, change(5, data=lambda data: data.replace(*words)), forge)
        verdict = await books.verify_both()
        assert verdict.sides[0].log.ok
        assert found_in(verdict.sides[0].findings) == [("projection.differs", 10)]
        assert found_in(verdict.imports[1].findings) == [("import.differs_from_source", 6)]
        assert not verdict.ok

    async def test_a_cut_tail_with_its_head_set_back_is_betrayed_by_the_other_services_imports(
        self, books: TwoBooks
    ) -> None:
        await tamper(books.pledge.database, remove(8, 9, 10), forge)
        verdict = await books.verify_both()
        assert verdict.sides[0].log.ok
        assert found_in(verdict.sides[0].findings) == [("projection.beyond_log", 8)]
        assert found_in(verdict.imports[1].findings) == [("import.not_at_source", 7)]

    async def test_what_was_not_imported_yet_can_be_cut_off_unseen_but_for_a_hash_noted_outside(
        self, books: TwoBooks
    ) -> None:
        noted = {10: (await books.verify(books.pledge)).log.hash}
        back = update(checkpoint).values(position=9)
        forget = delete(PLACE).where(PLACE.c.name == "物理学院第三支部")
        deeds = [lambda c, statement=statement: c.execute(statement) for statement in (back, forget)]
        await tamper(books.pledge.database, remove(10), forge, *deeds)
        assert (await books.verify_both()).ok
        assert first(await books.verify(books.pledge, noted)) == ("hash.not_as_noted", 10)

    async def test_a_private_event_can_be_rewritten_unseen_but_for_a_hash_noted_outside(self, books: TwoBooks) -> None:
        noted = {10: (await books.verify(books.pledge)).log.hash}
        await tamper(books.pledge.database, change(4, data='{"text":"另一稿"}'.encode()), forge)
        assert (await books.verify_both()).ok
        assert first(await books.verify(books.pledge, noted)) == ("hash.not_as_noted", 10)

    async def test_numbers_and_times_have_to_fit_where_every_hash_does(self, books: TwoBooks) -> None:
        deeds: list[tuple[int, str, object, str, int]] = [
            (1, "type", "book.closed", "book.not_opened", 1),
            (1, "data", b"{}", "book.not_opened", 1),
            (4, "sequence", 99, "sequence.missing", 4),
            (5, "sequence", None, "sequence.missing", 8),
            (6, "sequence", 99, "sequence.on_import", 6),
            (7, "version", 3, "version.missing", 7),
            (9, "version", 3, "version.missing", 9),
            (9, "stream", "note/7", "version.missing", 9),
            (5, "recorded_at", START, "time.backwards", 5),
            (5, "occurred_at", START + timedelta(days=1), "time.not_yet", 5),
            (5, "format", 2, "format.unknown", 5),
        ]
        for at, column, value, code, position in deeds:
            was = await tamper(books.pledge.database, change(at, **{column: value}), forge)
            assert (column, *first(await books.verify(books.pledge))) == (column, code, position)
            await tamper(books.pledge.database, change(at, **was), forge)
        assert (await books.verify(books.pledge)).ok

    async def test_a_forged_import_does_not_give_the_leaf_it_came_with(self, books: TwoBooks) -> None:
        words = "后勤第二支部".encode(), "后勤第九支部".encode()
        await tamper(books.evaluation.database, change(6, data=lambda data: data.replace(*words)), forge)
        verdict = await books.verify_both()
        assert first(verdict.sides[1]) == ("import.leaf_mismatch", 6)
        assert found_in(verdict.imports[1].findings) == [("import.differs_from_source", 6)]

    async def test_an_import_under_another_name_differs_from_its_envelope(self, books: TwoBooks) -> None:
        await tamper(books.evaluation.database, change(6, type="unit.renamed"), forge)
        assert first(await books.verify(books.evaluation)) == ("import.differs_from_envelope", 6)

    async def test_an_import_that_is_no_event_is_found(self, books: TwoBooks) -> None:
        await tamper(books.evaluation.database, change(6, data=b'{"specversion":"1.0"}'), forge)
        assert first(await books.verify(books.evaluation)) == ("import.unreadable", 6)

    async def test_a_log_that_was_replaced_is_known_by_its_old_imports(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, lambda c: c.execute(delete(event)), lambda c: c.execute(delete(log_head)))
        await books.pledge.database.write(lambda c: open_book(c, ORG, "pledge", books.pledge.ports))
        verdict = await books.verify_both()
        assert verdict.sides[0].log.ok
        assert ("import.not_at_source", 3) in found_in(verdict.imports[1].findings)


class TestProjections:
    """Somebody who leaves the log alone and alters what people see."""

    async def test_a_row_edited_by_hand_is_found(self, books: TwoBooks) -> None:
        edit = update(PLACE).where(PLACE.c.name == "后勤第二支部").values(name="后勤第一支部")
        await tamper(books.pledge.database, lambda c: c.execute(edit))
        verdict = await books.verify(books.pledge)
        assert verdict.log.ok
        assert first(verdict) == ("projection.differs", 10)
        assert "The log is the truth" in verdict.findings[0].todo("en")

    async def test_a_removed_row_is_found(self, books: TwoBooks) -> None:
        await tamper(books.evaluation.database, lambda c: c.execute(delete(PERSON)))
        assert first(await books.verify(books.evaluation)) == ("projection.differs", 8)

    async def test_a_checkpoint_beyond_the_log_is_found(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, lambda c: c.execute(update(checkpoint).values(position=99)))
        assert first(await books.verify(books.pledge)) == ("projection.beyond_log", 11)

    async def test_a_projection_that_is_behind_is_right_where_it_stands(self, books: TwoBooks) -> None:
        await say(books.pledge, "unit/7", a_unit(7))
        verdict = await books.verify(books.pledge)
        assert verdict.ok
        assert (verdict.projections[0].position, verdict.log.position) == (10, 11)

    async def test_tables_that_are_gone_are_named(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, partial(drop_table, PLACE))
        verdict = await books.verify(books.pledge)
        assert first(verdict) == ("projection.tables_missing", None)
        assert "place_v1_b1" in verdict.findings[0].text("zh")

    async def test_an_event_that_no_longer_fits_its_fold_is_named(self, books: TwoBooks) -> None:
        await tamper(books.pledge.database, change(5, data=b'{"unit_id":"not one"}'), forge)
        assert first(await books.verify(books.pledge)) == ("projection.cannot_fold", 5)
