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
POSITIVE = schemathesis.GenerationMode.POSITIVE


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
    # The token is always sent: that nothing opens without it is tested by itself.
    document.config.generation.update(with_security_parameters=False)
    # A stream that stays open is read by tests of its own.
    found: Any = document.exclude(path_regex="/feed/live$").get_all_operations()
    operations = [entry.ok() for entry in found]
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
        if mode is POSITIVE and "org" in case.path_parameters:
            # A book there is, so that more is reached than a 404.
            case.path_parameters["org"] = "main"
        # A document cannot say every rule of the domain: well-formed data may be refused, but only as documented.
        case.call_and_validate(headers=running.headers, timeout=30, excluded_checks=[positive_data_acceptance])

    answered()
