"""The ledger: what the services acknowledged, kept by whoever asked, in a file of its own.

Promises: what an answer said is in the file before anybody acts on it; the services know nothing of it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

Service = Literal["pledge", "evaluation"]
SERVICES: tuple[Service, ...] = get_args(Service)


@dataclass(frozen=True)
class Line:
    """A command that was acknowledged: the stream it began, and where its last event was said to stand.

    `tries` is how often it was given until it was answered.
    """

    service: Service
    stream: str
    position: int
    repeated: bool
    tries: int


class Ledger:
    """Appends to a file, and reads it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+", encoding="utf-8")

    def note(self, line: Line) -> None:
        """Keep an answer."""
        self._file.write(json.dumps(asdict(line)) + "\n")
        self._file.flush()

    def lines(self) -> list[Line]:
        """Every answer, in the order they came."""
        self._file.seek(0)
        return [Line(**json.loads(line)) for line in self._file]

    def close(self) -> None:
        """Close the file; it stays."""
        self._file.close()
