"""Ballots: whoever holds a credential says once what they think (R-41).

Promises: of the request only the credential's hash and the grades reach the log: no actor, no key, no trace, and of the
time the hour (tests/unit/evaluation/test_confidentiality.py).
"""

from fastapi import APIRouter
from pydantic import Field

from avow.contracts.values import Identity, Key
from avow.kernel.message import Value
from avow.web.call import Accepted, Unnamed, accepted
from avow.web.command_route import CommandRoute
from avow.web.responses import COMMAND_RESPONSES
from avow_evaluation.domain.ballot import CastBallot, ballot
from avow_evaluation.domain.credential import Credential, hash_of
from avow_evaluation.domain.review_count import full_hour
from avow_evaluation.facts import ballot_facts

router = APIRouter(tags=["ballots"], route_class=CommandRoute)


class BallotPaper(Value):
    """A filled-in form: a grade for each row, or null to abstain."""

    credential: Credential = Field(repr=False)
    rows: dict[Key, Key | None] = Field(max_length=500, repr=False)


@router.post("/{org}/rounds/{round_id}/ballots", status_code=201, responses=COMMAND_RESPONSES)
async def cast_ballot(round_id: Identity, body: BallotPaper, call: Unnamed) -> Accepted:
    """Cast the one ballot a credential admits; the answer's id names the round and the credential's hash."""
    identity = f"{round_id}/{hash_of(body.credential)}"
    hour = full_hour(call.service.ports.clock.now())
    return accepted(identity, await call.create(ballot, identity, CastBallot(rows=body.rows), ballot_facts, hour))
