"""How a moment is written: UTC, microseconds, a trailing Z; one text for one moment, everywhere it is hashed."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """`2010-12-17T10:00:00.000000Z`; a moment without a time zone is a ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """The moment a text says; anything but the one form is a ValueError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
