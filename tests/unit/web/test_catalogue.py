"""What the catalogues hold, and what happens when a text is filled."""

import re
from pathlib import Path

import pytest

from avow.kernel.refusal import Refusal
from avow.web import catalogue as module
from avow.web.catalogue import SHARED, Catalogue, Message, Phrase, phrases, placeholders, preferred_language, shown

CODES = sorted(Catalogue.load(SHARED))
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_happened_and_what_to_do_in_both_languages(code: str) -> None:
    message = Catalogue.load(SHARED).message(code)
    assert HAN.search(message.zh)
    assert HAN.search(message.todo_zh)
    assert not HAN.search(message.en + message.todo_en)
    assert {text[-1] for text in (message.zh, message.todo_zh)} == {"。"}
    assert {text[-1] for text in (message.en, message.todo_en)} == {"."}
    assert str(message.status) in phrases("title")


def test_every_phrase_is_in_both_languages() -> None:
    for phrase in [*phrases("title").values(), *phrases("invalid").values()]:
        assert HAN.search(phrase.zh)
        assert not HAN.search(phrase.en)


def test_parameters_take_their_places() -> None:
    message = Catalogue.load(SHARED).message("actor.lacks_role", {"role": "书记"})
    assert message.zh == "办理此事须担任 书记，办理人并未担任，或当时并未担任。"


def test_a_parameter_that_is_missing_shows_as_its_name() -> None:
    assert "limit of limit bytes" in Catalogue.load(SHARED).message("request.too_large").en


def test_a_parameter_that_looks_like_a_template_stays_as_it_is() -> None:
    filled = Phrase(zh="见 {id}", en="See {id}").filled({"id": "{id.__class__} {0}"})
    assert filled.en == "See {id.__class__} {0}"


def test_a_parameter_is_shown_short_and_encodable() -> None:
    assert shown("\ud800" + "长" * 500) == "?" + "长" * 199
    assert shown(["a", "b"]) == "a, b"


def test_a_code_without_a_message_keeps_its_code_and_is_refused_in_general_terms() -> None:
    message = Catalogue.load(SHARED).message("pledge.not_approved")
    assert message.status == 409
    assert "pledge.not_approved" in message.zh


def test_a_code_that_is_there_twice_stops_the_start() -> None:
    with pytest.raises(ValueError, match=r"avow\.web/messages\.toml repeats actor\.lacks_role, actor\.unknown"):
        Catalogue.load(SHARED, SHARED)


def test_languages_that_name_different_parameters_stop_the_start() -> None:
    with pytest.raises(ValueError, match="todo_zh and todo_en name different parameters"):
        Message(zh="甲", en="A", todo_zh="{days} 天内", todo_en="soon")


@pytest.mark.parametrize("template", ["{}", "{0}", "{x.y}", "{x[0]}", "{x!r}", "{x:>9}", "{X}"])
def test_a_placeholder_is_a_plain_name(template: str) -> None:
    with pytest.raises(ValueError, match="not a plain placeholder"):
        placeholders(template)


def test_every_code_the_shared_packages_refuse_with_is_in_the_catalogue() -> None:
    shared = Path(module.__file__).parents[1]
    source = "\n".join(path.read_text("utf-8") for path in (shared / "web").glob("*.py"))
    raised = set(re.findall(r'Refusal\(\s*"([a-z_.]+)"', source))
    assert {"request.too_large", "request.malformed_json", "internal"} <= raised
    assert raised <= set(CODES)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("*", "zh"),
        ("fr, de;q=0.5", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh;q=0.2, en;q=0.7", "en"),
        ("en;q=0", "zh"),
        ("en;q=nonsense, zh;q=0.5", "en"),
        ("en;q=99999", "en"),
    ],
)
def test_chinese_unless_english_is_liked_better(header: str | None, language: str) -> None:
    assert preferred_language(header) == language


def test_a_refusal_says_its_code_and_field() -> None:
    assert str(Refusal("time.zone_missing", "occurred_at")) == "time.zone_missing at occurred_at"
