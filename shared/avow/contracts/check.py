"""The contract kit for whoever subscribes: `python -m avow.contracts.check handlers:on_event`.

Feeds a recorded line of every (type, schema) ever shipped to a handler and reports what it raised; the exit status is
the verdict: 0 it took them all, 1 it raised, 2 there is nothing to check. Needs the bare install and nothing more.

Promises: each sample is fed by itself, whatever became of the one before (tests/unit/contracts/test_check.py).
Limit: that a handler did the right thing with an event, only its own tests can say.
"""

import argparse
import asyncio
import importlib
import inspect
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from avow.contracts import shipped
from avow.contracts.catalogue import every_public_event
from avow.contracts.decoding import decoder
from avow.contracts.envelope import decode
from avow.kernel.message import Event

Handler = Callable[[Any], object]
"""Takes an event, or the line as bytes; what it answers is awaited where that can be."""


class NothingToCheck(Exception):
    """A handler, or a type, that there is not."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{en} / {zh}")
        self.zh = zh
        self.en = en


@dataclass(frozen=True)
class Verdict:
    """What became of one sample; `raised` is None where the handler took it, `at` says where it failed."""

    type: str
    schema: int
    raised: str | None = None
    at: str | None = None


def check(handler: Handler, types: Iterable[str] | None = None, raw: bool = False) -> list[Verdict]:
    """Feed the handler every sample, or those of some types; raises NothingToCheck for a type there is not."""
    known = {event.type: event for event in every_public_event()}
    wanted = set(known) if types is None else set(types)
    if unknown := sorted(wanted - set(known)):
        raise NothingToCheck(
            f"没有这样的事件类型：{'、'.join(unknown)}。",
            f"No such event types: {', '.join(unknown)}. There are: {', '.join(sorted(known))}.",
        )
    with asyncio.Runner() as runner:
        return [
            _feed(runner, handler, known[envelope.type], line, raw)
            for line in shipped.samples().values()
            for envelope in [decode(line)]
            if envelope.type in wanted
        ]


def load(name: str) -> Handler:
    """The handler `module:name` names, looked for in the current folder too; raises NothingToCheck."""
    module, _, path = name.partition(":")
    if not module or not path:
        raise NothingToCheck(f"“{name}”不是 模块:处理函数。", f"{name!r} is not module:handler.")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise NothingToCheck(
            f"读不到处理函数 {name}：{type(error).__name__}: {error}。",
            f"The handler {name} cannot be loaded: {type(error).__name__}: {error}.",
        ) from error
    if not callable(found):
        raise NothingToCheck(f"{name} 不能调用。", f"{name} cannot be called.")
    handler: Handler = found
    return handler


def run(name: str, types: str | None = None, raw: bool = False, json_: bool = False) -> int:
    """Check the handler `module:handler`, say what was found, and answer with the exit status."""
    try:
        verdicts = check(load(name), None if types is None else types.split(","), raw)
    except NothingToCheck as nothing:
        sys.stderr.write(f"✗ {nothing.zh}\n  {nothing.en}\n")
        return 2
    failed = [verdict for verdict in verdicts if verdict.raised is not None]
    if json_:
        said = {"ok": not failed, "handler": name, "verdicts": [asdict(verdict) for verdict in verdicts]}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{_line(verdict)}\n" for verdict in verdicts)
        sys.stdout.write(_sum(len(verdicts), len(failed)) + "\n")
    return 1 if failed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the bare install."""
    parser = argparse.ArgumentParser(
        prog="python -m avow.contracts.check",
        description="用历来发布过的每种事件检查一个处理函数。 Check a handler with every event ever shipped.",
    )
    parser.add_argument("handler", metavar="module:handler", help="处理函数，可为异步 / the handler, sync or async")
    parser.add_argument("--types", help="只查这些类型，以逗号分隔 / only these types, separated by commas")
    parser.add_argument("--raw", action="store_true", help="交给它原始的一行 / give it the line as bytes")
    parser.add_argument("--json", action="store_true", dest="json_", help="以 JSON 输出 / print JSON")
    given = parser.parse_args(arguments)
    return run(given.handler, given.types, given.raw, given.json_)


def _feed(runner: asyncio.Runner, handler: Handler, event_type: type[Event], line: bytes, raw: bool) -> Verdict:
    envelope = decode(line)
    given = line if raw else decoder(event_type, envelope.schema)(envelope.data, envelope.sealed)

    async def awaited(answer: Any) -> None:
        await answer

    try:
        answer = handler(given)
        if inspect.isawaitable(answer):
            runner.run(awaited(answer))
    except KeyboardInterrupt:
        raise
    # A handler that ends the process, or cancels itself, has not taken the event either.
    except BaseException as error:  # noqa: BLE001 - whatever it raises is the finding
        return Verdict(envelope.type, envelope.schema, f"{type(error).__name__}: {error}", _where(error))
    return Verdict(envelope.type, envelope.schema)


def _where(error: BaseException) -> str | None:
    """The line that raised, where the handler was reached."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if len(frames) > 1 else None


def _line(verdict: Verdict) -> str:
    name = f"{verdict.type}.v{verdict.schema}"
    if verdict.raised is None:
        return f"✓ {name}"
    return f"✗ {name:32} {verdict.raised}" + (f"\n  {verdict.at}" if verdict.at else "")


def _sum(all_: int, failed: int) -> str:
    if failed:
        return f"✗ {all_} 种里有 {failed} 种没有通过。  {failed} of {all_} raised."
    return f"✓ {all_} 种全部通过。  All {all_} were taken."


if __name__ == "__main__":
    sys.exit(main())
