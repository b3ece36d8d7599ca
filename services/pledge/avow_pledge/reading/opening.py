"""Opening the seals of a page of rows, all at once.

Promises: where a key was destroyed the answer says so in the value's place, and everything around it stays readable.
"""

from collections.abc import Callable, Iterable

from pydantic import JsonValue
from sqlalchemy import Connection

from avow.eventlog.seals import open_seals
from avow.kernel.seal import Seal

OR_ERASED = "「已删除 / erased」 where the scope's key was destroyed; null where this service has no key that opens it."


def opener(
    connection: Connection, org: str, seals: Iterable[Seal | None]
) -> Callable[[Seal | None, JsonValue], JsonValue]:
    """Tells what a sealed column holds, or else the plain column beside it."""
    opened = open_seals(connection, org, (seal for seal in seals if seal is not None))
    return lambda seal, plain: plain if seal is None else opened[seal]
