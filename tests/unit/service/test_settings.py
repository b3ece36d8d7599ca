from pathlib import Path

import pytest
from pydantic import ValidationError

from avow.service.settings import Settings

SECRET = "swordfish"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AVOW_ORGS", "main,main"),
        ("AVOW_ORGS", "main,docs"),
        ("AVOW_ORGS", ""),
        ("AVOW_OPERATOR_TOKEN", "too-short"),
        ("AVOW_OPERATOR_TOKEN", "a token with spaces cannot travel"),
        ("AVOW_OPERATOR_TOKEN", "一个不能放进请求头里的令牌一个不能放进请求头里的令牌"),
        ("AVOW_PLEDGE_DATABASE", "nonsense"),
        ("AVOW_PLEDGE_DATABASE", "mysql://root@127.0.0.1/x"),
        ("AVOW_PLEDGE_DATABASE", "postgresql://avow@127.0.0.1/x"),
        ("AVOW_HOST", "0.0.0.0"),
        ("AVOW_SERVICES", "pledge,pledge"),
        ("AVOW_SERVICES", "other"),
        ("AVOW_ROLE", "boss"),
        ("AVOW_PLEDGE_URL", "pledge:8401"),
        ("AVOW_BUS", "kafka://swordfish@127.0.0.1"),
        ("AVOW_BUS", "amqp:///"),
        ("AVOW_SECRETS", "/nowhere/at/all"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert {f"AVOW_{str(fault['loc'][0]).upper()}" for fault in refused.value.errors()} == {name}


def test_no_secret_ever_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVOW_OPERATOR_TOKEN", SECRET * 3)
    monkeypatch.setenv("AVOW_BUS", f"amqp://avow:{SECRET}@127.0.0.1/")
    monkeypatch.setenv("AVOW_PLEDGE_BUS", f"amqp://pledge:{SECRET}@127.0.0.1/")
    monkeypatch.setenv("AVOW_PLEDGE_DATABASE", f"postgresql+asyncpg://pledge:{SECRET}@127.0.0.1/pledge")
    assert SECRET not in repr(Settings())
    assert SECRET not in str(Settings())


def test_a_database_may_be_named_by_either_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVOW_PLEDGE_DATABASE", "postgresql+asyncpg://avow@127.0.0.1/pledge")
    monkeypatch.setenv("AVOW_EVALUATION_DATABASE", "sqlite:///evaluation.db")
    settings = Settings()
    assert settings.database_url("pledge") == "postgresql+asyncpg://avow@127.0.0.1/pledge"
    assert settings.database_url("evaluation") == "sqlite:///evaluation.db"


def test_beyond_loopback_only_behind_a_token_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVOW_HOST", "0.0.0.0")
    monkeypatch.setenv("AVOW_OPERATOR_TOKEN", SECRET * 3)
    assert Settings().host == "0.0.0.0"


def test_each_service_may_have_an_account_of_its_own_at_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().broker("pledge") is None
    monkeypatch.setenv("AVOW_BUS", "amqp://both@127.0.0.1/")
    monkeypatch.setenv("AVOW_PLEDGE_BUS", "amqp://pledge@127.0.0.1/")
    assert Settings().broker("pledge") == "amqp://pledge@127.0.0.1/"
    assert Settings().broker("evaluation") == "amqp://both@127.0.0.1/"
    monkeypatch.setenv("AVOW_SUBSCRIBERS_BUS", "amqp://subscribers@127.0.0.1/")
    assert Settings().broker("subscribers") == "amqp://subscribers@127.0.0.1/"


def test_a_secret_may_lie_in_a_file_of_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "avow_operator_token").write_text(f"{SECRET * 3}\n")
    (tmp_path / "avow_pledge_database").write_text("postgresql+asyncpg://pledge@postgres/pledge\n")
    (tmp_path / "avow_pledge_bus").write_text(f"amqp://pledge:{SECRET}@rabbitmq/avow\n")
    monkeypatch.setenv("AVOW_SECRETS", str(tmp_path))
    settings = Settings()
    assert settings.operator_token is not None
    assert settings.operator_token.get_secret_value() == SECRET * 3
    assert settings.database_url("pledge") == "postgresql+asyncpg://pledge@postgres/pledge"
    assert settings.broker("pledge") == f"amqp://pledge:{SECRET}@rabbitmq/avow"


def test_what_the_environment_says_goes_before_what_is_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "avow_orgs").write_text("main")
    monkeypatch.setenv("AVOW_SECRETS", str(tmp_path))
    monkeypatch.setenv("AVOW_ORGS", "other")
    assert Settings().orgs == ("other",)


def test_a_secret_in_a_file_that_is_not_understood_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "avow_pledge_bus").write_text(f"http://{SECRET}@rabbitmq/")
    monkeypatch.setenv("AVOW_SECRETS", str(tmp_path))
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [fault["loc"] for fault in refused.value.errors()] == [("pledge_bus",)]
