"""Writes what the catalogue says in other forms: the AsyncAPI document of each service, and the catalogue as text."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from avow.contracts import wire
from avow.contracts.asyncapi import document
from avow.contracts.catalogue import PUBLIC_EVENTS
from avow.contracts.entries import Entry, entries

PROJECT = Path(__file__).parents[2] / "shared" / "pyproject.toml"


def release() -> str:
    """The release these sources are."""
    return str(tomllib.loads(PROJECT.read_text("utf-8"))["project"]["version"])


def documents() -> dict[str, str]:
    """What each document says, by the name of its file."""
    files = {
        f"asyncapi.{service}.json": json.dumps(document(service, release()), ensure_ascii=False, indent=2) + "\n"
        for service in PUBLIC_EVENTS
    }
    return files | {"README.md": "\n".join(_catalogue()) + "\n"}


def write_documents(folder: Path) -> list[Path]:
    """Bring the documents up to date; those that changed."""
    changed = []
    for name, text in documents().items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            changed.append(path)
    return changed


def _catalogue() -> Iterator[str]:
    said = entries()
    yield "# 公开事件目录 / Catalogue of public events"
    yield ""
    yield "由 `make contracts` 写出。信封与线路见 [wire.md](../guides/wire.md)。"
    yield "Written by `make contracts`. The envelope and the wire are in [wire.md](../guides/wire.md)."
    yield ""
    yield "AsyncAPI 3.0: " + ", ".join(f"[{name}](asyncapi.{name}.json)" for name in PUBLIC_EVENTS) + "；"
    yield "信封 / envelope: [envelope.v1](envelope.v1.json)."
    yield ""
    yield "| 类型 type | 名称 | 发布者 publisher | 版式 schema | 始于 since | 状态 state |"
    yield "|---|---|---|---|---|---|"
    for entry in said:
        yield (
            f"| [`{entry.event.type}`](#{_anchor(entry)}) | {entry.words.name.zh} | {', '.join(entry.services)} "
            f"| [v{entry.event.schema_version}]({entry.name}.json) | {entry.since} | {_state(entry)} |"
        )
    for entry in said:
        yield from _entry(entry)


def _anchor(entry: Entry) -> str:
    """The anchor of its heading, as GitHub makes it."""
    return entry.event.type.replace(".", "")


def _state(entry: Entry) -> str:
    if entry.ending is None:
        return "现行 current"
    after = f"，此后 / then `{entry.ending.successor}`" if entry.ending.successor else ""
    return f"{entry.ending.since} 宣布，写到 / announced, written until {entry.ending.until}{after}"


def _entry(entry: Entry) -> Iterator[str]:
    yield ""
    yield f"## {entry.event.type}"
    yield ""
    yield f"**{entry.words.name.zh}**。{entry.words.zh}"
    yield ""
    yield entry.words.en
    yield ""
    key = wire.routing_key("<org>", entry.event.type)
    yield f"交换机 / exchange `{wire.EVENTS}`，路由键 / routing key `{key}`"
    yield ""
    yield "| 字段 field | 值 value | | 必有 required |"
    yield "|---|---|---|---|"
    for field in entry.fields:
        sealed = f" 加封 / sealed: `{field.sealed}`" if field.sealed else ""
        required = "✓" if field.required else ""
        meaning = f"{field.words.zh} / {field.words.en}{sealed}"
        yield f"| `{field.path}` | {field.kind.zh} / {field.kind.en} | {meaning} | {required} |"
