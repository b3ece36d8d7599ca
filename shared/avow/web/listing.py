"""How a list is asked for over HTTP, and how it is answered: as JSON a page, as CSV whole.

    @router.get("/{org}/ledger", **listing(LEDGER))
    async def ledger(view: View, wanted: Annotated[Wanted, Depends()], page: PageAsked) -> Response:
        return await answer(view, LEDGER, wanted, page)

Promises: every answer says in `Avow-As-Of-Position` where the view stood, and a CSV is one snapshot however long it is.
It is put together beside memory, in a file of its own, and sent when it is complete: a failure is still a problem and a
slow reader holds no database (tests/unit/evaluation/test_lists_over_http.py).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, Literal, TypeVar

from fastapi import Depends, Header, Query, Response
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from avow.projections.listing import AnyList, Asked, Page
from avow.web.call import Listing, ViewCall
from avow.web.responses import READ_RESPONSES
from avow.web.sheet import head, lines

W = TypeVar("W")
T = TypeVar("T", bound=BaseModel)
AT = "Avow-As-Of-Position"
CSV = "text/csv"
_AT_ONCE = 500
_IN_MEMORY = 2**20
_BLOCK = 2**16
Form = Literal["json", "csv"]


def listing(listed: AnyList[Any, Any]) -> dict[str, Any]:
    """What the decorator of a list's route says: both forms of the answer, and what can be sorted by."""
    sortable = "|".join(listed.sortable)
    said = f"`{'`, `'.join(listed.sortable)}`; by `{listed.order}` where nothing else is asked for"
    parameter = {
        "name": "sort",
        "in": "query",
        "required": False,
        "description": f"Columns separated by commas, `-` before one that falls: {said}.",
        "schema": {"type": "string", "pattern": f"^-?({sortable})(,-?({sortable}))*$"},
    }
    position = {"description": "The position the view stood at.", "schema": {"type": "integer"}}
    ok = {"headers": {AT: position}, "content": {CSV: {"schema": {"type": "string"}}}}
    return {
        "response_model": Listing[listed.entry],  # type: ignore[name-defined]
        "responses": {200: ok, **READ_RESPONSES},
        "openapi_extra": {"parameters": [parameter]},
    }


class PageCall:
    """Which page of a list is wanted, in which form."""

    def __init__(
        self,
        sort: Annotated[str | None, Query(max_length=500, include_in_schema=False)] = None,
        after: Annotated[
            str | None,
            Query(max_length=2000, description="`next` of the page before, under the same filters and sort."),
        ] = None,
        limit: Annotated[
            int | None, Query(ge=1, le=500, description="The most entries an answer holds: 100, or of a CSV all.")
        ] = None,
        form: Annotated[
            Form | None, Query(alias="format", description="Instead of the Accept header; JSON by default.")
        ] = None,
        headings: Annotated[
            Literal["zh"] | None, Query(description="A second line of a CSV, with Chinese headings.")
        ] = None,
        accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> None:
        self.asked = Asked(sort, after, limit or 100)
        self.limit = limit
        self.as_csv = (form or _accepted(accept or "")) == "csv"
        self.headings = headings is not None


PageAsked = Annotated[PageCall, Depends()]


async def answer(view: ViewCall, listed: AnyList[W, T], wanted: W, call: PageCall) -> Response:
    """A page of a list, or all of it as CSV. Raises Refusal."""
    if call.as_csv:
        return await _csv(view, listed, wanted, call)

    def work(connection: Connection, now: datetime) -> Page[T]:
        return listed.page(connection, view.org, wanted, now, call.asked)

    position, page = await view.read(listed.projections, work)
    body = Listing[listed.entry](  # type: ignore[name-defined]
        as_of_position=position, items=page.items, next=page.next
    )
    return Response(body.model_dump_json(), headers={AT: str(position)}, media_type="application/json")


async def _csv(view: ViewCall, listed: AnyList[W, T], wanted: W, call: PageCall) -> Response:
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115
    try:
        position, _ = await view.read(
            listed.projections, lambda connection, now: _write(file, connection, view.org, now, listed, wanted, call)
        )
    except BaseException:
        file.close()
        raise
    name = f'attachment; filename="{listed.name}_{view.org}_{position}.csv"'
    headers = {AT: str(position), "Content-Disposition": name, "Content-Length": str(file.tell())}
    file.seek(0)
    return StreamingResponse(_blocks(file), 200, headers, f"{CSV}; charset=utf-8", BackgroundTask(file.close))


def _write(
    file: IO[bytes], connection: Connection, org: str, now: datetime, listed: AnyList[W, T], wanted: W, call: PageCall
) -> None:
    # A read that lost its connection is begun again.
    file.seek(0)
    file.truncate()
    file.write(head(listed.entry, call.headings).encode())
    asked: Asked | None = replace(call.asked, limit=call.limit or _AT_ONCE)
    while asked is not None:
        page = listed.page(connection, org, wanted, now, asked)
        file.write(lines(listed.entry, page.items).encode())
        asked = replace(asked, after=page.next) if page.next is not None and call.limit is None else None


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def _accepted(accept: str) -> Form:
    """The first of the two forms an Accept header names."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return "csv" if next((kind for kind in named if kind in (CSV, "application/json")), None) == CSV else "json"
