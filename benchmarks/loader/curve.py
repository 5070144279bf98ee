"""Training killed with SIGKILL in mid-epoch, again and again, and started again: is its loss curve the unbroken one's?

python -m benchmarks.loader.curve [KILLS]

Losses are compared as hexadecimal floats, those of steps that were done twice, too; with 0 and with 2 workers.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.loader import results

LINE = [sys.executable, "-m", "benchmarks.loader.train"]


def lines(folder: Path) -> list[tuple[int, str]]:
    """(step, loss) of each whole line."""
    path = folder / "losses"
    text = path.read_text() if path.exists() else ""
    told = [line.split() for line in text[: text.rfind("\n") + 1].splitlines()]
    return [(int(step), loss) for step, loss in told]


def unbroken(folder: Path) -> dict[int, str]:
    """Step → loss of a run that nothing happens to, without workers."""
    folder.mkdir()
    subprocess.run([*LINE, str(folder), "0"], check=True)
    return dict(lines(folder))


def broken(folder: Path, workers: int, kills: int, whole: dict[int, str], seed: int = 1) -> dict[str, int]:
    """So many kills at moments that a seed says, then to the end."""
    folder.mkdir()
    chance, done, orphans = random.Random(seed), 0, 0
    for kill in range(1, kills + 1):
        job = subprocess.Popen([*LINE, str(folder), str(workers)], start_new_session=True)
        # No earlier than the step where the last left off, so that every start gets further.
        least = kill * len(whole) // (kills + 1) + chance.randrange(3)
        while job.poll() is None and max([step for step, _ in lines(folder)[-1:]], default=0) < least:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.02))
        os.kill(job.pid, signal.SIGKILL)
        done += job.wait() == -signal.SIGKILL
        orphans += _alive(job.pid)
    subprocess.run([*LINE, str(folder), str(workers)], check=True)
    told = lines(folder)
    differ = sum(whole.get(step) != loss for step, loss in told) + len(set(whole) - {step for step, _ in told})
    return {
        "kills": done,
        "steps": len(whole),
        "done_twice": len(told) - len(whole),
        "differ": differ,
        "alive": orphans,
    }


def _alive(group: int, seconds: float = 20) -> int:
    """Whether a worker of a killed job is there after so many seconds; torch's look after theirs every five."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return 0
        time.sleep(0.1)
    return 1


def main(arguments: list[str]) -> None:
    """Without workers and with two, as JSON."""
    kills = int(arguments[0]) if arguments else 5
    with tempfile.TemporaryDirectory() as place:
        whole = unbroken(Path(place) / "whole")
        found = {f"{n} workers": broken(Path(place) / str(n), n, kills, whole) for n in (0, 2)}
    results.write("curve", found)


if __name__ == "__main__":
    main(sys.argv[1:])
