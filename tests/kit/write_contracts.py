"""Writes what events are kept by: `python -m tests.kit.write_contracts`, or `make contracts`.

`docs/contracts/<type>.v<schema>.json` and `envelope.v<n>.json` are what travels; the AsyncAPI documents and the text of
the catalogue beside them are made anew each time (`write_documents`), the samples in `avow/contracts/recorded` grow
(`write_shipped`).

`docs/contracts/<type>.v<schema>.json` is the JSON Schema of a public event's data, `tests/contract/private/…` that of a
private one's, which no subscriber sees and every later release must read. The current schema's is kept current, a
change that is not an addition is refused, and an earlier schema's stays as it is.

`tests/contract/golden` holds what was once said: an example of every event as it stands in a log, a feed, and two whole
logs. They are written once and never again, and `SHA256SUMS`, which only grows, says what was written. Their keys are
there to open them with, and guard nothing.
"""

import asyncio
import json
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from avow.contracts.catalogue import json_schema
from avow.contracts.compatibility import breaks
from avow.contracts.envelope import encode
from avow.contracts.envelope_schema import NAME as ENVELOPE
from avow.contracts.envelope_schema import envelope_schema
from avow.contracts.words import Unsaid
from avow.eventlog.keys import keys_of
from avow.eventlog.records import Recorded
from avow.kernel.message import Event
from avow.kernel.seal import Seal
from avow.service.hosting import installed
from tests.kit.contract_examples import EXAMPLES
from tests.kit.logs import ORG, a_log, identity, proposed
from tests.kit.old_log import old_logs
from tests.kit.private_examples import PRIVATE_EXAMPLES
from tests.kit.write_documents import write_documents
from tests.kit.write_shipped import write_shipped

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "docs" / "contracts"
PRIVATE_SCHEMAS = ROOT / "tests" / "contract" / "private"
GOLDEN = ROOT / "tests" / "contract" / "golden"
FEED = "feed.v1.ndjson"
SUMS = "SHA256SUMS"
EVENTS = tuple(dict.fromkeys(event for entry in installed().values() for event in entry.blueprint.event_types))
"""Every event a service can write."""


class NotAnAddition(Exception):
    """A contract would change in a way its readers are not prepared for; the change needs a new schema version."""


def file_of(event: Event | type[Event], schema: int | None = None) -> str:
    """The name the files of an event type have, such as `pledge.made.v1.json`; of its current schema by default."""
    return f"{event.type}.v{schema or event.schema_version}.json"


def text_of(value: object) -> str:
    """How a file of ours is written."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write_schemas(folder: Path, events: Iterable[type[Event]]) -> list[Path]:
    """Bring the schemas up to date; those that changed. Raises NotAnAddition before anything is written."""
    return keep({folder / file_of(event): json_schema(event) for event in events})


def keep(current: Mapping[Path, JsonSchemaValue]) -> list[Path]:
    """Bring these schemas up to date; those that changed. Raises NotAnAddition before anything is written."""
    written = {path: json.loads(path.read_text("utf-8")) for path in current if path.exists()}
    broken = [f"{path.name}: {what}" for path, old in written.items() for what in breaks(old, current[path])]
    if broken:
        raise NotAnAddition("\n".join(broken))
    changed = [path for path, schema in current.items() if written.get(path) != schema]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(current[path]), "utf-8")
    return changed


def written(folder: Path) -> dict[str, str]:
    """What SHA256SUMS says was written into `folder`: the digest by the name."""
    sums = folder / SUMS
    lines = sums.read_text("utf-8").splitlines() if sums.exists() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def write_golden(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write what was never written yet, and add it to the list; those that are new."""
    before = written(folder)
    new = [folder / name for name in files if name not in before]
    for path in new:
        path.parent.mkdir(parents=True, exist_ok=True)
        name = path.relative_to(folder).as_posix()
        if not path.exists():
            path.write_text(files[name], "utf-8")
        with (folder / SUMS).open("a", encoding="utf-8") as sums:
            sums.write(f"{sha256(path.read_bytes()).hexdigest()}  {name}\n")
    return new


async def golden_files(examples: Sequence[Event]) -> dict[str, str]:
    """What the golden files of these events say, by name: each as its row holds it, and all of them as a feed."""
    async with a_log("sqlite://") as log:
        items = [proposed(event, f"{event.type}/{n}", UUID(identity(1000 + n))) for n, event in enumerate(examples)]
        await log.append(*items)
        records = (await log.records())[1:]
        keys = await log.database.read(lambda connection: keys_of(connection, ORG, _subjects(records)))
        files = {file_of(event): _row(record, keys) for event, record in zip(examples, records, strict=True)}
        files[FEED] = "".join(encode(envelope).decode() + "\n" for envelope in await log.envelopes())
        return files


async def all_golden_files() -> dict[str, str]:
    """What all golden files would say if they were written today."""
    return await golden_files((*EXAMPLES, *PRIVATE_EXAMPLES)) | await old_logs()


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
    """Write it all, and say what was written; 1 where a contract would break, or has no words."""
    try:
        changed = write_schemas(SCHEMAS, (event for event in EVENTS if event.public))
        changed += write_schemas(PRIVATE_SCHEMAS, (event for event in EVENTS if not event.public))
        changed += keep({SCHEMAS / f"{ENVELOPE}.json": envelope_schema()})
        changed += write_golden(GOLDEN, asyncio.run(all_golden_files()))
        changed += write_shipped(GOLDEN, written(GOLDEN))
        changed += write_documents(SCHEMAS)
    except NotAnAddition as refused:
        sys.stderr.write(f"不是新增，需要新的版本号 / Not an addition, so it needs a new schema version:\n{refused}\n")
        return 1
    except Unsaid as missing:
        sys.stderr.write(f"shared/avow/contracts/words.toml 缺少说明 / Words are missing:\n{missing.args[0]}\n")
        return 1
    for path in changed:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
