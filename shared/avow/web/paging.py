"""Keyset pages: how a list is cut, and how the next page is asked for."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from avow.contracts.values import Identity

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="The most entries an answer holds.")]
AfterIdentity = Annotated[Identity | None, Query(description="`next` of the page before.")]
AfterPosition = Annotated[int | None, Query(ge=1, lt=2**53, description="`next` of the page before.")]


def next_page(limit: int, key: Callable[[T], object]) -> Callable[[Sequence[T]], str | None]:
    """Where the page behind this one starts; none behind a page that is not full."""
    return lambda items: str(key(items[-1])) if len(items) == limit else None
