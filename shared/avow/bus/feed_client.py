"""Reading another service's feed: pages, the head, the live stream, and the keys of its seals.

Promises: every wait ends, in an answer or in FeedUnavailable; a page that was cut off is no page; the token goes to
the address given and nowhere else, whatever proxies or redirections say (tests/unit/bus/test_feed_client.py).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from avow.bus.format import EVENT_STREAM, FeedHead, Frames, Keys, PageEnd

T = TypeVar("T", bound=BaseModel)

CONNECT = 5.0
ANSWER = 60.0
"""Seconds a whole page may take."""
SILENCE = 25.0
"""Seconds of silence after which an answer is given up: a live stream that stands is heard every ten."""


class FeedUnavailable(Exception):
    """The feed did not answer, or not as a feed; `reason` is the problem's code where it gave one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class FeedPage:
    """A page: its lines as they were sent, how far it reaches, and the log it comes from."""

    lines: Sequence[bytes]
    scanned_to: int
    head: int
    log_id: UUID


class FeedClient:
    """A reader of the feed at `base_url`; `close` it, or use it as a context."""

    def __init__(self, base_url: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(SILENCE, connect=CONNECT),
            transport=transport,
            trust_env=False,
        )

    async def head(self, org: str) -> FeedHead:
        """Whose log it is, and where it ends."""
        return _read(FeedHead, await self._get(f"/{org}/feed/head", {}))

    async def page(self, org: str, after: int, limit: int = 1000, types: Sequence[str] | None = None) -> FeedPage:
        """Up to `limit` events after a sequence, of the wire types asked for."""
        query: dict[str, str | int | Sequence[str]] = {"after": after, "limit": limit}
        if types is not None:
            query["types"] = ",".join(types)
        *lines, rest = (await self._get(f"/{org}/feed", query)).split(b"\n")
        if rest or not lines:
            raise FeedUnavailable("feed.cut_off")
        end = _read(PageEnd, lines.pop())
        return FeedPage(lines, end.scanned_to, end.head, end.log_id)

    async def keys(self, org: str, subjects: Sequence[str]) -> Keys:
        """Those keys of these subjects that the service has made and not destroyed."""
        return _read(Keys, await self._get(f"/{org}/keys", {"subject": subjects}))

    async def live(self, org: str, after: int) -> AsyncGenerator[list[bytes], None]:
        """The events after a sequence as they come, those that arrive together in one list, until the stream ends."""
        frames = Frames()
        headers = {"Last-Event-ID": str(after), "Accept": EVENT_STREAM}
        try:
            async with self._http.stream("GET", f"/{org}/feed/live", headers=headers) as response:
                if response.status_code != 200:
                    async with asyncio.timeout(ANSWER):
                        await response.aread()
                    raise FeedUnavailable(_reason(response))
                if not response.headers.get("Content-Type", "").startswith(EVENT_STREAM):
                    raise FeedUnavailable("feed.unreadable")
                async for chunk in response.aiter_bytes():
                    if lines := frames.read(chunk):
                        yield lines
        except (httpx.HTTPError, TimeoutError) as error:
            raise FeedUnavailable(type(error).__name__) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _get(self, path: str, query: Mapping[str, str | int | Sequence[str]]) -> bytes:
        try:
            async with asyncio.timeout(ANSWER):
                response = await self._http.get(path, params=query)
        except (httpx.HTTPError, TimeoutError) as error:
            raise FeedUnavailable(type(error).__name__) from error
        if response.status_code != 200:
            raise FeedUnavailable(_reason(response))
        return response.content


def _read(model: type[T], text: bytes) -> T:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise FeedUnavailable("feed.unreadable") from error


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["code"])
    except (ValueError, LookupError, TypeError):
        return f"http.{response.status_code}"
