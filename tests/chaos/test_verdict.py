"""The verdict on hand-made logs: each kind of fault is told from the others."""

from tests.chaos.ledger import Line, Service
from tests.chaos.verdict import Book, Row, Verdict, judge

PUBLIC = (b"one", b"two", b"three")
BEGUN = [Row(n, f"unit/{n}", 1, b"%d" % n, None) for n in (1, 2, 3)]
IMPORTED = [Row(n, "import/x", n, b"%d" % n, line) for n, line in enumerate(PUBLIC, 1)]
LEDGER = [Line("pledge", f"unit/{n}", n, repeated=False, tries=1) for n in (1, 2, 3)]


def judged(begun: list[Row], imported: list[Row], before: dict[Service, Row] | None = None) -> Verdict:
    """On a pledge that has begun these and an evaluation that has imported those."""
    return judge({"pledge": Book(begun, PUBLIC), "evaluation": Book(imported, ())}, LEDGER, before or {})


def kinds(verdict: Verdict) -> set[str]:
    return {kind for kind, found in vars(verdict).items() if found}


def test_nothing_is_wrong_where_everything_is_where_it_was_said_to_be() -> None:
    assert judged(BEGUN, IMPORTED).ok


def test_what_was_acknowledged_and_is_not_there_is_lost() -> None:
    assert kinds(judged(BEGUN[:2], IMPORTED)) == {"lost"}


def test_what_stands_elsewhere_than_it_was_said_to_is_lost() -> None:
    assert kinds(judged([BEGUN[0], BEGUN[1]._replace(position=9), BEGUN[2]], IMPORTED)) == {"lost"}


def test_what_nobody_was_told_of_is_doubled() -> None:
    assert kinds(judged([*BEGUN, Row(4, "unit/4", 1, b"4", None)], IMPORTED)) == {"doubled"}


def test_what_is_not_imported_is_lost() -> None:
    assert kinds(judged(BEGUN, IMPORTED[:2])) == {"lost"}


def test_what_is_imported_twice_is_doubled() -> None:
    again = Row(4, "import/x", 4, b"4", b"three")
    assert "doubled" in kinds(judged(BEGUN, [*IMPORTED, again]))


def test_what_is_imported_in_another_order_is_reordered() -> None:
    first, second, third = IMPORTED
    swapped = [first, second._replace(line=third.line), third._replace(line=second.line)]
    assert kinds(judged(BEGUN, swapped)) == {"reordered"}


def test_what_is_imported_and_was_never_published_is_unsound() -> None:
    assert "unsound" in kinds(judged(BEGUN, [*IMPORTED[:2], IMPORTED[2]._replace(line=b"forged")]))


def test_a_log_that_is_not_what_it_was_has_lost_something() -> None:
    assert judged(BEGUN, IMPORTED, {"pledge": BEGUN[2]}).ok
    assert kinds(judged(BEGUN, IMPORTED, {"pledge": BEGUN[2]._replace(hash=b"other")})) == {"lost"}
