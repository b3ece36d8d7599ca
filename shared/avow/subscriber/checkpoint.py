"""Checkpoints: where a subscriber is, kept where its work is kept.

A checkpoint never moves by itself; whoever handled an event moves it:

    async with checkpoint.transaction():
        ...                                  # the work
        await checkpoint.move(received)      # all up to here, in this log, is done

Promises: what `load` gives after a crash is the last place that was moved to and kept. In a database the work and the
move are kept together or not at all: effectively once. In a file the move is kept, fsync and rename, after the work:
at least once, and what was handled since the last move comes again (tests/unit/subscriber/test_checkpoint.py).
Limit: one process at a time moves a checkpoint.
"""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from avow.subscriber.place import LogKey, Place
from avow.subscriber.received import Received


class Checkpoint(Protocol):
    """Keeps a place for each log."""

    async def load(self) -> Mapping[LogKey, Place]:
        """Every place that is kept."""

    async def move(self, to: Received | Place) -> None:
        """Note the place after an event, to be kept with the transaction it is called in."""

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """What is done inside is kept when it ends, and nothing of it when it raises."""


def place_of(to: Received | Place) -> Place:
    """The place to move to."""
    return to if isinstance(to, Place) else to.place


class FileCheckpoint:
    """In a JSON file of its own: at least once."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._places: dict[LogKey, Place] | None = None

    async def load(self) -> Mapping[LogKey, Place]:
        """Every place in the file, none where there is no file; a file that is none of ours is a ValueError."""
        return dict(await asyncio.to_thread(self._read))

    async def move(self, to: Received | Place) -> None:
        """Write the place to the disk, at once."""
        place = place_of(to)
        await asyncio.to_thread(self._write, place)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """A file knows none: the move inside is kept at once."""
        yield

    def _read(self) -> dict[LogKey, Place]:
        if self._places is None:
            try:
                told = json.loads(self._path.read_text("utf-8"))
                self._places = {place.log: place for place in map(_from_json, told["places"])}
            except FileNotFoundError:
                self._places = {}
            except (LookupError, TypeError, ValueError) as error:
                raise ValueError(f"{self._path} is no checkpoint of a subscriber") from error
        return self._places

    def _write(self, place: Place) -> None:
        places = {**self._read(), place.log: place}
        text = json.dumps({"places": [_as_json(each) for each in places.values()]}, indent=1)
        partial = self._path.with_name(f".{self._path.name}.partial")
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
        _sync_folder(self._path.parent)
        self._places = places


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk as well; Windows cannot, and needs not."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _as_json(place: Place) -> dict[str, Any]:
    leaf = None if place.leaf is None else base64.b64encode(place.leaf).decode()
    return {**vars(place), "log_id": str(place.log_id), "leaf": leaf}


def _from_json(told: dict[str, Any]) -> Place:
    leaf = None if told["leaf"] is None else base64.b64decode(told["leaf"], validate=True)
    return Place(told["org"], told["service"], UUID(told["log_id"]), int(told["sequence"]), leaf)
