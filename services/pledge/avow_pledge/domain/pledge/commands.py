"""What may be asked of a pledge: first to bring it about, then to carry it out."""

from typing import Annotated

from pydantic import Field

from avow.contracts.campaign import Digest
from avow.contracts.pledge import Pledger
from avow.contracts.values import Exact, Identity, Key
from avow.kernel.message import Command, Prose
from avow_pledge.domain.item import Item

ItemNumber = Annotated[int, Field(ge=0, le=999)]
"""Items count from 0, in the order of the pledge."""


class DraftPledge(Command):
    """Write a pledge, or write it anew after it was returned."""

    campaign_id: Identity
    unit_id: Identity
    pledger: Pledger
    scope: Key
    items: tuple[Item, ...]


class SubmitPledge(Command):
    """Put a draft before the secretary."""


class ApprovePledge(Command):
    """Find a submitted pledge good."""


class ReturnPledge(Command):
    """Give a pledge back that was submitted, approved perhaps, and not made; saying why."""

    reason: Prose


class MakePledge(Command):
    """Publish an approved pledge within its scope, over a channel."""

    channel: Key


class ReportProgress(Command):
    """Say how far an item has come: by the value a quantitative indicator has reached, or by a percentage.

    `quantity` says which of the item's indicators, from 0; `fulfilled` declares the item fulfilled. `evidence_sha256`
    is of the file that shows it.
    """

    item: ItemNumber
    quantity: Annotated[int, Field(ge=0, le=999)] = 0
    value: Exact | None = None
    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    fulfilled: bool = False
    evidence_sha256: Digest | None = None
    note: Prose


class VerifyItem(Command):
    """Find an item fulfilled that was declared so."""

    item: ItemNumber


class WithdrawPledge(Command):
    """Give items up that are not verified, every one of them where none is named; saying why.

    `excused`: for a cause nobody could help.
    """

    items: Annotated[tuple[ItemNumber, ...], Field(min_length=1, max_length=100)] | None = None
    excused: bool = False
    reason: Prose


PledgeCommand = (
    DraftPledge
    | SubmitPledge
    | ApprovePledge
    | ReturnPledge
    | MakePledge
    | ReportProgress
    | VerifyItem
    | WithdrawPledge
)
