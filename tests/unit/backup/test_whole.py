"""What is not finished never stands under its name."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from avow.backup.problem import Unfit
from avow.backup.whole import whole_file, whole_folder

Making = Callable[[Path], AbstractContextManager[Path]]


class Killed(BaseException):
    """What ends the work in the middle."""


def test_a_folder_stands_under_its_name_when_it_is_finished(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "a" / "backup") as partial:
        (partial / "part").write_text("x")
        assert not (tmp_path / "a" / "backup").exists()
        assert partial.stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["backup"]
    assert (tmp_path / "a" / "backup" / "part").read_text() == "x"


def test_a_file_is_readable_by_its_owner_alone_from_the_first_byte_on(tmp_path: Path) -> None:
    with whole_file(tmp_path / "keys") as partial:
        assert partial.stat().st_mode & 0o777 == 0o600
        partial.write_text("x")
        assert not (tmp_path / "keys").exists()
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize("making", [whole_file, whole_folder])
def test_what_ends_in_the_middle_leaves_nothing(tmp_path: Path, making: Making) -> None:
    with pytest.raises(Killed), making(tmp_path / "x"):
        raise Killed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("making", [whole_file, whole_folder])
def test_what_is_there_is_never_replaced(tmp_path: Path, making: Making) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(Unfit, match=r"backup\.exists"), making(tmp_path / "x"):
        pytest.fail("it began")
    with pytest.raises(Unfit, match=r"backup\.exists"), making(tmp_path / "y"):
        (tmp_path / "y").mkdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "y"]
