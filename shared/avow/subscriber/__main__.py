"""`python -m avow.subscriber ORG URL…`: print the events of these services as they come, one JSON object a line.

The token is read from SUBSCRIBER_TOKEN; SUBSCRIBER_QUEUE and SUBSCRIBER_AMQP, if set, name a queue to hear over.
"""

import argparse
import asyncio
import os
import sys
from contextlib import suppress

from avow.contracts.envelope import encode
from avow.subscriber import Source, Start, SubscriptionEnded, subscribe
from avow.subscriber.heard import Hearing

TOKEN, AMQP, QUEUE = "SUBSCRIBER_TOKEN", "SUBSCRIBER_AMQP", "SUBSCRIBER_QUEUE"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m avow.subscriber", description="打印事件 / print events")
    parser.add_argument("org", help="组织代号 / the organisation")
    parser.add_argument("url", nargs="+", help="服务地址 / where a service answers")
    parser.add_argument("--type", action="append", help="只要此类事件，可重复 / only this type; may be repeated")
    parser.add_argument("--new", action="store_true", help="只看此后的事件 / only what is said from now on")
    return parser.parse_args()


def _queue() -> Hearing | None:
    if AMQP not in os.environ:
        return None
    # Imported where it is wanted: the bare install has no client of a broker.
    from avow.subscriber.queue import Queue

    return Queue(os.environ[AMQP], os.environ[QUEUE])


async def _print(arguments: argparse.Namespace) -> None:
    sources = [Source(url, os.environ[TOKEN], arguments.org) for url in arguments.url]
    start = Start.NEW if arguments.new else Start.BEGINNING
    async for received in subscribe(*sources, types=arguments.type, start=start, queue=_queue()):
        sys.stdout.write(encode(received.envelope).decode() + "\n")
        sys.stdout.flush()


def main() -> None:
    """Print until Ctrl-C; exit status 2 where it cannot go on."""
    arguments = _arguments()
    if TOKEN not in os.environ:
        sys.exit(f"请先设置 {TOKEN} / set {TOKEN} first")
    with suppress(KeyboardInterrupt):
        try:
            asyncio.run(_print(arguments))
        except SubscriptionEnded as ended:
            sys.stderr.write(f"✗ {ended.zh}\n  {ended.en}\n")
            sys.exit(2)


if __name__ == "__main__":
    main()
