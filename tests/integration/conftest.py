"""Where a pair keeps its logs, on each engine by turns."""

from collections.abc import Callable
from pathlib import Path

import pytest

from avow.service.settings import Settings
from tests.kit.staged import ORG


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    told = Settings(data=tmp_path, orgs=(ORG,), pledge_port=0, evaluation_port=0)
    if request.param == "sqlite":
        return told
    new_url: Callable[[], str] = request.getfixturevalue("new_postgres_url")
    return told.model_copy(update={"pledge_database": new_url(), "evaluation_database": new_url()})
