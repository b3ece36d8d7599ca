"""The feed as AsyncAPI channels: its pages, its live stream, and the line a page ends with.

Promises: the parameters and the last line are those the feed answers with (tests/contract/test_asyncapi.py).
"""

from collections.abc import Iterable
from typing import Any

END = "feed.page_end"
NDJSON = "application/x-ndjson"
EVENT_STREAM = "text/event-stream"
_HTTP = "0.3.0"
_SEQUENCE: dict[str, Any] = {"type": "integer", "minimum": 0}
END_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "一页的末行；没有它，这一页就是被截断了。 / The last line of a page; a page without it was cut off.",
    "properties": {
        "scanned_to": _SEQUENCE | {"description": "从这里接着读。 / Where to go on."},
        "head": _SEQUENCE | {"description": "最后一个公开事件的序号。 / The sequence of the last public event."},
        "log_id": {"type": "string", "format": "uuid"},
    },
    "required": ["scanned_to", "head", "log_id"],
}
_QUERIES: dict[str, dict[str, Any]] = {
    "page": {
        "after": _SEQUENCE | {"default": 0, "description": "已有的最后一个序号。 / The last sequence the reader has."},
        "limit": {"type": "integer", "minimum": 1, "maximum": 5000, "default": 1000},
        "types": {
            "type": "string",
            "description": "只要这些类型，以逗号分隔。 / Only these types, separated by commas.",
        },
    },
    "live": {
        "after": _SEQUENCE | {"default": 0},
        "seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 300},
    },
}
_CHANNELS = {
    "feed": ("page", "/{org}/feed", "事件流，逐页 / The feed, page by page", NDJSON),
    "feed.live": ("live", "/{org}/feed/live", "事件流，实时 / The feed, live", EVENT_STREAM),
}


def channels(messages: Iterable[dict[str, str]]) -> dict[str, Any]:
    """The feed's two channels, carrying these messages."""
    carried = {reference["$ref"].rpartition("/")[2]: reference for reference in messages}
    end = {END: {"$ref": f"#/components/messages/{END}"}}
    return {
        name: {
            "address": address,
            "title": title,
            "servers": [{"$ref": "#/servers/feed"}],
            "messages": carried | (end if kind == "page" else {}),
            "parameters": {"org": {"description": "组织的代号。 / The organisation whose book it is."}},
            "x-media-type": media_type,
        }
        for name, (kind, address, title, media_type) in _CHANNELS.items()
    }


def operations() -> dict[str, Any]:
    """How the feed's channels are asked for."""
    return {
        f"serve.{name}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "title": title,
            "bindings": {
                "http": {
                    "method": "GET",
                    "query": {"type": "object", "properties": _QUERIES[kind]},
                    "bindingVersion": _HTTP,
                }
            },
        }
        for name, (kind, _, title, _) in _CHANNELS.items()
    }


def end_message() -> dict[str, Any]:
    """The message a page ends with."""
    return {
        "name": END,
        "title": "Page end",
        "summary": "一页的末行",
        "contentType": NDJSON,
        "payload": {"$ref": f"#/components/schemas/{END}"},
        "examples": [
            {
                "name": END,
                "payload": {"scanned_to": 1000, "head": 5758, "log_id": "f5b16522-4a58-4791-9f6a-f1d8303e61cd"},
            }
        ],
    }
