"""Every refusal of the service has a text, and every text a refusal."""

import re
from pathlib import Path

import avow_evaluation
from avow.web.catalogue import SHARED, Catalogue
from avow_evaluation.domain.review_round import Status

OWN = ("avow_evaluation", "messages.toml")
FAMILIES = "round|electorate|ballot|scoring_rules|assessment|ranking|unit|campaign|position"
CODE = re.compile(rf'(?<!type=)"((?:{FAMILIES})\.[a-z_]+)"')
STANDINGS = {f"round.not_{status.value}" for status in (Status.FROZEN, Status.OPEN, Status.CLOSED)} | {
    f"round.{status.value}" for status in (Status.FROZEN, Status.OPEN, Status.CLOSED, Status.TALLIED)
}


def codes_raised() -> set[str]:
    sources = Path(avow_evaluation.__file__).parent.rglob("*.py")
    return {code for source in sources for code in CODE.findall(source.read_text("utf-8"))} | STANDINGS


def test_every_code_the_service_raises_has_a_text() -> None:
    catalogue = Catalogue.load(SHARED, ("avow.register", "messages.toml"), OWN)
    assert len(codes_raised()) > 25
    assert codes_raised() - set(catalogue) == set()


def test_no_text_is_left_over() -> None:
    assert set(Catalogue.load(SHARED, OWN)) - set(Catalogue.load(SHARED)) <= codes_raised()
