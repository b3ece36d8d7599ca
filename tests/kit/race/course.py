"""Runs a race: two processes of four writers, a process that reads, and a SIGKILL for a writer now and then.

Promises: it ends, whatever its processes do, and leaves none of them behind.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from avow.audit.log import verify_log
from avow.contracts.envelope import encode
from avow.eventlog.append import open_book
from avow.eventlog.database import open_database
from avow.eventlog.tables import create_log
from avow.kernel.ports import Ports
from tests.kit.logs import ORG, a_log, a_unit, on_database, proposed
from tests.kit.race import sabotage
from tests.kit.race.verdict import faults

PROCESSES = (("a", "b", "c", "d"), ("e", "f", "g", "h"))
ROOT = Path(__file__).parents[3]
FEED = 150
WITHIN = 120
TICK = 0.02


@dataclass(frozen=True)
class Outcome:
    """How a race ended; `faults` are what is wrong, by kind, and the counts say whether the writers met at all."""

    faults: dict[str, list[str]]
    events: int
    conflicts: int
    repeated: int


async def race(url: str, folder: Path, deeds: int, kills: Sequence[int] = (), sabotaged: str | None = None) -> Outcome:
    """Race to the end: each writer does so many deeds.

    `kills` are numbers of answers: by turns a process that has given so many is killed, and its successor starts anew.
    """
    await _prepare(url, folder, sabotaged)
    with ExitStack() as running:
        reader = _start(running, folder / "reader", "reader", url, str(folder))
        processes = [_start_writers(running, folder, n, deeds, url, sabotaged) for n in range(len(PROCESSES))]
        await _all_ready(folder, processes)
        (folder / "start").touch()
        for turn, answers in enumerate(kills):
            victim = turn % len(PROCESSES)
            await _answered(processes[victim], folder, PROCESSES[victim], answers)
            processes[victim].kill()
            processes[victim].wait()
            processes[victim] = _start_writers(running, folder, victim, deeds, url, sabotaged)
        for n, process in enumerate(processes):
            await _ended(process, folder / f"writers-{n}")
        (folder / "done").touch()
        await _ended(reader, folder / "reader")
    return await _judge(url, folder)


async def _prepare(url: str, folder: Path, sabotaged: str | None) -> None:
    """Open the book, and write the feed of another log for the writers to import."""

    def prepare(connection: Connection) -> None:
        create_log(connection)
        open_book(connection, ORG, "pledge", Ports())
        sabotage.prepare(connection, sabotaged)

    async with a_log(f"sqlite:///{folder}/source.db", service="evaluation") as source:
        await source.append(*(proposed(a_unit(n)) for n in range(FEED)))
        (folder / "feed").write_bytes(b"".join(encode(wire) + b"\n" for wire in await source.envelopes()))
    database = open_database(url)
    await database.write(prepare)
    await database.close()


def _start_writers(
    running: ExitStack, folder: Path, n: int, deeds: int, url: str, sabotaged: str | None
) -> subprocess.Popen[bytes]:
    plan = {"url": url, "folder": str(folder), "writers": PROCESSES[n], "deeds": deeds, "sabotage": sabotaged}
    return _start(running, folder / f"writers-{n}", "writer", json.dumps(plan))


def _start(running: ExitStack, said: Path, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a process of the race; it is gone when `running` is left, and what it said is in files."""
    output = running.enter_context(said.with_suffix(".out").open("wb"))
    errors = running.enter_context(said.with_suffix(".err").open("wb"))
    command = [sys.executable, "-m", f"{__package__}.{module}", *arguments]
    process = running.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=errors))
    running.callback(process.kill)
    return process


async def _all_ready(folder: Path, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Return when every process of writers has come to the start."""
    async with asyncio.timeout(WITHIN):
        while not all((folder / f"{writers[0]}.ready").exists() for writers in PROCESSES):
            assert all(process.poll() is None for process in processes), "a process of writers did not start"
            await asyncio.sleep(TICK)


async def _answered(process: subprocess.Popen[bytes], folder: Path, writers: Sequence[str], answers: int) -> None:
    """Return when the writers of a process have so many answers; it must be in the middle of its work then."""
    async with asyncio.timeout(WITHIN):
        while sum(len(_lines(folder, writer)) for writer in writers) < answers:
            assert process.poll() is None, "the process to be killed ended before"
            await asyncio.sleep(TICK)


async def _ended(process: subprocess.Popen[bytes], said: Path) -> None:
    await asyncio.to_thread(process.wait, WITHIN)
    assert process.returncode == 0, said.with_suffix(".err").read_text()


def _lines(folder: Path, writer: str) -> list[bytes]:
    ledger = folder / f"{writer}.ledger"
    return ledger.read_bytes().splitlines() if ledger.exists() else []


async def _judge(url: str, folder: Path) -> Outcome:
    ledgers = [json.loads(line) for writers in PROCESSES for writer in writers for line in _lines(folder, writer)]
    seen = [
        [(number, event_id) for number, event_id in tail] for tail in json.loads((folder / "reader.out").read_bytes())
    ]
    database = open_database(url)
    rows = await on_database(database, url, Ports()).rows()
    audited = await database.read(partial(verify_log, org=ORG))
    await database.close()
    acknowledged = [row for line in ledgers for row in line.get("acknowledged", ())]
    return Outcome(
        faults=faults(rows, audited, seen, ledgers),
        events=len(rows),
        conflicts=sum(line.get("why") == "Conflict" for line in ledgers),
        repeated=sum(repeated for *_, repeated in acknowledged),
    )
