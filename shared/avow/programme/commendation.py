"""Who may be commended, how many, and by which way: awards, quotas, the chain and the public notice (R-50…R-52, R-70).

Promises: the chain is complete; no level can be skipped, and only the last one makes an honour.
"""

from typing import Annotated, Literal

from pydantic import Field

from avow.programme.cadence import Responsible
from avow.programme.vocabulary import Count, Exact, Flag, Key, Part, RefersTo, Share, Subject, Term


class Quota(Part):
    """How many awards there are by default.

    `rate` is taken of the basis and rounded, then shared out over units (for a unit award, over the parents of the
    units) within the two bounds, by largest remainder, in each category apart where `category_split` says so.
    `leader_cap` is the largest share of leaders among those commended; the shortlist holds `shortlist_ratio` names
    for each place.
    """

    basis: Literal["units", "full_members"]
    rate: Share
    rounding: Literal["ceil", "floor", "half_up"]
    min_per_unit: Count
    max_per_unit: Annotated[Count, Field(ge=1)]
    category_split: Flag
    leader_cap: Share | None
    shortlist_ratio: Annotated[Exact, Field(ge=1)]


class Award(Term):
    """An award; whoever is commended with it in a batch cannot have one of `excludes` in the same batch."""

    subject: Subject
    excludes: Annotated[tuple[Key, ...], RefersTo("awards")]
    quota: Quota


class ChainStep(Term):
    """One level of the recommendation chain: what is done there, and by whom (R-52)."""

    act: Literal["nominate", "endorse", "pre_check", "clear", "notice", "approve"]
    by: Responsible


TieBreak = Literal["recognition", "fulfilment", "frontline", "committee_vote"]
"""How a tie is broken; the order in the template is the order of use."""


class Notice(Part):
    """The public notice: its length, whether its first day is the one it is published or the next, and where it hangs.

    An objection is investigated within `investigation_working_days`.
    """

    working_days: Annotated[Count, Field(ge=1)]
    convention: Literal["from_next_day", "inclusive"]
    scope: Annotated[Key, RefersTo("scopes")]
    investigation_working_days: Annotated[Count, Field(ge=1)]
