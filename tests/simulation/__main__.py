"""Replays one seed with its record, or runs many, or the planted bugs.

python -m tests.simulation 7
python -m tests.simulation 7 --bug "dual write"
python -m tests.simulation --seeds 1000
python -m tests.simulation --bugs
"""

import argparse
import sys
from collections.abc import Iterable

from rich.progress import track

from tests.simulation.many import TOLD, bitten, outcomes, summed
from tests.simulation.pair import Outcome, simulate
from tests.simulation.planted import BUGS

BITING = range(1, 21)
"""The seeds a planted bug is looked for with."""


def main() -> int:
    """Exit status 1 if anything was wrong, or most seeds did not find a planted bug."""
    parser = argparse.ArgumentParser("python -m tests.simulation", description=__doc__.partition("\n")[0])
    parser.add_argument("seed", nargs="?", type=int, help="回放一个种子 / the seed to replay")
    parser.add_argument("--seeds", type=int, default=1000, help="运行多少个种子 / how many to run")
    parser.add_argument("--start", type=int, default=0, help="第一个种子 / the first of them")
    parser.add_argument("--jobs", type=int, help="进程数 / how many processes")
    parser.add_argument("--bug", choices=BUGS, help="植入一个缺陷 / plant a bug")
    parser.add_argument("--bugs", action="store_true", help="逐一植入全部缺陷 / plant each bug in turn")
    asked = parser.parse_args()
    if asked.bugs:
        return _bugs(asked.jobs)
    if asked.seed is not None:
        return _replay(asked.seed, asked.bug)
    return _many(range(asked.start, asked.start + asked.seeds), asked.jobs)


def _say(*words: object) -> None:
    sys.stdout.write(f"{' '.join(map(str, words))}\n")


def _replay(seed: int, bug: str | None) -> int:
    if bug is None:
        outcome = simulate(seed, told=_say)
    else:
        planted = BUGS[bug]
        outcome = simulate(seed, planted.parts, _say, planted.weather, commands=planted.commands)
    for wrong in outcome.wrong:
        _say(f"✗ {wrong}")
    _say("✗" if outcome.wrong else "✓", outcome.seed, f"{outcome.seconds:.0f} s", outcome.calls, outcome.digest)
    return bool(outcome.wrong)


def _many(seeds: range, jobs: int | None) -> int:
    found = _shown(outcomes(seeds, jobs), "模拟 / simulating", len(seeds))
    failing = [outcome for outcome in found if outcome.wrong]
    for outcome in failing[:TOLD]:
        _say(outcome)
    if failing:
        _say("失败的种子 / failing seeds:", *(outcome.seed for outcome in failing))
    hours = sum(outcome.seconds for outcome in found) / 3600
    _say(f"{len(found)} 个种子，虚拟时间 {hours:.1f} 小时，失败 {len(failing)} 个")
    _say(f"{len(found)} seeds, {hours:.1f} hours of virtual time, {len(failing)} failing")
    for what, times in sorted(summed(found).items()):
        _say(f"{times:>9,}  {what}")
    return bool(failing)


def _bugs(jobs: int | None) -> int:
    asked = [(name, seed) for name in BUGS for seed in BITING]
    found = _shown(bitten(asked, jobs), "植入缺陷 / planting bugs", len(asked))
    unfound = 0
    for name in BUGS:
        failing = sum(bool(outcome.wrong) for (bug, _), outcome in zip(asked, found, strict=True) if bug == name)
        most = 2 * failing > len(BITING)
        unfound += not most
        _say("✓" if most else "✗", f"{failing:>3} / {len(BITING)}  {name}")
    return bool(unfound)


def _shown(coming: Iterable[Outcome], what: str, count: int) -> list[Outcome]:
    return list(track(coming, what, total=count))


if __name__ == "__main__":
    sys.exit(main())
