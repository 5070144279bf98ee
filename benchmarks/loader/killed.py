"""A loader worker is killed at twenty moments: is one told of it, is nothing left, does it go on? (R6 of the promises.)

python -m benchmarks.loader.killed [KILLS]

Each in a training job of its own (`victim`): workers 1, 2 and 4, persistent or not, the consumer waiting or busy, going
on with the same loader or a new one. Then workers that end by `os._exit(3)`, that raise MemoryError or OSError in a
read, and Ctrl-C in mid-epoch, which reaches the workers, too.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.loader import results
from benchmarks.loader.cases import steps
from benchmarks.loader.victim import CASE, EPOCHS, Fault, shared

LINE = [sys.executable, "-m", "benchmarks.loader.victim"]
NAMED = re.compile(r"it read '\w+' \(\w+\.flac\)")
EARLY = "before it read anything"


def faults(kills: int, seed: int = 1) -> list[Fault]:
    """Every combination comes before any comes again."""
    found = []
    for number in range(kills):
        workers, trains = (1, 2, 4)[number % 3], bool(number // 3 % 2)
        found.append(Fault(seed * 1000 + number, workers, bool(number // 6 % 2), trains, "kill", bool(number % 2)))
    return found


def tried(fault: Fault, whole: Sequence[str]) -> dict[str, Any]:
    """What one job said, and what was left when it had ended."""
    before = set(shared())
    done = subprocess.run([*LINE, json.dumps(asdict(fault))], capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    after, until = set(shared()) - before, time.monotonic() + 10
    # Whatever others on this machine make and remove meanwhile is gone after a while.
    while after and time.monotonic() < until:
        time.sleep(0.1)
        after &= set(shared())
    exact = found.pop("seen") == list(whole)
    return {
        **asdict(fault),
        **found,
        "after": sorted(after),
        "exact": exact,
        "named": bool(NAMED.search(found["said"])),
    }


def interrupted(workers: int, trains: bool, seed: int) -> dict[str, Any]:
    """Ctrl-C, as a terminal sends it: to the job and all its workers."""
    fault, before = Fault(seed, workers, False, trains, "interrupt"), set(shared())
    line = [*LINE, json.dumps(asdict(fault))]
    job = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert job.stdout is not None
    job.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.5))
    began = time.monotonic()
    os.killpg(job.pid, signal.SIGINT)
    _, said = job.communicate(timeout=60)
    took = time.monotonic() - began
    time.sleep(0.2)
    try:
        os.killpg(job.pid, 0)
        alive = True
    except ProcessLookupError:
        alive = False
    last = said.strip().splitlines()[-1] if said.strip() else ""
    left = sorted(set(shared()) - before)
    return {"workers": workers, "trains": trains, "took_s": took, "alive": alive, "said": last, "after": left}


def main(arguments: list[str]) -> None:
    """All of it, as JSON."""
    whole = _whole()
    kills = [tried(fault, whole) for fault in faults(int(arguments[0]) if arguments else 20)]
    struck = [one for one in kills if one["said"]]
    ends = [tried(Fault(3, 2, how=how), whole) for how in ("exit", "memory", "error")]
    breaks = [interrupted(workers, trains, workers) for workers in (0, 2) for trains in (False, True)]
    found = {
        "kills": len(kills),
        "noticed": len(struck),
        "not_needed_any_more": len(kills) - len(struck),
        "named": sum(one["named"] for one in struck),
        "before_any_read": sum(EARLY in one["said"] for one in struck),
        "exact": sum(one["exact"] for one in kills + ends),
        "latest_s": max(one["late_s"] for one in struck),
        "left_in_shared_memory": sum(len(one["after"]) + len(one["left"]["shared"]) for one in kills + ends),
        "left_processes_and_threads": sum(
            len(one["left"][n]) for one in struck + ends for n in ("processes", "threads")
        ),
        "gone_s": max(one["gone_s"] for one in struck),
        "interrupted_s": max(one["took_s"] for one in breaks),
        "interrupted_alive": sum(one["alive"] for one in breaks),
    }
    results.write("killed", {**found, "jobs": kills, "ends": ends, "interrupted": breaks})


def _whole() -> list[str]:
    """What a job sees that nothing happens to: each epoch's batches."""
    found: list[str] = []
    state = None
    for _ in range(EPOCHS):
        epoch = list(steps(CASE, 1, 0, state))
        state = epoch[-1].states[0]
        found += [step.batches[0].sha256 for step in epoch]
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
