"""`avow verify`: a service's log and projections, and both services against each other, in one verdict.

Promises: it only reads, each part in one snapshot, so it may run beside the service; whatever is wrong with the
database is a finding and never a traceback (tests/contract/test_tampering.py). Limit: a database that cannot be reached
at all raises the driver's error.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pydantic import JsonValue
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from avow.audit import rows
from avow.audit.finding import Finding, unreadable
from avow.audit.imports import ImportVerdict, verify_imports
from avow.audit.log import LogVerdict, verify_log
from avow.audit.progress import Progress, Work
from avow.audit.projections import ProjectionVerdict, verify_projection
from avow.eventlog.database import Database
from avow.eventlog.types import EventTypes
from avow.projections.projection import Projection

T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """What a service's book of one organisation turned out to be; `seconds` is how long it took to say so."""

    org: str
    log: LogVerdict
    projections: tuple[ProjectionVerdict, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return self.log.ok and all(projection.ok for projection in self.projections)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found: the log's findings first, in its order."""
        return (*self.log.findings, *(p.finding for p in self.projections if p.finding is not None))

    def as_json(self) -> dict[str, JsonValue]:
        """The verdict as a program reads it: the same for the same book, whenever it is asked."""
        return {
            "ok": self.ok,
            "org": self.org,
            "service": self.log.service,
            "log": self.log.as_json(),
            "projections": [projection.as_json() for projection in self.projections],
        }


@dataclass(frozen=True)
class Side:
    """One service of a pair: its database, what it projects, the events it knows, and hashes noted outside."""

    database: Database
    projections: Sequence[Projection]
    types: EventTypes
    noted: Mapping[int, str] | None = None


@dataclass(frozen=True)
class PairVerdict:
    """What two services that import from each other turned out to be."""

    sides: tuple[Verdict, Verdict]
    imports: tuple[ImportVerdict, ImportVerdict]
    seconds: float

    @property
    def ok(self) -> bool:
        return all(part.ok for part in (*self.sides, *self.imports))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, each side's own findings first."""
        return tuple(finding for part in (*self.sides, *self.imports) for finding in part.findings)

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "ok": self.ok,
            "services": [side.as_json() for side in self.sides],
            "imports": [imports.as_json() for imports in self.imports],
        }


async def verify_service(
    database: Database,
    org: str,
    projections: Sequence[Projection],
    types: EventTypes,
    progress: Progress | None = None,
    noted: Mapping[int, str] | None = None,
) -> Verdict:
    """Verify the log of `org` and every projection of it."""
    now = asyncio.get_running_loop().time
    begun = now()
    work = Work(progress, [await _size(database, org)] * (1 + len(projections)))
    log = await _read(database, partial(verify_log, org=org, progress=work.part(), noted=noted))
    if isinstance(log, DBAPIError):
        log = LogVerdict(org, findings=(unreadable(log),), faults=1)
    verdicts = []
    for projection in projections:
        check = partial(verify_projection, org=org, projection=projection, types=types, progress=work.part())
        verdict = await _read(database, check)
        if isinstance(verdict, DBAPIError):
            found = unreadable(verdict, projection=projection.name)
            verdict = ProjectionVerdict(projection.name, projection.version, finding=found)
        verdicts.append(verdict)
    work.done()
    return Verdict(org, log, tuple(verdicts), now() - begun)


async def verify_pair(org: str, first: Side, second: Side, progress: Progress | None = None) -> PairVerdict:
    """Verify both services, and each one's imports against the other."""
    now = asyncio.get_running_loop().time
    begun = now()
    sizes = [await _size(side.database, org) for side in (first, second)]
    weights = [size * (1 + len(side.projections)) for size, side in zip(sizes, (first, second), strict=True)]
    work = Work(progress, [*weights, *sizes])
    one, other = [
        await verify_service(side.database, org, side.projections, side.types, work.part(), side.noted)
        for side in (first, second)
    ]
    forth = await verify_imports(first.database, second.database, org, work.part())
    back = await verify_imports(second.database, first.database, org, work.part())
    work.done()
    return PairVerdict((one, other), (forth, back), now() - begun)


async def _read(database: Database, check: Callable[[Connection], T]) -> T | DBAPIError:
    """What a check gives in one snapshot, or why the database could not even begin."""
    given: list[T] = []
    try:
        await database.read(lambda connection: given.append(check(connection)))
    except DBAPIError as error:
        # A damaged file fails at the end of a transaction too; what was found before stands.
        if not given:
            return error
    return given[0]


async def _size(database: Database, org: str) -> int:
    """How many rows there are to read; what keeps them from being counted is for the verdict to say."""
    try:
        return await database.read(partial(rows.count, org=org))
    except DBAPIError:
        return 0
