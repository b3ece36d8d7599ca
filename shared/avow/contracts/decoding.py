"""How the bytes of an event, as they stand in a log or travel, become the current class of its type.

Promises: an older schema is brought up by its upcasters, seals closed; what a later version added is passed over, in
the values inside an event too (tests/unit/eventlog/test_types.py, tests/unit/contracts/test_check.py).
"""

import json
from collections.abc import Callable

from pydantic import TypeAdapter

from avow.kernel.message import Event

Decoder = Callable[[bytes, bytes | None], Event]
"""Makes the event of `data` and `sealed` as they stand in a log; raises ValueError where they do not fit."""


def decoder(event_type: type[Event], schema: int) -> Decoder:
    """What reads this schema of an event type into its current class."""
    upcasters = event_type.upcasters[schema - 1 :]
    validator = TypeAdapter(event_type).validator
    read_json: Callable[..., Event] = validator.validate_json
    read_fields: Callable[..., Event] = validator.validate_python

    def current(data: bytes, sealed: bytes | None) -> Event:
        # Nearly every event comes this way.
        return read_json(data, extra="ignore") if sealed is None else by_fields(data, sealed)

    def by_fields(data: bytes, sealed: bytes | None) -> Event:
        fields = json.loads(data)
        if sealed is not None:
            fields |= json.loads(sealed)
        for upcaster in upcasters:
            fields = upcaster(fields)
        return read_fields(fields, extra="ignore")

    return by_fields if upcasters else current
