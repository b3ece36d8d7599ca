"""Writes what the contracts are kept by: `python -m tests.kit.write_contracts`, or `make contracts`.

`docs/contracts/<type>.v<schema>.json` is the JSON Schema of an event's data, kept current; a change that is not an
addition is refused. `tests/contract/golden/<type>.v<schema>.json` is an example as it stands in a log, written once
and never again: what it holds was once said, so it must be readable for ever. Its keys are there to open it with, and
guard nothing.
"""

import asyncio
import json
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter

from avow.contracts.catalogue import every_public_event, json_schema
from avow.contracts.compatibility import breaks
from avow.contracts.envelope import encode
from avow.eventlog.records import Recorded
from avow.eventlog.seals import keys_of
from avow.kernel.message import PublicEvent
from avow.kernel.seal import Seal
from tests.kit.contract_examples import EXAMPLES
from tests.kit.logs import ORG, a_log, identity, proposed

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs" / "contracts"
GOLDEN = ROOT / "tests" / "contract" / "golden"
FEED = "feed.v1.ndjson"


class NotAnAddition(Exception):
    """A contract would change in a way its readers are not prepared for; the change needs a new schema version."""


def file_of(event: PublicEvent | type[PublicEvent]) -> str:
    """The name an event type's files have, such as `pledge.made.v1.json`."""
    return f"{event.type}.v{event.schema_version}.json"


def text_of(value: object) -> str:
    """How a file of ours is written."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write_schemas(folder: Path, events: Iterable[type[PublicEvent]]) -> list[Path]:
    """Bring the schemas up to date; those that changed. Raises NotAnAddition before anything is written."""
    current = {folder / file_of(event): json_schema(event) for event in events}
    written = {path: json.loads(path.read_text("utf-8")) for path in current if path.exists()}
    broken = [f"{path.name}: {what}" for path, old in written.items() for what in breaks(old, current[path])]
    if broken:
        raise NotAnAddition("\n".join(broken))
    changed = [path for path, schema in current.items() if written.get(path) != schema]
    folder.mkdir(parents=True, exist_ok=True)
    for path in changed:
        path.write_text(text_of(current[path]), "utf-8")
    return changed


def write_golden(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write what is not there yet; those that are new."""
    folder.mkdir(parents=True, exist_ok=True)
    new = {folder / name: text for name, text in files.items() if not (folder / name).exists()}
    for path, text in new.items():
        path.write_text(text, "utf-8")
    return list(new)


async def golden_files(examples: Sequence[PublicEvent]) -> dict[str, str]:
    """What the golden files of these events say, by name: each as its row holds it, and all of them as a feed."""
    async with a_log("sqlite://") as log:
        items = [proposed(event, f"{event.type}/{n}", UUID(identity(1000 + n))) for n, event in enumerate(examples)]
        await log.append(*items)
        records = (await log.records())[1:]
        keys = await log.database.read(lambda connection: keys_of(connection, ORG, _subjects(records)))
        files = {file_of(event): _row(record, keys) for event, record in zip(examples, records, strict=True)}
        files[FEED] = "".join(encode(envelope).decode() + "\n" for envelope in await log.envelopes())
        return files


def _seals(record: Recorded) -> dict[str, Seal]:
    return {} if record.sealed is None else TypeAdapter(dict[str, Seal]).validate_json(record.sealed)


def _subjects(records: Iterable[Recorded]) -> list[str]:
    return [seal.subject for record in records for seal in _seals(record).values()]


def _row(record: Recorded, keys: Mapping[str, bytes]) -> str:
    row = {"data": json.loads(record.data)}
    if record.sealed is not None:
        row["sealed"] = json.loads(record.sealed)
        row["keys"] = {subject: b64encode(keys[subject]).decode() for subject in _subjects([record])}
    return text_of(row)


def main() -> int:
    """Write both, and say what was written; 1 where a contract would break."""
    try:
        changed = write_schemas(SCHEMAS, every_public_event())
    except NotAnAddition as refused:
        sys.stderr.write(f"不是新增，需要新的版本号 / Not an addition, so it needs a new schema version:\n{refused}\n")
        return 1
    for path in [*changed, *write_golden(GOLDEN, asyncio.run(golden_files(EXAMPLES)))]:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
