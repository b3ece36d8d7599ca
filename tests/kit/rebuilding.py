"""A process that rebuilds the sample projection in small pages and says a line at each, for a test that kills it.

python -m tests.kit.rebuilding URL
"""

import asyncio
import sys

from avow.eventlog.database import open_database
from avow.eventlog.types import EventTypes
from avow.projections import rebuild
from tests.kit.sample_projection import SAMPLE_TYPES, Sample


async def main(url: str) -> None:
    """Rebuild; a line a page."""
    rebuild.PAGES = {"sqlite": 10, "postgresql": 10}
    database = open_database(url)

    def told(org: str, position: int, last: int) -> None:
        sys.stdout.write(f"{org} {position} {last}\n")
        sys.stdout.flush()

    await rebuild.rebuild(database, Sample(), EventTypes(SAMPLE_TYPES), told=told)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
