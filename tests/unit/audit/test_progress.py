"""Parts of a work told as one."""

from avow.audit.progress import Work


def test_parts_are_told_in_the_sum_of_their_weights() -> None:
    told: list[tuple[int, int]] = []
    work = Work(lambda done, of: told.append((done, of)), [10, 30])
    first = work.part()
    first(1, 2)
    second = work.part()
    second(1, 3)
    second(3, 3)
    work.done()
    assert told == [(5, 40), (20, 40), (40, 40), (40, 40)]


def test_a_part_that_grew_meanwhile_or_is_empty_does_not_overrun_its_share() -> None:
    told: list[tuple[int, int]] = []
    work = Work(lambda done, of: told.append((done, of)), [10, 10])
    work.part()(7, 5)
    work.part()(0, 0)
    assert told == [(10, 20), (10, 20)]


def test_nobody_needs_to_listen() -> None:
    work = Work(None, [1])
    work.part()(1, 1)
    work.done()
