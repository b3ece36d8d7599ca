"""The whole play, from the campaign's approval to the ledger.

Promises: the same commands in the same order and the same figures each time; identities, salts and hashes differ.
"""

from datetime import datetime

from avow.demo.carrying_out import carry_out
from avow.demo.founding import found
from avow.demo.promising import meet, promise
from avow.demo.reviewing import review
from avow.demo.stage import COLLEGE_TIME, Stage

BEGINS = datetime(2010, 6, 1, 8, tzinfo=COLLEGE_TIME)
"""What the clock says when the books are opened."""


async def play(stage: Stage) -> str:
    """Play it; the identity of the round whose results the ledger then holds."""
    cast = await found(stage)
    await promise(stage, cast)
    await meet(stage, cast)
    await carry_out(stage, cast)
    return await review(stage, cast)
