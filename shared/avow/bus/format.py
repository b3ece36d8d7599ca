"""What the two sides of the feed agree on: a page's last line, the head, how a live line is framed, and keys.

Promises: what `frame` writes `Frames` reads, byte for byte, however the network cuts it up
(tests/unit/bus/test_format.py).
"""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from avow.kernel.seal import Base64

NDJSON = "application/x-ndjson"
EVENT_STREAM = "text/event-stream"
HEARTBEAT = b":\n\n"


class FeedHead(BaseModel):
    """The end of a log as its readers see it."""

    model_config = ConfigDict(frozen=True)

    log_id: UUID = Field(description="The log's identity: another one is another log, not this one continued.")
    sequence: int = Field(description="The sequence of the last public event.")
    service: str = Field(description="The service whose log this is.")


class PageEnd(BaseModel):
    """The last line of a page; a page without it was cut off."""

    model_config = ConfigDict(frozen=True)

    scanned_to: int = Field(description="Where to go on: all up to this sequence is in the page or was not asked for.")
    head: int = Field(description="The sequence of the last public event.")
    log_id: UUID


class SealKey(BaseModel):
    """What opens the seals of a subject."""

    model_config = ConfigDict(frozen=True)

    subject: str = Field(description="Whose key: `person/<id>`, or `scope/<scope>/<unit id>`.")
    key: Base64 = Field(description="256 bits, in base64. Secret.", repr=False)


class Keys(BaseModel):
    """The keys there are of those asked for."""

    model_config = ConfigDict(frozen=True)

    items: list[SealKey]


def frame(sequence: int, line: bytes) -> bytes:
    """One server-sent event: the line as its data, the sequence as its id."""
    return b"id: %d\ndata: %b\n\n" % (sequence, line)


class Frames:
    """Reads the data of server-sent events out of the chunks they arrive in."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def read(self, chunk: bytes) -> list[bytes]:
        """The data of each event that is complete with this chunk."""
        # Lines end where the protocol ends them; text in JSON may hold what Unicode calls a line separator.
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        complete = []
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line.removeprefix(b"data:").removeprefix(b" "))
            elif not line and self._data:
                complete.append(b"\n".join(self._data))
                self._data = []
        return complete
