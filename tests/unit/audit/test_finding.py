"""What findings say to people and to programs."""

import re
from pathlib import Path

import pytest

from avow.audit import finding as module
from avow.audit.finding import MOST, Finding, Findings, catalogue

CODES = sorted(catalogue())
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_code_an_audit_can_find_has_its_text_and_no_other_has() -> None:
    families = "|".join(sorted({code.split(".")[0] for code in CODES}))
    source = "\n".join(path.read_text("utf-8") for path in Path(module.__file__).parent.glob("*.py"))
    assert set(re.findall(rf'"((?:{families})\.[a-z_]+)"', source)) == set(CODES)
    assert len(CODES) == 30


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_is_wrong_and_what_to_do_in_both_languages(code: str) -> None:
    finding = Finding(code, 7, "who")
    for zh, en in ((finding.text("zh"), finding.text("en")), (finding.todo("zh"), finding.todo("en"))):
        assert HAN.search(zh)
        assert zh.endswith("。")
        assert not HAN.search(en)
        assert en.endswith(".")


def test_a_finding_as_a_program_reads_it() -> None:
    said = Finding("position.missing", 4, params={"upto": 6}).as_json()
    assert said["code"] == "position.missing"
    assert said["position"] == 4
    assert said["projection"] is None
    assert said["params"] == {"upto": 6}
    assert said["en"] == "The log has a hole: the events from position 4 to 6 are missing."
    assert {"zh", "todo_zh", "todo_en"} <= said.keys()


def test_of_many_findings_the_first_are_listed_and_all_are_counted() -> None:
    found = Findings()
    for position in range(MOST + 3):
        found.add(Finding("leaf.mismatch", position))
    assert [finding.position for finding in found.listed] == list(range(MOST))
    assert found.count == MOST + 3
