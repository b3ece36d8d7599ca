"""Replays one seed with its record, or runs many: `python -m tests.simulation 7`, or `--seeds 1000`, or `--bug NAME 7`."""

import argparse
import sys

from rich.progress import track

from tests.simulation.books import SIDES
from tests.simulation.many import TOLD, outcomes, summed
from tests.simulation.pair import simulate
from tests.simulation.planted import BUGS


def main() -> int:
    """Exit status 1 if anything was wrong."""
    parser = argparse.ArgumentParser("python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, help="回放一个种子 / the seed to replay")
    parser.add_argument("--seeds", type=int, default=1000, help="运行多少个种子 / how many to run")
    parser.add_argument("--start", type=int, default=0, help="第一个种子 / the first of them")
    parser.add_argument("--jobs", type=int, help="进程数 / how many processes")
    parser.add_argument("--bug", choices=BUGS, help="植入一个缺陷 / plant a bug")
    asked = parser.parse_args()
    if asked.seed is None:
        return _many(asked.start, asked.seeds, asked.jobs)
    if asked.bug is None:
        outcome = simulate(asked.seed, told=print)
    else:
        bug = BUGS[asked.bug]
        outcome = simulate(asked.seed, bug.parts, print, bug.weather, commands=bug.commands)
    for wrong in outcome.wrong:
        print(f"✗ {wrong}")
    print(f"{'✗' if outcome.wrong else '✓'} {outcome.seed} · {outcome.seconds:.0f} s · {outcome.calls} · {outcome.digest}")
    return bool(outcome.wrong)


def _many(start: int, count: int, jobs: int | None) -> int:
    seeds = range(start, start + count)
    found = list(
        track(outcomes(seeds, jobs), f"模拟 / simulating {' ⇄ '.join(SIDES)}", total=count)
    )
    failing = [outcome for outcome in found if outcome.wrong]
    for outcome in failing[:TOLD]:
        print(outcome)
    if failing:
        print("失败的种子 / failing seeds:", *(outcome.seed for outcome in failing))
    hours = sum(outcome.seconds for outcome in found) / 3600
    print(f"{count} 个种子，虚拟时间 {hours:.1f} 小时，失败 {len(failing)} 个")
    print(f"{count} seeds, {hours:.1f} hours of virtual time, {len(failing)} failing")
    for what, times in sorted(summed(found).items()):
        print(f"{times:>9,}  {what}")
    return bool(failing)


if __name__ == "__main__":
    sys.exit(main())
