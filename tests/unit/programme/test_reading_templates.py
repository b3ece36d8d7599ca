"""A text that is no template is refused with the place where it goes wrong; nothing in it is run or expanded."""

import pytest
import yaml
from pydantic import JsonValue

from avow.programme import load, parse
from tests.unit.programme.broken import refusal, refusal_of


def test_a_template_written_out_as_yaml_reads_back_the_same() -> None:
    template = load("teaching-excellence")
    assert parse(yaml.safe_dump(template.model_dump(mode="json"), allow_unicode=True)) == template


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("key: [unfinished", "line 1, column 17", "expected ',' or ']'"),
        ("key: a\nversion: 1\nkey: b", "line 3, column 1", "'key' is given twice"),
        ("title: {zh: a, en: b, zh: c}", "line 1, column 23", "'zh' is given twice"),
        ("key: &a [x]\ntitle: *a", "line 2, column 8", "aliases are not allowed"),
        ("key: !!python/object/apply:os.getcwd []", "line 1, column 6", "could not determine a constructor"),
        ("? [key]\n: a", "line 1, column 3", "a key must be a word"),
        ("key: a\n---\nkey: b", "line 2, column 1", "another document"),
        ("starts_on: 2010-02-30", "text", "day is out of range"),
        ('version: !!int ""', "text", "cannot be read"),
        ("version: !!bool maybe", "text", "cannot be read"),
        ("starts_on: !!timestamp soon", "text", "cannot be read"),
        ("[" * 5000, "text", "cannot be read"),
        ("key: \x00", "text", "special characters are not allowed"),
        ("", "template", "valid dictionary"),
        ("- key", "template", "valid dictionary"),
    ],
    ids=[
        "unfinished",
        "a key given twice",
        "an inner key given twice",
        "an alias",
        "a tag that builds an object",
        "a key that is no word",
        "two documents",
        "a day there is not",
        "an empty text called a number",
        "a word called a truth",
        "a word called a day",
        "endless nesting",
        "a control character",
        "nothing",
        "a list",
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_place(text: str, path: str, message: str) -> None:
    assert message in refusal_of(text)[path]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("key", "CXZY 2010", "should match pattern"),
        ("version", 0, "greater than or equal to 1"),
        ("title", {"zh": "x"}, "Field required"),
        ("theme.en", " ", "at least 1 character"),
        ("theme.en", "two\nlines", "should match pattern"),
        ("starts_on", 20100601, "a day is written YYYY-MM-DD"),
        ("phases", [], "at least 1 item"),
        ("phases[1].soft_end", "yes", "valid boolean"),
        ("turnout.invalid_below", 0.5, "write the number in quotes, so that it stays exact"),
        ("turnout.invalid_below", "1.01", "less than or equal to 1"),
        ("grade_scales[0].grades[0].points", "100.5", "less than or equal to 100"),
        ("review_forms[0].weights[0].weight", "-1", "greater than or equal to 0"),
        ("recognition.z", "NaN", "finite number"),
        ("obligations[8].due.working_days", -1, "greater than or equal to 0"),
        ("obligations[0].due.rule", "whenever", "does not match any of the expected tags"),
        ("obligations[0].satisfied_by[0].event", "MeetingHeld", "should match pattern"),
        ("pledge.member.required_fields[0]", "wishes", "Input should be"),
        ("awards[0].subject", "department", "Input should be 'unit' or 'member'"),
        ("notice.convention", "roughly", "Input should be"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_path(path: str, value: JsonValue, message: str) -> None:
    named = {"title": "title.en", "obligations[0].due.rule": "obligations[0].due"}.get(path, path)
    found = refusal((path, value))
    assert message in found[named]
    assert len(found) == 1


def test_a_fault_in_a_text_is_named_as_it_is_in_data() -> None:
    template = load("teaching-excellence").model_dump(mode="json")
    text = yaml.safe_dump({**template, "tie_breaks": ["lot"]}, allow_unicode=True)
    assert list(refusal_of(text)) == ["tie_breaks[0]"]


def test_a_field_nobody_knows_is_refused() -> None:
    assert refusal(("scopes[0].colour", "red")) == {"scopes[0].colour": "Extra inputs are not permitted"}


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "Asia"])
def test_a_time_zone_there_is_not_is_refused(zone: str) -> None:
    assert refusal(("time_zone", zone)) == {"time_zone": f"'{zone}' is no time zone"}
