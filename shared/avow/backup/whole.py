"""Files and folders that are either whole or not there under their name.

Promises: what is written stands under another name, beside it, until everything is on the disk; whoever is killed
before leaves nothing that looks whole; what is there already is never replaced.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from avow.backup.problem import Unfit


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write in, for its owner alone, that takes the name `path` in the end; Unfit if that is taken."""
    with _beside(path) as partial:
        partial.mkdir(mode=0o700)
        yield partial
        _on_disk(partial)
        # Renaming onto an empty folder would replace it.
        _must_be_free(path)
        partial.rename(path)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to write to, readable by its owner alone, that takes the name `path` in the end; Unfit if it is taken."""
    with _beside(path) as partial:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield partial
        try:
            os.link(partial, path)
        except FileExistsError as error:
            raise Unfit("backup.exists", path=path) from error


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    _must_be_free(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{token_hex(4)}.partial")
    try:
        yield partial
        _on_disk(path.parent)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def _must_be_free(path: Path) -> None:
    if os.path.lexists(path):
        raise Unfit("backup.exists", path=path)


def _on_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
