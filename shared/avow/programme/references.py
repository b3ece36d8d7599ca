"""The keys of a template: none is given twice, and whatever refers to one finds it.

Promises: both rules hold for every part, present and future, because they are read off the parts' own declarations
(`identity` and `RefersTo`).
"""

from collections.abc import Iterator

from avow.programme.errors import Problem
from avow.programme.vocabulary import Part, RefersTo


def key_problems(template: Part) -> Iterator[Problem]:
    """Every key that is given twice in one list, and every reference to a key that its list does not hold."""
    for path, part in _parts(template, ""):
        yield from _repeated(path, part)
        yield from _dangling(path, part, template)


def _parts(part: Part, path: str) -> Iterator[tuple[str, Part]]:
    yield path, part
    for at, value in _fields(path, part):
        if isinstance(value, Part):
            yield from _parts(value, at)
        elif isinstance(value, tuple):
            for n, entry in enumerate(value):
                if isinstance(entry, Part):
                    yield from _parts(entry, f"{at}[{n}]")


def _fields(path: str, part: Part) -> Iterator[tuple[str, object]]:
    for name in type(part).model_fields:
        yield (f"{path}.{name}" if path else name), getattr(part, name)


def _repeated(path: str, part: Part) -> Iterator[Problem]:
    for at, value in _fields(path, part):
        seen: set[object] = set()
        for n, entry in enumerate(value if isinstance(value, tuple) else ()):
            where, mark = f"{at}[{n}]", entry
            if isinstance(entry, Part) and entry.identity:
                where, mark = f"{where}.{entry.identity}", getattr(entry, entry.identity)
            if mark in seen:
                yield Problem(where, "appears twice" if isinstance(mark, Part) else f"{str(mark)!r} appears twice")
            seen.add(mark)


def _dangling(path: str, part: Part, template: Part) -> Iterator[Problem]:
    for (at, value), field in zip(_fields(path, part), type(part).model_fields.values(), strict=True):
        for reference in field.metadata:
            if isinstance(reference, RefersTo):
                known = [entry.key for entry in getattr(template, reference.entries)]
                for where, key in _keys(at, value):
                    if key not in known:
                        yield Problem(where, f"{key!r} is not among {reference.entries}: {', '.join(known)}")


def _keys(at: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, tuple):
        yield from ((f"{at}[{n}]", key) for n, key in enumerate(value))
    elif value is not None:
        yield at, value
