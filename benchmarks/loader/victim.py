"""A training job whose loader worker dies: what it is told, when, what is left, and whether it goes on.

python -m benchmarks.loader.victim SETTINGS

SETTINGS is JSON, see `Fault`; prints JSON. `benchmarks.loader.killed` runs it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.loader.cases import Case, quiet, seen
from sliceforge.engine import making
from sliceforge.engine.feed import Feed

EPOCHS, STEPS = 2, 27
CASE = Case((1.0, 1.0), {"batch_size": 1}, {"extend": True})


SLOW_S = 0.02
"""What a read takes here, so that workers have something in hand for most of the time."""


@dataclass
class Fault:
    """What happens to one worker.

    Args:
        seed: of the moment and of the worker.
        workers, persistent: of the loader.
        trains: the consumer is busy with each batch, and not waiting all the time.
        how: kill (SIGKILL from outside), exit (`os._exit(3)`), memory or error (raised in a read); or interrupt, for
            which it says when it trains, and goes on and on.
        same: go on with the same loader, and not with a new one.
    """

    seed: int = 0
    workers: int = 2
    persistent: bool = False
    trains: bool = False
    how: str = "kill"
    same: bool = False


PATIENCE_S = 15
"""Seconds after which what is left of a lost loader counts as left for good."""


class Job:
    """What the job has seen so far."""

    def __init__(self, fault: Fault) -> None:
        self.fault, self.chance = fault, random.Random(fault.seed)
        self.struck = self.asked = self.raised = 0.0
        self.reads, self.fatal = 0, self.chance.randrange(1, 9)
        self.seen: list[str] = []
        self.plain = making.parent

    def strike(self) -> None:
        """Kill a worker at a moment of the first two epochs."""
        time.sleep(self.chance.uniform(0, 1.6 * SLOW_S * STEPS / (1 if self.fault.trains else self.fault.workers)))
        while not (workers := multiprocessing.active_children()):
            time.sleep(0.001)
        worker = self.chance.choice(sorted(workers, key=lambda one: one.pid or 0))
        os.kill(worker.pid or 0, signal.SIGKILL)
        self.struck = time.monotonic()

    def slow(self, recipe: Any, root: Path, row: Any) -> Any:
        """A read that takes a while, and that ends badly in a worker where that is the fault."""
        time.sleep(SLOW_S)
        self.reads += 1
        if multiprocessing.parent_process() is not None and self.reads == self.fatal:
            if self.fault.how == "exit":
                os._exit(3)
            if self.fault.how == "memory":
                raise MemoryError
            if self.fault.how == "error":
                raise OSError(5, "Input/output error", str(row["path"]))
        return self.plain(recipe, root, row)

    def train(self, feed: Feed) -> str:
        """Go on to the end of the last epoch, or to an error: its text."""
        self.asked = time.monotonic()
        try:
            while len(self.seen) < STEPS * EPOCHS:
                for batch in feed:
                    self.seen.append(seen(batch).sha256)
                    if self.fault.how == "interrupt":
                        print("trains", flush=True)
                        self.seen.clear()
                    if self.fault.trains:
                        time.sleep(SLOW_S)
                    self.asked = time.monotonic()
        except Exception as error:
            self.raised = time.monotonic()
            return f"{type(error).__name__}: {error}"
        return ""

    def run(self) -> dict[str, Any]:
        """Train, be struck, look at what is left, go on."""
        fault = self.fault
        more = {"persistent_workers": fault.persistent} if fault.workers else {}
        making.parent = self.slow
        feed = CASE.feed(workers=fault.workers, **more)
        before = held()
        if fault.how == "kill":
            threading.Thread(target=self.strike, daemon=True).start()
        said = self.train(feed)
        fault.how, steps, state = "", len(self.seen), feed.state_dict()
        late = self.raised - max(self.struck, self.asked)
        told, left = time.monotonic(), _left(before)
        while said and any(left.values()) and time.monotonic() - told < PATIENCE_S:
            time.sleep(0.05)
            left = _left(before)
        gone = time.monotonic() - told
        if not fault.same:
            feed = CASE.feed(workers=fault.workers, **more)
        feed.load_state_dict(state)
        again = self.train(feed) if said else ""
        found = {"said": said, "late_s": late, "steps": steps, "left": left, "gone_s": gone}
        return found | {"again": again, "seen": self.seen}


def _left(before: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: sorted(set(now) - set(before[name])) for name, now in held().items()}


def shared() -> list[str]:
    """Shared memory by name, but for semaphores: those of forked workers have no name, others are of other jobs."""
    return [one.name for one in Path("/dev/shm").iterdir() if not one.name.startswith("sem.")]


def held() -> dict[str, list[str]]:
    """What this process has: shared memory by name, child processes, threads but for those that make items."""
    return {
        "shared": shared(),
        "processes": [str(one.pid) for one in multiprocessing.active_children()],
        "threads": [one.name for one in threading.enumerate() if not one.name.startswith("sliceforge_")],
    }


def main(arguments: list[str]) -> None:
    """One fault, as JSON."""
    quiet()
    print(json.dumps(Job(Fault(**json.loads(arguments[0]))).run()))


if __name__ == "__main__":
    main(sys.argv[1:])
