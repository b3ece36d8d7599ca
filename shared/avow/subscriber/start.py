"""Where a subscriber begins that has never been anywhere; a checkpoint goes before it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True)
class Start:
    """`Start.BEGINNING`, `Start.NEW`, `Start.at(sequence)` or `Start.since(moment)`."""

    sequence: int | None = 1
    """The first sequence that is wanted; None where it is still to be found."""
    moment: datetime | None = None

    BEGINNING: ClassVar["Start"]
    """With the first event of the log."""
    NEW: ClassVar["Start"]
    """With what is said from now on."""

    @classmethod
    def at(cls, sequence: int) -> "Start":
        """With the event of this sequence, which counts from 1; raises ValueError."""
        if sequence < 1:
            raise ValueError(f"sequences count from 1, not from {sequence}")
        return cls(sequence)

    @classmethod
    def since(cls, moment: datetime) -> "Start":
        """With the first event that was recorded then or later; a moment without a time zone is a ValueError."""
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return cls(None, moment)


Start.BEGINNING = Start()
Start.NEW = Start(None)
