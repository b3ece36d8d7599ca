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
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert {f"AVOW_{str(fault['loc'][0]).upper()}" for fault in refused.value.errors()} == {name}


def test_the_operators_token_never_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVOW_OPERATOR_TOKEN", SECRET * 3)
    assert SECRET not in repr(Settings())
    assert SECRET not in str(Settings())


def test_a_database_may_be_named_by_either_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVOW_PLEDGE_DATABASE", "postgresql+asyncpg://avow@127.0.0.1/pledge")
    monkeypatch.setenv("AVOW_EVALUATION_DATABASE", "sqlite:///evaluation.db")
    settings = Settings()
    assert settings.database_url("pledge") == "postgresql+asyncpg://avow@127.0.0.1/pledge"
    assert settings.database_url("evaluation") == "sqlite:///evaluation.db"
