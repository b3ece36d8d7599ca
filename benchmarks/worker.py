"""One of several processes that append at once: `python -m benchmarks.worker CONTENDER URL CALLERS SECONDS`.

It says "ready", waits for a line, appends, and says how many events a second.
"""

import subprocess
import sys
from collections.abc import Sequence

from avow.service.hosting import collect_seldom
from benchmarks.contenders import BY_NAME

PROCESSES = 2


def together(contender: str, url: str, callers: int, seconds: float) -> float:
    """Events a second of several processes with so many callers each, into one log."""
    command = [sys.executable, "-m", "benchmarks.worker", contender, url, str(callers), str(seconds)]
    workers = []
    for _ in range(PROCESSES):
        # One after the other, since not everybody can make the same tables at once.
        workers.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        _hear(workers[-1])
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    rates = [float(_hear(worker)) for worker in workers]
    for worker in workers:
        worker.wait(60)
    return sum(rates)


def _hear(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    said = worker.stdout.readline()
    if not said:
        raise RuntimeError(f"a worker ended with {worker.wait(60)}")
    return said


def main(arguments: Sequence[str]) -> None:
    """Be a worker."""
    contender, url, callers, seconds = arguments
    collect_seldom()
    writer = BY_NAME[contender](url)
    writer.append(int(callers), 0.2)
    print("ready", flush=True)
    sys.stdin.readline()
    print(writer.append(int(callers), float(seconds)), flush=True)
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1:])
