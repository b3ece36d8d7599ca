"""The guide for subscribers, run as it stands: its dashboard says what the pair's own views say."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aio_pika.exceptions import AMQPError
from pydantic import SecretStr

from avow.bus.publisher import close, connect
from avow.contracts.wire import EVENTS
from avow.demo.client import Player
from avow.demo.founding import found
from avow.demo.playing import BEGINS, play
from avow.demo.stage import Stage
from avow.kernel.ports import SimulatedClock
from avow.service.hosting import Deployment
from avow.service.settings import Settings
from tests.kit.deployed import avow
from tests.kit.rabbit import PrivateRabbit
from tests.kit.staged import ORG, staged
from tests.kit.tiny_college import MEMBERS, TINY
from tests.unit.bus.serving import free_port

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "subscribing.md").read_text("utf-8")
PATIENCE = 60.0
NPM_WITHIN = 120


def program(name: str) -> str:
    """The program the guide gives this name."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```[a-z]+\n(.*?)\n```", GUIDE, re.DOTALL)
    assert found is not None, name
    return found[1] + "\n"


@dataclass
class Reader:
    """Somebody who follows the guide, in a folder of their own, beside a running pair."""

    running: Deployment
    stage: Stage
    data: Path
    folder: Path
    environment: Mapping[str, str]

    async def add(self, name: str, **settings: str) -> list[str]:
        """`avow subscriber add`; what the second line it prints exports is in force from now on.

        What it leaves for an administrator of RabbitMQ.
        """
        ports = {f"AVOW_{s.upper()}_PORT": url.rpartition(":")[2] for s, url in self.running.urls.items()}
        told = {"AVOW_ORGS": ORG, **ports, **settings}
        said = await asyncio.to_thread(avow, self.data, "subscriber", "add", name, **told)
        assert said.returncode == 0, said.stderr
        install, exported, watch = (line.strip() for line in said.stdout.splitlines()[2:5])
        assert install.startswith("pip install")
        assert watch == "python -m avow.subscriber"
        words = shlex.split(exported)
        assert words[0] == "export"
        self.environment = {**os.environ, **dict(word.split("=", 1) for word in words[1:])}
        return [line.strip() for line in said.stdout.splitlines()[6:]]

    @asynccontextmanager
    async def started(self, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A program of the reader's, killed in the end."""
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()

    @property
    def services(self) -> dict[str, Player]:
        return {"pledge": self.stage.pledge, "evaluation": self.stage.evaluation}

    def save(self, name: str) -> None:
        (self.folder / name).write_text(program(name), "utf-8")

    def dashboard(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.folder / "dashboard.db")) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute("SELECT * FROM dashboard WHERE items + eligible > 0")]

    def places(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.folder / "dashboard.db")) as db:
            try:
                return dict(db.execute("SELECT service, sequence FROM avow_checkpoint"))
            except sqlite3.OperationalError:
                return {}

    async def heads(self, *types: str) -> dict[str, int]:
        """The sequence of the last event of these types in each log."""
        query = f"SELECT max(sequence) FROM event WHERE org = ? AND type IN ({','.join('?' * len(types))})"
        found = {}
        for service in self.running.urls:
            with closing(sqlite3.connect(self.data / f"{service}.db")) as db:
                ((found[service],),) = db.execute(query, (ORG, *types)).fetchall()
        return found


@asynccontextmanager
async def a_reader(tmp_path: Path, bus: str = "feed") -> AsyncIterator[Reader]:
    data, folder = tmp_path / "data", tmp_path / "mine"
    data.mkdir()
    folder.mkdir()
    pledge, evaluation = free_port(), free_port()
    settings = Settings(data=data, orgs=(ORG,), bus=SecretStr(bus), pledge_port=pledge, evaluation_port=evaluation)
    async with staged(settings, SimulatedClock(BEGINS)) as (running, stage):
        yield Reader(running, stage, data, folder, {})


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    async with a_reader(tmp_path) as reader:
        yield reader


async def from_the_views(stage: Stage) -> dict[str, Counter[str]]:
    """The dashboard's figures by unit, out of the lists of both services."""
    counted: dict[str, Counter[str]] = {}
    for pledge in await stage.pledge.entries("pledges"):
        unit = counted.setdefault(pledge["unit_id"], Counter())
        unit["items"] += len(pledge["items"])
        for item in pledge["standing"]:
            unit["fulfilled"] += item["state"] == "verified"
            unit["withdrawn"] += item["state"] == "withdrawn"
            unit["excused"] += item["excused"] is True
    for row in await stage.evaluation.entries("ledger", subject="unit"):
        unit = counted.setdefault(row["unit_id"], Counter())
        unit["eligible"] += row["eligible"]
        unit["cast_ballots"] += row["cast"]
    return counted


