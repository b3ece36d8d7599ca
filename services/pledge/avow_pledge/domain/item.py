"""An item of a pledge: one thing promised, as it is asked for and as it is kept (R-25, R-26).

Promises: what is measured and when is kept apart from the words, so that the words can be sealed for their scope.
"""

from collections.abc import Iterator
from datetime import date

from avow.contracts.pledge import ItemWording, Metric, PledgeItem, Quantity
from avow.contracts.values import Identity, Key
from avow.kernel.message import Line, Prose, Value
from avow.programme.vocabulary import PledgerRules


class Indicator(Quantity):
    """A quantitative indicator: what is counted, in which unit, from where to where."""

    name: Line
    metric_unit: Line


class Item(Value):
    """One thing promised; what is still missing may be left out of a draft, not of a pledge (R-25, R-26)."""

    criterion: Key
    aims: tuple[Key, ...] = ()
    goal: Prose
    task: Prose
    measure: Prose
    qualitative_indicators: tuple[Prose, ...] = ()
    quantitative_indicators: tuple[Indicator, ...] = ()
    milestones: tuple[date, ...] = ()
    accountable_person_id: Identity | None = None

    def lacks(self, rules: PledgerRules) -> Iterator[str]:
        """The fields the programme requires and the item leaves empty, in the programme's order."""
        return (name for name in rules.required_fields if not getattr(self, name))

    def structure(self) -> PledgeItem:
        """What is measured and when, without a word of prose."""
        return PledgeItem(
            criterion=self.criterion,
            aims=self.aims,
            quantities=tuple(
                Quantity(baseline=indicator.baseline, target=indicator.target, direction=indicator.direction)
                for indicator in self.quantitative_indicators
            ),
            milestones=self.milestones,
            accountable_person_id=self.accountable_person_id,
        )

    def words(self) -> ItemWording:
        """The words alone."""
        return ItemWording(
            goal=self.goal,
            task=self.task,
            measure=self.measure,
            qualitative_indicators=self.qualitative_indicators,
            metrics=tuple(
                Metric(name=indicator.name, metric_unit=indicator.metric_unit)
                for indicator in self.quantitative_indicators
            ),
        )
