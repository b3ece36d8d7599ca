"""What `avow subscriber add` prints, read from the environment: where a program subscribes, said outside of it.

`SUBSCRIBER_TOKEN`, `SUBSCRIBER_ORGS` and `SUBSCRIBER_URLS` (by spaces); `SUBSCRIBER_AMQP` and `SUBSCRIBER_QUEUE` where
there is a broker.
"""

import os
from collections.abc import Mapping

from avow.subscriber.heard import Hearing
from avow.subscriber.source import Source

TOKEN, ORGS, URLS = "SUBSCRIBER_TOKEN", "SUBSCRIBER_ORGS", "SUBSCRIBER_URLS"
AMQP, QUEUE = "SUBSCRIBER_AMQP", "SUBSCRIBER_QUEUE"


def sources(environment: Mapping[str, str] = os.environ) -> list[Source]:
    """Every organisation's log at every service named; a variable that is missing is a KeyError."""
    orgs, urls = (environment[name].split() for name in (ORGS, URLS))
    return [Source(url, environment[TOKEN], org) for org in orgs for url in urls]


def queue(environment: Mapping[str, str] = os.environ) -> Hearing | None:
    """The queue named, which needs `avow[amqp]`; None where the feed is all there is."""
    if AMQP not in environment:
        return None
    # Imported where it is wanted: the bare install has no client of a broker.
    from avow.subscriber.queue import Queue

    return Queue(environment[AMQP], environment[QUEUE])
