"""Another process at the same log: `python -m tests.kit.writer URL append N`, or `… URL hold` until it is killed.

It says what it has come to in a line of its own: the positions it was given, or that it holds the log.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from avow.eventlog.append import read_head
from avow.eventlog.database import Patience, open_database
from avow.kernel.ports import Ports, SimulatedClock, seeded
from tests.kit.logs import ORG, START, a_person, on_database, proposed

ROOT = Path(__file__).parents[2]
_IDLE = 2


@contextmanager
def writer(url: str, *task: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The process and what it says; it is ended with the block."""
    command = [sys.executable, "-m", "tests.kit.writer", url, *task]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


async def _append(url: str, count: int) -> None:
    database = open_database(url)
    log = on_database(database, url, Ports(SimulatedClock(START), seeded(9)))
    _say("ready")
    positions = [(await log.append(proposed(a_person(n))))[0].position for n in range(count)]
    await database.close()
    _say(json.dumps(positions))


def _hold(connection: Connection) -> None:
    read_head(connection, ORG, lock=True)
    _say("holding")
    time.sleep(600)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[2] == "append":
        asyncio.run(_append(sys.argv[1], int(sys.argv[3])))
    else:
        asyncio.run(open_database(sys.argv[1], Patience(idle=_IDLE)).write(_hold))
