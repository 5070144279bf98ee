"""A scarce class: six images of it, and what is done about that, for each class in turn.

python -m benchmarks.loop.e3 [seeds=3] [rows=report] [data=DIR] [jobs=2] [out=FILE.json]

`seeds` splits of each of the seven classes: 6 images of the cut class and up to 60 of the others train, and 24 more of
the cut class, at most four for each there is, are added by each arm. `engine` takes what successive halving on the tune
rows chooses of nothing, oversample, generic, geometry and procedural.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats
from torch.nn import Sequential

from benchmarks.loop import runs, steel
from benchmarks.loop.judge import bar, points
from benchmarks.loop.network import losses, trained
from benchmarks.loop.painting import painted
from benchmarks.loop.pictures import generic, recipe_made
from sliceforge.engine.loop.halving import choose
from sliceforge.engine.loop.rung import Candidate

EPOCHS, FEW, OTHERS, MADE = 15, 6, 60, 24
ARMS = ("none", "oversample", "generic", "geometry", "procedural", "real items back")
CHOSEN_OF = ("generic", "geometry", "procedural")
RUNGS = ((0.4, 2), (1.0, 3))


class Job(NamedTuple):
    """One split."""

    data: str
    rows: str
    cut: int
    seed: int


class Found(NamedTuple):
    """Percent right of the cut class, of the other classes' mean and of all classes' mean, for each arm."""

    right: dict[str, tuple[float, float, float]]
    chosen: str
    reason: str


def added(arm: str, pool: steel.Strips, spare: np.ndarray, cut: int, seed: int) -> np.ndarray:
    """(MADE, H, W) uint8 of the cut class.

    Args:
        arm: one of `ARMS` but `none`.
        pool: what trains.
        spare: (M, H, W) real images of the class that were cut away.
        cut: the class.
        seed: of draws.
    """
    own = np.flatnonzero(pool.label == cut)
    rows = own[np.arange(MADE) % len(own)]
    if arm == "oversample":
        return pool.pixels[rows]
    if arm == "generic":
        return generic(pool.pixels[rows], np.random.default_rng([10, seed]))
    if arm == "geometry":
        return recipe_made("geometric", (), pool.pixels[rows], list(pool.ids[rows]), seed)
    if arm == "procedural":
        return painted(pool.names[cut], pool, MADE, seed)
    return spare[:MADE]


def by_class(wrong: np.ndarray, label: np.ndarray, cut: int) -> tuple[float, float, float]:
    """Percent right of the cut class, of the mean of the others, and of the mean of all classes."""
    right = [100 * (1 - float(wrong[label == one].mean())) for one in np.unique(label)]
    others = [value for at, value in enumerate(right) if at != cut]
    return right[cut], float(np.mean(others)), float(np.mean(right))


def one(job: Job) -> Found:
    """Train the arms of a split, and let the engine choose."""
    data = Path(job.data)
    train, asked = steel.part(data, "train"), steel.part(data, job.rows)
    generator = np.random.default_rng([11, job.cut, job.seed])
    counts = dict.fromkeys(range(len(train.names)), OTHERS)
    pool = steel.drawn(train, counts | {job.cut: FEW}, generator)
    left = train.where((train.label == job.cut) & ~np.isin(train.ids, pool.ids))
    spare, own = left.pixels[generator.permutation(len(left))], steel.features(pool.pixels)

    @cache
    def more(arm: str) -> np.ndarray:
        return steel.features(added(arm, pool, spare, job.cut, job.seed))

    @cache
    def network(arm: str, seed: int, epochs: float) -> Sequential:
        items = own if arm == "none" else np.concatenate([own, more(arm)])
        label = np.concatenate([pool.label, np.full(len(items) - len(own), job.cut)])
        return trained(items, label, len(pool.names), epochs, seed)

    x, first = steel.features(asked.pixels), 10 * job.seed
    right = {arm: by_class(losses(network(arm, first, EPOCHS), x, asked.label), asked.label, job.cut) for arm in ARMS}
    tune = steel.part(data, "tune")
    on_tune = steel.features(tune.pixels)

    def trial(candidate: Candidate, seed: int, resource: float) -> dict[str, float]:
        arm = "none" if candidate.name == "nothing" else candidate.name
        wrong = losses(network(arm, seed, EPOCHS * resource), on_tune, tune.label)
        weak, rest, _ = by_class(wrong, tune.label, job.cut)
        return {"cut class": 1 - weak / 100, "the others": 1 - rest / 100}

    candidates = [Candidate(name, cost) for cost, name in enumerate(CHOSEN_OF, 1)]
    choice = choose(trial, candidates, "cut class", rungs=RUNGS, seed=first)
    name = "none" if choice.candidate.name == "nothing" else choice.candidate.name
    right["engine"] = right[name]
    return Found(right, name, choice.reason)


def over_splits(differences: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """The mean of paired differences in points, with Student's 95 % interval over the classes' means."""
    means = np.array([differences[classes == one].mean() for one in np.unique(classes)])
    half = stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.inf
    middle = float(means.mean()) / 100
    return points(middle, middle - half / 100, middle + half / 100)


def told(jobs: list[Job], found: list[Found], names: tuple[str, ...]) -> dict[str, Any]:
    """Everything that is said of the splits."""
    classes = np.array([job.cut for job in jobs])
    right = {arm: np.array([one.right[arm] for one in found]) for arm in found[0].right}  # (splits, 3)
    accuracy: list[dict[str, Any]] = []
    gains: list[dict[str, Any]] = []
    for at, kind in enumerate(("the cut class", "the others", "all classes")):
        percent = {arm: [round(float(v), 2) for v in values[:, at]] for arm, values in right.items()}
        accuracy.append({"slice": f"{kind}, over the splits", "rows": len(jobs), "percent": percent})
        for base in ARMS:
            line = over_splits(right["engine"][:, at] - right[base][:, at], classes)
            gains.append({"slice": kind, "base": base, "arm": "engine", **line})
    for cut in np.unique(classes):
        percent = {arm: [round(float(v), 2) for v in values[classes == cut, 0]] for arm, values in right.items()}
        accuracy.append({"slice": f"{names[cut]}, cut", "rows": int((classes == cut).sum()), "percent": percent})
    versus = next(line for line in gains if line["slice"] == "the cut class" and line["base"] == "oversample")
    means = {arm: float(right[arm][:, 0].mean()) for arm in ARMS if arm != "real items back"}
    best = max(means, key=lambda arm: means[arm])
    regret = over_splits(right["engine"][:, 0] - right[best][:, 0], classes)
    lost = right["engine"][:, 0] - right["oversample"][:, 0]
    worse = round(100 * float((lost < -1).mean()), 1)
    return {
        "name": f"X-SDD, each class cut to {FEW}",
        "seeds": len(jobs) // len(np.unique(classes)),
        "epochs": EPOCHS,
        "accuracy": accuracy,
        "gains": gains,
        "bars": [
            bar("the cut class: against oversampling, mean over splits", versus, -1),
            bar(f"the cut class: against the best single arm that needs no new images ({best})", regret, -2),
        ],
        "splits_worse_than_oversampling_percent": worse,
        "verdicts": [],
        "chosen": [
            {"class": names[job.cut], "seed": job.seed, "chosen": one.chosen, "reason": one.reason}
            for job, one in zip(jobs, found, strict=True)
        ],
    }


def main(words: list[str]) -> None:
    """Train every split, and write what came out."""
    given = runs.settings(words, {"seeds": "3", "rows": "report", "out": ""})
    names = steel.strips(Path(given["data"])).names
    seeds = range(int(given["seeds"]))
    jobs = [Job(given["data"], given["rows"], cut, seed) for seed in seeds for cut in range(len(names))]
    found = runs.spread(one, jobs, given)
    runs.written("e3", given, {"conditions": [told(jobs, found, names)]})


if __name__ == "__main__":
    main(sys.argv[1:])
