"""The end of a schema is announced in time, and wherever a subscriber looks."""

from datetime import date

import pytest

from avow.contracts.asyncapi import document
from avow.contracts.catalogue import ENDING, every_public_event
from avow.contracts.ending import LEAST_NOTICE, Ending
from avow.contracts.entries import entries
from avow.contracts.pledge import PledgeMade

ENDS = Ending(date(2026, 12, 1), date(2027, 6, 1), "pledge.made.v2")


def test_a_notice_that_is_too_short_is_refused() -> None:
    said = date(2026, 12, 1)
    assert Ending(said, said + LEAST_NOTICE, None).until == date(2027, 3, 1)
    with pytest.raises(ValueError, match="announced 89 days ahead; 90 are promised"):
        Ending(said, date(2027, 2, 28), None)


def test_only_what_is_in_the_catalogue_is_announced_to_end() -> None:
    assert ENDING.keys() <= set(every_public_event())


def test_an_announced_end_stands_in_the_catalogue_and_in_the_document() -> None:
    catalogue = entries({PledgeMade: ENDS})
    told = {entry.name: entry.as_json()["ending"] for entry in catalogue if entry.ending}
    assert told == {"pledge.made.v1": {"since": "2026-12-01", "until": "2027-06-01", "successor": "pledge.made.v2"}}
    messages = document("pledge", "0.1.0", catalogue)["components"]["messages"]
    assert {name for name, message in messages.items() if "x-avow-ending" in message} == {"pledge.made.v1"}
    assert messages["pledge.made.v1"]["x-avow-ending"] == told["pledge.made.v1"]
    assert messages["pledge.made.v1"]["payload"]["deprecated"] is True
