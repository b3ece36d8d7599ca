"""The four other ways to measure recognition, by hand (R-51)."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from avow_evaluation.domain.sensitivity import METHODS, Pool, alternatives, class_means, pools_of
from avow_evaluation.domain.spread import ClassSpread

MASS = ClassSpread(rater_class="mass", ballots={"50": 1, "70": 1, "85": 8, "100": 10})
FEW = ClassSpread(rater_class="mass", ballots={"85": 1, "100": 1})
spreads = st.dictionaries(st.sampled_from(("50", "70", "85", "100", "277/3")), st.integers(1, 40), min_size=1).map(
    lambda ballots: ClassSpread(rater_class="mass", ballots=ballots)
)


def test_the_four_figures_of_a_class() -> None:
    pool = pools_of([MASS, FEW])["mass"]
    assert pool == Pool(22, Fraction(1985))
    means = class_means(MASS, pool)
    assert (means.ballots, means.mean, means.median) == (20, "90", "185/2")
    # One of twenty goes at either end: the 50 and one of the 100s.
    assert means.trimmed == str(Fraction(70 + 8 * 85 + 9 * 100, 18))
    assert means.shrunk == str((1800 + 20 * Fraction(1985, 22)) / 40)


def test_fewer_than_twenty_ballots_are_not_trimmed() -> None:
    means = class_means(FEW, pools_of([FEW])["mass"])
    assert (means.mean, means.trimmed, means.median, means.shrunk) == ("185/2",) * 4


def test_each_method_gives_a_recognition_and_a_total() -> None:
    peers = ClassSpread(rater_class="peer", ballots={"70": 5})
    means = [class_means(one, pools_of([one])[one.rater_class]) for one in (FEW, peers)]
    weights = {"mass": Fraction(30), "peer": Fraction(10)}
    found = alternatives(means, weights, Fraction(45), Fraction(40))
    assert [one.method for one in found] == list(METHODS)
    assert {one.recognition for one in found} == {Decimal("86.875")}
    assert {one.total for one in found} == {Decimal("79.75")}
    assert alternatives(means, weights, None, Fraction(40)) == ()
    assert alternatives([], weights, Fraction(45), Fraction(40)) == ()


@given(spreads)
def test_every_figure_lies_between_the_worst_and_the_best_ballot(spread: ClassSpread) -> None:
    means = class_means(spread, pools_of([spread])["mass"])
    given = [Fraction(mean) for mean in spread.ballots]
    for figure in (means.mean, means.shrunk, means.trimmed, means.median):
        assert min(given) <= Fraction(figure) <= max(given)
