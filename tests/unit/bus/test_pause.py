"""Between two tries there is a pause that grows, has bounds, and is not the same for all."""

import pytest

from avow.bus.follower import pause
from avow.kernel.ports import Ports, seeded


@pytest.mark.parametrize(("failures", "longest"), [(0, 0.4), (1, 0.8), (3, 3.2), (4, 5.0), (10**6, 5.0)])
def test_the_pause_grows_up_to_its_bounds(failures: int, longest: float) -> None:
    assert pause(failures, Ports(random_bytes=bytes)) == 0.2
    assert pause(failures, Ports(random_bytes=lambda n: b"\xff" * n)) == pytest.approx(longest)


def test_the_pause_is_drawn_by_lot() -> None:
    ports = Ports(random_bytes=seeded(1))
    assert len({pause(5, ports) for _ in range(20)}) > 15
