"""Two hundred epochs of a loader: does the training process, or a worker, grow?

python -m benchmarks.memory [EPOCHS]

Sound and images of the built-in material, without workers, with two that each epoch starts anew, and with two that
stay. At the end of each epoch: resident memory in MiB of the training process and of its workers, its open files, its
threads, and shared memory by name. Of memory a line is fitted over the second half of the epochs, MiB for an epoch; of
the others, the most of each half is kept.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from benchmarks.loader import results
from benchmarks.loader.victim import shared
from sliceforge.engine import Augment, Share, SliceDataset, load

EPOCHS, WORKERS = 200, 2
RECIPES = {"sound": "speech/car_noise", "images": "steel/scratches"}
LOADERS: dict[str, dict[str, Any]] = {
    "no workers": {},
    "workers anew": {"num_workers": WORKERS},
    "workers that stay": {"num_workers": WORKERS, "persistent_workers": True},
}


def resident(process: int | str) -> float:
    """Resident memory of a process, MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def slope(values: list[float]) -> float:
    """MiB for an epoch, over the second half."""
    half = values[len(values) // 2 :]
    return float(np.polyfit(np.arange(len(half)), half, 1)[0])


def counted() -> dict[str, int]:
    """What this process has open."""
    return {
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "processes": len(multiprocessing.active_children()),
        "shared_memory": len(shared()),
    }


def once(kind: str, loader: str, epochs: int) -> dict[str, Any]:
    """One training job, in this process."""
    more = {"size": 128} if kind == "images" else {}
    dataset = SliceDataset(None, [Share(load(RECIPES[kind]), share=0.5)], 7, **more)
    feed = Augment(dataset)(DataLoader(dataset, 4, shuffle=True, collate_fn=dataset.collate, **LOADERS[loader]))
    whole: list[float] = []
    workers: list[float] = []
    counts = []
    for _ in range(epochs):
        for _ in feed:
            pass
        whole.append(resident("self"))
        workers.append(sum(resident(child.pid or 0) for child in multiprocessing.active_children()))
        counts.append(counted())
    found = {"first_mib": whole[0], "half_mib": whole[epochs // 2], "last_mib": whole[-1], "slope": slope(whole)}
    if "persistent_workers" in LOADERS[loader]:
        found |= {"workers_first_mib": workers[0], "workers_last_mib": workers[-1], "workers_slope": slope(workers)}
    halves = counts[: epochs // 2], counts[epochs // 2 :]
    first, last = ({name: max(one[name] for one in half) for name in counts[0]} for half in halves)
    return {**found, "counts_first": first, "counts_last": last, "epochs": epochs}


def main(arguments: list[str]) -> None:
    """Each in a process of its own, as JSON."""
    epochs = int(arguments[0]) if arguments else EPOCHS
    if arguments[1:]:
        print(json.dumps(once(arguments[1], arguments[2], epochs)))
        return
    found: dict[str, Any] = {}
    for kind in RECIPES:
        for loader in LOADERS:
            line = [sys.executable, "-m", "benchmarks.memory", str(epochs), kind, loader]
            done = subprocess.run(line, capture_output=True, check=True, text=True)
            found[f"{kind}, {loader}"] = json.loads(done.stdout)
    results.write("memory", found)


if __name__ == "__main__":
    main(sys.argv[1:])
