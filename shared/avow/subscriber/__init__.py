"""Subscribing to what Avow makes public: the events of one or more logs, each once, in the order of its log.

    async for received in subscribe(Source("http://127.0.0.1:8401", token, "main"), types=[PledgeMade]):
        print(received.sequence, received.event)

Promises: first what was said before, over the feed, then what is said, live, without a gap and without a duplicate,
whatever breaks in between; every leaf is checked (tests/integration/test_subscriber_feed.py). With a checkpoint it goes
on where it was: effectively once where the checkpoint moves in the transaction of the work (SQLite, PostgreSQL), at
least once with a file (tests/integration/test_subscriber_killed.py). The bare install is enough, but for a queue.
Limit: order holds within a log; between two logs there is none.
"""

from avow.subscriber.checkpoint import Checkpoint, FileCheckpoint
from avow.subscriber.place import Place
from avow.subscriber.postgres import PostgresCheckpoint
from avow.subscriber.problem import (
    EventUnreadable,
    LeafBroken,
    LogReplaced,
    LogRestored,
    NotAdmitted,
    SubscriptionEnded,
)
from avow.subscriber.received import Raw, Received
from avow.subscriber.source import Source
from avow.subscriber.sqlite import SqliteCheckpoint
from avow.subscriber.start import Start
from avow.subscriber.subscription import Subscription, subscribe

__all__ = [
    "Checkpoint",
    "EventUnreadable",
    "FileCheckpoint",
    "LeafBroken",
    "LogReplaced",
    "LogRestored",
    "NotAdmitted",
    "Place",
    "PostgresCheckpoint",
    "Raw",
    "Received",
    "Source",
    "SqliteCheckpoint",
    "Start",
    "Subscription",
    "SubscriptionEnded",
    "subscribe",
]
