"""A process that tails a log: `python -m tests.kit.race.reader URL FOLDER`, until the folder holds a file `done`.

It knows nothing but the last position, and the last public sequence, it saw; what it saw goes to standard output.
"""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

from avow.eventlog import reading
from avow.eventlog.database import Database, open_database
from tests.kit.logs import ORG

PAGE = 20
END = 2**53
Seen = list[tuple[int, str]]


async def _by_position(database: Database, after: int) -> Seen:
    page = await database.read(partial(reading.page, org=ORG, after=after, upto=END, limit=PAGE))
    return [(record.position, str(record.event_id)) for record in page]


async def _by_sequence(database: Database, after: int) -> Seen:
    page = await database.read(
        partial(reading.envelopes, org=ORG, after=after, upto=END, types=None, limit=PAGE),
    )
    return [(wire.sequence, str(wire.event_id)) for wire in page]


async def main(url: str, folder: Path) -> None:
    """Tail both ways to the end of the race."""
    database = open_database(url)
    seen: list[Seen] = [[], []]
    while True:
        over = (folder / "done").exists()
        pages = [
            await tail(database, mine[-1][0] if mine else 0)
            for tail, mine in zip((_by_position, _by_sequence), seen, strict=True)
        ]
        for mine, page in zip(seen, pages, strict=True):
            mine += page
        if not any(pages):
            if over:
                break
            await asyncio.sleep(0.004)
    await database.close()
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
