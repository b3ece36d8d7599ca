"""`python -m avow.subscriber`: print the events as they come, one JSON object a line, until Ctrl-C.

Where from is read from the environment, as `avow subscriber add` prints it. Exit status 2: it cannot go on.
"""

import argparse
import asyncio
import sys
from contextlib import suppress

from avow.contracts.envelope import encode
from avow.subscriber import Start, SubscriptionEnded, subscribe
from avow.subscriber.environment import queue, sources


async def _print(types: list[str] | None, start: Start) -> None:
    async for received in subscribe(*sources(), types=types, start=start, queue=queue()):
        sys.stdout.write(encode(received.envelope).decode() + "\n")
        sys.stdout.flush()


def main() -> None:
    """Print until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m avow.subscriber", description="打印事件 / print events")
    parser.add_argument("--type", action="append", help="只要此类事件，可重复 / only this type; may be repeated")
    parser.add_argument("--new", action="store_true", help="只看此后的事件 / only what is said from now on")
    asked = parser.parse_args()
    with suppress(KeyboardInterrupt):
        try:
            asyncio.run(_print(asked.type, Start.NEW if asked.new else Start.BEGINNING))
        except SubscriptionEnded as ended:
            sys.stderr.write(f"✗ {ended.zh}\n  {ended.en}\n")
            sys.exit(2)
        except KeyError as missing:
            sys.stderr.write(f"✗ 请先设置 {missing.args[0]}\n  Set {missing.args[0]} first.\n")
            sys.exit(2)


if __name__ == "__main__":
    main()
