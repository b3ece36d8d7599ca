"""A wire between a client and a server (PostgreSQL, RabbitMQ) that can fail in the ways wires do.

    async with Proxy(url) as wire:
        database = open_database(wire.url)
        wire.mode = "blackhole"            # open, and nothing comes through; "reset": whoever speaks is cut off
        wire.cut(b"COMMIT;", heard=True)   # the next time the client says this: it takes effect, and no answer comes

With `heard=False` the server never gets what the client said. `then` is the mode from the cut on. Between several
servers that are one to their clients the wire leads to the first that takes the connection. Only PostgreSQL is cut.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

from sqlalchemy import make_url

Mode = Literal["ok", "blackhole", "reset"]
# The server is through with what it was asked, and outside a transaction.
_READY = b"Z\x00\x00\x00\x05I"


@dataclass
class Cut:
    """Where the wire will break, once."""

    words: bytes
    heard: bool
    then: Mode


class Proxy:
    """Listens on a free port of loopback between `async with` and its end."""

    def __init__(self, url: str, *others: str) -> None:
        self.mode: Mode = "ok"
        self.cuts = 0
        """How often the wire broke where it was told to."""
        self._servers = [make_url(each) for each in (url, *others)]
        self._cut: Cut | None = None
        self._wires: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._listening: asyncio.Server | None = None

    def cut(self, words: bytes, heard: bool, then: Mode = "ok") -> None:
        """Break the wire the next time the client says these words."""
        self._cut = Cut(words, heard, then)

    @property
    def url(self) -> str:
        """The server's address by way of the wire."""
        assert self._listening is not None
        port = self._listening.sockets[0].getsockname()[1]
        return self._servers[0].set(host="127.0.0.1", port=port).render_as_string(hide_password=False)

    def reset(self) -> None:
        """Cut off whoever is connected now."""
        for client in self._wires.values():
            _abort(client)

    async def __aenter__(self) -> Self:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening is not None
        self._listening.close()
        for task in self._wires:
            task.cancel()
        await asyncio.gather(*self._wires, return_exceptions=True)

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._wires[task] = to_client
        # A client that is gone and a test that is over end a wire alike.
        with suppress(OSError, asyncio.CancelledError):
            await self._carry(from_client, to_client)
        del self._wires[task]
        to_client.close()

    async def _carry(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self._refusing():
            _abort(to_client)
            return
        from_server, to_server = await self._reach()
        back = asyncio.create_task(self._carry_back(from_server, to_client))
        try:
            while said := await from_client.read(65536):
                cut = self._cut
                if cut is not None and cut.words in said:
                    self._cut = None
                    await self._break(cut, said, back, from_server, to_server)
                    _abort(to_client)
                    return
                match self.mode:
                    case "ok":
                        to_server.write(said)
                    case "reset":
                        _abort(to_client)
                        return
        finally:
            back.cancel()
            to_server.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        *others, last = self._servers
        for server in others:
            with suppress(OSError):
                return await asyncio.open_connection(server.host, server.port)
        return await asyncio.open_connection(last.host, last.port)

    def _refusing(self) -> bool:
        return self.mode == "reset"

    async def _carry_back(self, from_server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while answer := await from_server.read(65536):
                match self.mode:
                    case "ok":
                        to_client.write(answer)
                    case "reset":
                        _abort(to_client)
                        return
        to_client.close()

    async def _break(
        self,
        cut: Cut,
        said: bytes,
        back: asyncio.Task[None],
        from_server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        back.cancel()
        await asyncio.gather(back, return_exceptions=True)
        if cut.heard:
            to_server.write(said)
            answer = b""
            while not answer.endswith(_READY):
                more = await from_server.read(65536)
                assert more, "the server hung up before it was through"
                answer += more
        self.cuts += 1
        self.mode = cut.then


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close with a reset, as when the other machine is gone."""
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
