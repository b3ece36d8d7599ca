"""An exception as a log line may show it: kinds and places, never messages, which may quote what was sent or stored."""

import traceback

_FRAMES = 5


def raised(exc: BaseException | None) -> list[str]:
    """Each exception of the chain with the innermost places it went through."""
    lines = []
    while exc is not None:
        frames = traceback.extract_tb(exc.__traceback__)[-_FRAMES:]
        at = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        lines.append(f"{type(exc).__module__}.{type(exc).__qualname__} at {at}")
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    return lines