async def test_the_dashboard_says_what_the_views_say_however_often_it_is_killed(reader: Reader) -> None:
    await reader.add("reporting")
    reader.save("reporting.py")
    playing = asyncio.create_task(play(reader.stage, TINY))
    # Killed again and again while the college plays.
    for _ in range(5):
        before = sum(reader.places().values()) if (reader.folder / "dashboard.db").exists() else 0
        async with reader.started(sys.executable, "reporting.py") as process, asyncio.timeout(PATIENCE):
            while sum(reader.places().values()) <= before and not playing.done():
                assert process.returncode is None
                await asyncio.sleep(0.05)
    await playing
    wanted = ("unit.registered", "pledge.made", "pledge.item_verified", "pledge.withdrawn", "review.tallied")
    ends = await reader.heads(*wanted)
    async with reader.started(sys.executable, "reporting.py"), asyncio.timeout(PATIENCE):
        while reader.places() != ends:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    names = {unit["unit_id"]: unit["name"] for unit in await reader.stage.pledge.entries("units")}
    expected = await from_the_views(reader.stage)
    shown = reader.dashboard()
    assert {row["name"] for row in shown} == {names[unit_id] for unit_id in expected}
    columns = ("items", "fulfilled", "withdrawn", "excused", "eligible", "cast_ballots")
    assert sum(sum(unit.values()) for unit in expected.values()) > 0
    for unit_id, counted in expected.items():
        (row,) = [row for row in shown if row["name"] == names[unit_id]]
        assert {column: row[column] for column in columns} == {column: counted[column] for column in columns}
        if counted["eligible"]:
            assert row["turnout"] == round(100 * counted["cast_ballots"] / counted["eligible"], 2)
    held = (reader.folder / "dashboard.db").read_bytes()
    assert [name for name in MEMBERS if name.encode() in held] == []
    await the_batches_are_printed(reader)


async def the_batches_are_printed(reader: Reader) -> None:
    reader.save("batches.py")
    count = len(await reader.stage.pledge.entries("meetings"))
    assert count
    async with reader.started(sys.executable, "batches.py") as process, asyncio.timeout(PATIENCE):
        assert process.stdout is not None
        printed = [(await process.stdout.readline()).decode().split()[-1] for _ in range(count)]
    assert "branch_committee" in printed


async def test_the_three_lines_print_the_events_of_both_services(reader: Reader) -> None:
    await reader.add("watcher")
    async with reader.started(sys.executable, "-m", "avow.subscriber") as process, asyncio.timeout(PATIENCE):
        assert process.stdout is not None
        books = [json.loads(await process.stdout.readline()) for _ in reader.running.urls]
    assert {book["type"] for book in books} == {"avow.book.opened.v1"}
    assert {book["source"].split("/")[3] for book in books} == reader.running.urls.keys()


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with amqplib in it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no Node.js here")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < 18:
        pytest.skip(f"Node.js {version.strip()} has no fetch")
    folder = tmp_path_factory.mktemp("node")
    install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "amqplib"]
    try:
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=NPM_WITHIN, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not answer")
    if done.returncode != 0:
        pytest.skip(f"npm could not install amqplib: {done.stderr.strip().splitlines()[-1:]}")
    return folder / "node_modules"


async def test_the_program_in_node_gets_every_event_once_over_its_queue(
    tmp_path: Path, node_modules: Path, rabbit: PrivateRabbit, amqp_url: str
) -> None:
    async with a_reader(tmp_path, amqp_url) as reader:
        reader.save("subscriber.mjs")
        (reader.folder / "node_modules").symlink_to(node_modules)
        await until_there_are_exchanges(amqp_url)
        for line in await reader.add("nodejs", AVOW_BUS=amqp_url):
            tool, *words = shlex.split(line)
            assert tool == "rabbitmqctl"
            rabbit.ctl(*words)
        seen: Counter[tuple[str, int]] = Counter()
        ends: dict[str, int] = {}
        for turn in range(2):
            async with reader.started("node", "subscriber.mjs") as process, asyncio.timeout(PATIENCE):
                if turn == 0:
                    await found(reader.stage, TINY)
                else:
                    await reader.stage.pledge.create("campaigns", {"template": "cxzy-2010"})
                await reader.stage.heard()
                ends = {name: (await service.read("status"))["sequence"] for name, service in reader.services.items()}
                assert process.stdout is not None
                while {name: max((n for s, n in seen if s == name), default=0) for name in ends} != ends:
                    source, sequence, _ = (await process.stdout.readline()).decode().split()
                    seen[source.split("/")[3], int(sequence)] += 1
        assert seen == {(name, n): 1 for name, end in ends.items() for n in range(1, end + 1)}
        assert ends["pledge"] > 20


async def until_there_are_exchanges(url: str) -> None:
    """The services make them as they connect."""
    async with asyncio.timeout(PATIENCE):
        while True:
            connection = await connect(url, "test")
            try:
                async with connection.channel() as channel:
                    await channel.declare_exchange(EVENTS, passive=True)
                return
            except AMQPError:
                await asyncio.sleep(0.05)
            finally:
                await close(connection)
