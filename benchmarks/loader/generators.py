"""Does the loader touch a global generator: torch's, numpy's or Python's?

python -m benchmarks.loader.generators

States before and after each thing that a training job does; prints JSON, what changed where.
"""

from __future__ import annotations

import hashlib
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.random import mtrand

from benchmarks.loader import results
from benchmarks.loader.cases import Case, quiet, recipe
from sliceforge.engine.stage import Stage


def states() -> dict[str, str]:
    """A hash of each global generator's state."""
    told: dict[str, Any] = {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": mtrand.get_state(),
        "random": random.getstate(),
    }
    return {name: hashlib.sha256(pickle.dumps(state)).hexdigest() for name, state in told.items()}


def changed(act: Callable[[], object]) -> list[str]:
    """The generators whose states are others after something was done."""
    before = states()
    act()
    return [name for name, state in states().items() if state != before[name]]


def two_epochs(case: Case, workers: int, persistent: bool = False) -> None:
    """Through a feed, with a state taken and loaded between them."""
    more = {"persistent_workers": True} if persistent else {}
    feed = case.feed(workers=workers, **more)
    for _ in range(2):
        for _ in feed:
            feed.load_state_dict(feed.state_dict())


def acts() -> dict[str, Callable[[], object]]:
    """What is done."""
    mapped, stream = Case((0.5, 0.3)), Case((0.5, 0.3), stream=True)
    dataset, stage = mapped.dataset(), Stage(recipe("speech/car_noise"), share=1.0, seed=7)
    row = {"id": ["a"], "audio": [{"array": np.sin(np.arange(16000) / 10), "sampling_rate": 16000}]}
    return {
        "construction": mapped.dataset,
        "a feed": lambda: two_epochs(mapped, 0),
        "a feed, 2 workers": lambda: two_epochs(mapped, 2),
        "a feed, 2 workers that stay": lambda: two_epochs(mapped, 2, True),
        "a stream": lambda: two_epochs(stream, 0),
        "a stream, 2 workers": lambda: two_epochs(stream, 2),
        "again": lambda: dataset.again(dataset[0].row["id"]),
        "a stage": lambda: stage.rows(row),
    }


def main() -> None:
    """All of it, as JSON."""
    quiet()
    results.write("generators", {name: changed(act) for name, act in acts().items()})


if __name__ == "__main__":
    main()
