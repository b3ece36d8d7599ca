"""The ports: time and chance come from where a test or a simulation can set them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from avow.kernel.ports import Ports, SimulatedClock, SystemClock, seeded

START = datetime(2010, 6, 1, 8, tzinfo=UTC)


def test_a_simulated_clock_stands_until_it_is_set() -> None:
    clock = SimulatedClock(START)
    assert (clock.now(), clock.now(), clock.kind) == (START, START, "simulated")
    clock.set(START + timedelta(days=1))
    assert clock.now() == START + timedelta(days=1)


def test_a_simulated_clock_is_never_set_back() -> None:
    clock = SimulatedClock(START)
    clock.set(START)
    with pytest.raises(ValueError, match="never set back"):
        clock.set(START - timedelta(microseconds=1))
    assert clock.now() == START


def test_a_simulated_clock_tells_utc_wherever_it_was_set_from() -> None:
    clock = SimulatedClock(START.astimezone(timezone(timedelta(hours=8))))
    clock.set((START + timedelta(hours=1)).astimezone(timezone(timedelta(hours=-5))))
    assert (clock.now(), clock.now().tzinfo) == (START + timedelta(hours=1), UTC)


def test_the_machines_clock_tells_utc_and_does_not_stand() -> None:
    clock = SystemClock()
    assert (clock.kind, clock.now().tzinfo) == ("real", UTC)
    first = clock.now()
    while clock.now() == first:
        pass
    assert clock.now() > first


def test_one_seed_gives_the_same_identities_again_and_another_gives_others() -> None:
    ids = [[Ports(random_bytes=seeded(seed)).new_id() for _ in range(2)] for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


def test_identities_are_random_uuids_and_never_twice_the_same() -> None:
    ports = Ports()
    ids = {ports.new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {made.version for made in ids} == {4}
