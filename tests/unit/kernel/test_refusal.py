"""A refusal carries a code, the field at fault and the parameters of its text."""

import pytest

from avow.kernel.refusal import Refusal, require


def test_what_holds_is_not_refused() -> None:
    require([1], "never")


@pytest.mark.parametrize("condition", [False, None, 0, "", ()])
def test_what_does_not_hold_is_refused_with_code_field_and_parameters(condition: object) -> None:
    with pytest.raises(Refusal) as refused:
        require(condition, "pledge.item_incomplete", "items[0].goal", missing="goal")
    assert (refused.value.code, refused.value.field) == ("pledge.item_incomplete", "items[0].goal")
    assert refused.value.params == {"missing": "goal"}
    assert str(refused.value) == "pledge.item_incomplete at items[0].goal"


def test_a_refusal_may_concern_no_field_at_all() -> None:
    refusal = Refusal("log.conflict")
    assert (refusal.field, refusal.params, str(refusal)) == (None, {}, "log.conflict")
