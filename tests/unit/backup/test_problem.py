"""What the backups' refusals say."""

import re
from pathlib import Path

import pytest

from avow.backup import problem
from avow.backup.problem import Unfit, catalogue

CODES = sorted(catalogue())


def test_every_code_has_its_text_and_no_other_has() -> None:
    package = Path(problem.__file__).parent
    files = [*package.glob("*.py"), *package.parent.joinpath("cli").glob("*.py")]
    said = {code for file in files for code in re.findall(r'Unfit\(\s*"([a-z_.]+)"', file.read_text("utf-8"))}
    assert said == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_is_wrong_and_what_to_do_in_both_languages(code: str) -> None:
    message = Unfit(code).message()
    for zh, en in ((message.zh, message.en), (message.todo_zh, message.todo_en)):
        assert re.search(r"[\u4e00-\u9fff]", zh)
        assert zh.endswith("。")
        assert not re.search(r"[\u4e00-\u9fff]", en)
        assert en.endswith(".")
