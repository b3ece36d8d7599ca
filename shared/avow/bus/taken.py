"""What became of lines that were offered to an inbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Taken:
    """What became of the lines offered.

    `reached` is the last sequence imported of their log, 0 where none is; `missing` are the sequences that must come
    before the rest of the lines can be taken, which are, by their places, those `ahead`; `refused` says of a line why
    it never can.
    """

    imported: int = 0
    duplicates: int = 0
    missing: range | None = None
    rejected: int = 0
    reached: int = 0
    refused: Mapping[int, str] = field(default_factory=dict, compare=False)
    ahead: frozenset[int] = field(default=frozenset(), compare=False)
