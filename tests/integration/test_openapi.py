"""Both services answer as their documents say, whatever is sent to them: no 500, nothing undocumented."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.kit.deployed import Deployed, deployed

EXAMPLES = 25
"""For each operation, in each way of making them: as documented, and not."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("fuzzed")) as pair:
        yield pair


@pytest.mark.parametrize("service", ["pledge", "evaluation"])
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_a_service_answers_as_documented(
    service: str, mode: schemathesis.GenerationMode, running: Deployed, subtests: pytest.Subtests
) -> None:
    document = schemathesis.openapi.from_url(f"{running.urls[service]}/openapi.json", headers=running.headers)
    # A stream that stays open is read by tests of its own.
    operations = [found.ok() for found in document.exclude(path_regex="/feed/live$").get_all_operations()]
    assert len(operations) > 5
    for operation in operations:
        with subtests.test(operation=operation.label):
            fuzz(operation, mode, running)


def fuzz(operation: Any, mode: schemathesis.GenerationMode, running: Deployed) -> None:
    """Send one operation many requests and hold each answer to the document."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answered(case: Any) -> None:
        # A document cannot say all rules of the domain, so well-formed data may be refused; but always as documented.
        # The organisations of the deployment, so that more is reached than a 404.
        if "org" in case.path_parameters and case.operation.path.startswith("/{org}/"):
            case.path_parameters["org"] = "main"
        case.call_and_validate(headers=running.headers, timeout=30, excluded_checks=[positive_data_acceptance])

    answered()
