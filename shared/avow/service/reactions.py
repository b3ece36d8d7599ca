"""Reactions: what a cause makes a service do by itself, and what becomes of one that cannot be done.

    await service.reactions.carry_out("tally-round", org, cause, work)

Promises: one that fails holds no other up and is tried again the next time round; one that failed `TRIES` times in a
row is laid aside as a dead letter that names its cause, and is not tried again until a person says so
(`avow dead retry`); what passes by itself, such as a database that is away, does not count
(tests/contract/test_reactions_laid_aside.py).
Limit: each process counts for itself, and from nothing when it starts.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from uuid import UUID

import structlog

from avow.bus.dead import DeadLetters
from avow.eventlog.batch import OutcomeUnknown
from avow.eventlog.dead_letters import Letter
from avow.eventlog.faults import fault_of
from avow.kernel.refusal import Refusal

TRIES = 5
_PASSING = frozenset({"log.conflict", "position.not_reached"})
"""Refusals that say nothing of the cause: somebody was quicker, or a view is behind."""

chore_at_work: ContextVar[str] = ContextVar("chore", default="")
"""The chore whose task this is."""

log = structlog.get_logger(__name__)


class Reactions:
    """Carries out the reactions of a service."""

    def __init__(self, dead: DeadLetters) -> None:
        self.carried_out: Counter[tuple[str, str]] = Counter()
        """How many, by reaction and outcome: `done`, `failed` or `passing`."""
        self.carried_out_by: Counter[str] = Counter()
        """How many, by the chore that did."""
        self._dead = dead
        self._failed: Counter[tuple[str, str, UUID]] = Counter()

    async def carry_out(self, reaction: str, org: str, cause: UUID, work: Callable[[], Awaitable[object]]) -> None:
        """Do what a cause asks for, unless that was laid aside.

        Raises what the database fails with, for then no other reaction can be carried out either.
        """
        if await self._dead.laid_aside(org, reaction, cause):
            return
        key = (reaction, org, cause)
        try:
            await work()
        except OutcomeUnknown:
            self._note(reaction, "passing")
            log.warning("reaction.outcome_unknown", reaction=reaction, org=org, cause=str(cause))
        except Refusal as refusal:
            log.warning("reaction.refused", reaction=reaction, org=org, cause=str(cause), code=refusal.code)
            if refusal.code in _PASSING:
                self._note(reaction, "passing")
            else:
                await self._count(key, refusal.code)
        except Exception as error:
            if fault_of(error):
                raise
            log.exception("reaction.failed", reaction=reaction, org=org, cause=str(cause))
            await self._count(key, type(error).__name__)
        else:
            self._note(reaction, "done")
            self._failed.pop(key, None)

    def _note(self, reaction: str, outcome: str) -> None:
        self.carried_out[reaction, outcome] += 1
        self.carried_out_by[chore_at_work.get()] += 1

    async def _count(self, key: tuple[str, str, UUID], reason: str) -> None:
        self._note(key[0], "failed")
        self._failed[key] += 1
        if self._failed[key] >= TRIES:
            reaction, org, cause = key
            await self._dead.bury(org, [Letter("reaction", reason, reaction, message_id=str(cause))])
            del self._failed[key]
