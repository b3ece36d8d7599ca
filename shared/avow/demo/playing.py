"""The whole play: two years of a campaign, day by day, from its approval to the candidates of its second batch.

Promises: the same commands and the same figures each time for one seed; identities, salts and hashes differ.
"""

from collections.abc import Callable
from datetime import date, datetime
from itertools import chain

from avow.demo.college import FULL, College
from avow.demo.commending import commending
from avow.demo.dice import Dice
from avow.demo.founding import BEGINS as FIRST_DAY
from avow.demo.founding import found
from avow.demo.fulfilling import fulfilling
from avow.demo.meeting import meeting
from avow.demo.moving import moving
from avow.demo.promising import Made, promising
from avow.demo.rating import rating
from avow.demo.reviewing import reviewing
from avow.demo.scene import Scene
from avow.demo.stage import Stage, moment

BEGINS: datetime = moment(FIRST_DAY, 8)
"""What the clock says when the books are opened."""

SEED = 2010


async def play(
    stage: Stage, college: College = FULL, seed: int = SEED, watch: Callable[[date], None] = lambda _: None
) -> Scene:
    """Play it all; `watch` is told each day as it begins. The scene as it stands at the end."""
    scene = Scene(stage, await found(stage, college), Dice(seed))
    made: Made = {}
    acts = chain(
        commending(scene),
        moving(scene),
        promising(scene, made),
        fulfilling(scene, made),
        meeting(scene),
        reviewing(scene),
        rating(scene),
    )
    # At one moment they come in the order of the chapters above.
    for act in sorted(acts, key=lambda act: act.at):
        watch(act.at.date())
        await act.play()
    await stage.heard()
    return scene
