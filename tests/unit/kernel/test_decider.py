"""A decider folds a history into the state the next decision rests on."""

from tests.kit.counter import Added, a_counter


def test_a_stream_is_named_by_category_and_identity() -> None:
    assert a_counter().stream_of("4f0c") == "counter/4f0c"


def test_no_history_folds_to_the_beginning() -> None:
    assert a_counter().fold([]) == 0


def test_a_history_folds_in_its_order_and_from_where_one_left_off() -> None:
    counter = a_counter()
    past = [Added(by=n) for n in (1, 2, 3, 4)]
    assert counter.fold(past) == 10
    assert counter.fold(past[2:], counter.fold(past[:2])) == 10
    assert counter.fold([], 7) == 7
