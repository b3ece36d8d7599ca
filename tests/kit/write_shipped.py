"""Writes the samples in `avow/contracts/recorded`: the golden file of each public schema as a line that travels.

A line that is there stays as it is, and each new one follows it; what a golden file does not say is made from its name.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec.structs import replace

from avow.contracts import shipped
from avow.contracts.catalogue import PUBLIC_EVENTS, every_public_event
from avow.contracts.envelope import Envelope, encode
from avow.contracts.leaf import FORMAT, LEAF_COLUMNS, SALT_LENGTH, leaf
from avow.kernel.message import PublicEvent
from tests.kit.logs import ORG, START

SHARED = Path(__file__).parents[2] / "shared"
RECORDED = SHARED / "avow" / "contracts" / "recorded"
PUBLIC: Mapping[str, type[PublicEvent]] = {
    f"{event.type}.v{schema}": event for event in every_public_event() for schema in range(1, event.schema_version + 1)
}
"""The current class of every public schema there ever was, by its name."""


def write_shipped(golden: Path, names: Iterable[str], folder: Path = RECORDED) -> list[Path]:
    """Add what is missing of the golden files called `names`, in their order; the files that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, since = folder / shipped.SAMPLES, folder / shipped.SINCE
    wanted = [name.removesuffix(".json") for name in names if name.removesuffix(".json") in PUBLIC]
    known: dict[str, str] = json.loads(since.read_text("utf-8")) if since.exists() else {}
    release = tomllib.loads((SHARED / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    now = known | {name: release for name in wanted if name not in known}
    changed = []
    for path, text in {
        lines: b"".join(line + b"\n" for line in sample_lines(golden, wanted)).decode(),
        since: json.dumps(now, indent=2) + "\n",
    }.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            changed.append(path)
    return changed


def sample_lines(golden: Path, names: Iterable[str]) -> list[bytes]:
    """The line of each golden file, numbered in this order within its service's log."""
    lines = []
    numbers: dict[str, int] = {}
    for name in names:
        service = next(service for service, events in PUBLIC_EVENTS.items() if PUBLIC[name] in events)
        numbers[service] = numbers.get(service, 0) + 1
        said = json.loads((golden / f"{name}.json").read_text("utf-8"))
        lines.append(encode(_envelope(name, service, numbers[service], said)))
    return lines


def _envelope(name: str, service: str, sequence: int, said: Mapping[str, dict[str, dict[str, str]]]) -> Envelope:
    type, _, schema = name.rpartition(".v")
    sealed = said.get("sealed")
    # A seal is bound to the event it was written in, so that event keeps its id.
    ids = {UUID(seal["event_id"]) for seal in (sealed or {}).values()}
    event_id = ids.pop() if ids else _made_of("event", name)
    bare = Envelope(
        org=ORG,
        service=service,
        log_id=_made_of("log", service),
        sequence=sequence,
        stream=f"{type.partition('.')[0]}/{_made_of('stream', name)}",
        version=1,
        event_id=event_id,
        type=type,
        schema=int(schema),
        occurred_at=START,
        recorded_at=START,
        campaign=str(campaign) if (campaign := said["data"].get("campaign_id")) else None,
        actor=None,
        on_behalf_of=None,
        correlation_id=_made_of("request", name),
        causation_id=None,
        traceparent=None,
        late_reason=None,
        data=_compact(said["data"]),
        sealed=None if sealed is None else _compact(sealed),
        salt=sha256(name.encode()).digest()[:SALT_LENGTH],
        leaf=b"",
        format=FORMAT,
    )
    return replace(bare, leaf=leaf(bare.salt, (getattr(bare, column) for column in LEAF_COLUMNS)))


def _made_of(what: str, name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"avow:sample:{what}:{name}")


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
