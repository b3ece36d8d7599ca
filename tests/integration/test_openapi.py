"""Both services answer as their documents say, whatever is sent to them."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.kit.deployed import Deployed, deployed

fuzzed = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("fuzzed")) as pair:
        yield pair


def document_of(service: str, running: Deployed) -> Any:
    loaded = schemathesis.openapi.from_url(f"{running.urls[service]}/openapi.json", headers=running.headers)
    # A stream that stays open is read by tests of its own.
    return loaded.exclude(path_regex="/feed/live$")


@pytest.fixture(scope="module")
def pledge_api(running: Deployed) -> Any:
    return document_of("pledge", running)


@pytest.fixture(scope="module")
def evaluation_api(running: Deployed) -> Any:
    return document_of("evaluation", running)


pledge = schemathesis.pytest.from_fixture("pledge_api")
evaluation = schemathesis.pytest.from_fixture("evaluation_api")


@pledge.parametrize()
@fuzzed
def test_the_pledge_service_answers_as_documented(case: Any, running: Deployed) -> None:
    case.call_and_validate(headers=running.headers)


@evaluation.parametrize()
@fuzzed
def test_the_evaluation_service_answers_as_documented(case: Any, running: Deployed) -> None:
    case.call_and_validate(headers=running.headers)
