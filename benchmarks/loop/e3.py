"""A scarce class: six images of it, and what is done about that, for each class in turn.

python -m benchmarks.loop.e3 [seeds=3] [rows=report] [data=DIR] [jobs=2] [out=FILE.json]

`seeds` splits of each of the seven classes: 6 images of the cut class and up to 60 of the others train, and 24 more of
the cut class, at most four for each there is, are added by each arm. `engine` takes what the loop's trial chooses of
nothing, oversample, generic, geometry and procedural, by tune rows and other networks than those that report.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from benchmarks.loop import runs, steel
from benchmarks.loop.judge import bar, points
from benchmarks.loop.network import probabilities, trained
from benchmarks.loop.painting import painted
from benchmarks.loop.pictures import generic, recipe_made
from sliceforge.engine.loop.halving import Choice, choose
from sliceforge.engine.loop.rung import NOTHING, OVERSAMPLE, Candidate

EPOCHS, FEW, OTHERS, MADE = 15, 6, 60, 24
ARMS = ("none", "oversample", "generic", "geometry", "procedural", "real items back")
CANDIDATES = ARMS[:-1]
TRIED, REPORTED = 3, 2
"""Networks of each arm that the trial judges on tune rows, and others that report."""


class Job(NamedTuple):
    """One split."""

    data: str
    rows: str
    cut: int
    seed: int


class Found(NamedTuple):
    """Arm → probabilities (networks, N, C) float16 of tune rows, and of the rows asked for; the last two report."""

    tune: dict[str, np.ndarray]
    asked: dict[str, np.ndarray]


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


def tried(found: Found, tune: steel.Strips, cut: int) -> Choice:
    """What the loop's trial chooses, as it does for a slice that is scarce: tune rows, by blocks of neighbours."""
    own = tune.label == cut

    def losses(candidate: Candidate, seed: int) -> dict[str, np.ndarray]:
        arm = ARMS[0] if candidate.name == NOTHING else candidate.name
        wrong = found.tune[arm][seed].argmax(axis=1) != tune.label
        return {
            name: np.bincount(np.unique(tune.block[rows], return_inverse=True)[1], wrong[rows]) / rows.sum()
            for name, rows in (("cut class", own), ("the others", ~own))
        }

    made = [Candidate(name, cost) for cost, name in enumerate(CANDIDATES[2:])]
    return choose(lambda wanted: [losses(*one) for one in wanted], made, "cut class", default=OVERSAMPLE)


def one(job: Job) -> Found:
    """Train the arms of a split: what the trial may judge on tune rows, and others that report."""
    data = Path(job.data)
    train = steel.part(data, "train")
    generator = np.random.default_rng([11, job.cut, job.seed])
    counts = dict.fromkeys(range(len(train.names)), OTHERS)
    pool = steel.drawn(train, counts | {job.cut: FEW}, generator)
    left = train.where((train.label == job.cut) & ~np.isin(train.ids, pool.ids))
    spare, own = left.pixels[generator.permutation(len(left))], steel.features(pool.pixels)
    tune, asked = (steel.features(steel.part(data, name).pixels) for name in ("tune", job.rows))
    found = Found({}, {})
    for arm in ARMS:
        items = own
        if arm != "none":
            items = np.concatenate([own, steel.features(added(arm, pool, spare, job.cut, job.seed))])
        label = np.concatenate([pool.label, np.full(len(items) - len(own), job.cut)])
        seeds = range(0 if arm in CANDIDATES else TRIED, TRIED + REPORTED)
        nets = [trained(items, label, len(pool.names), EPOCHS, 10 * job.seed + seed) for seed in seeds]
        for x, probable in ((tune, found.tune), (asked, found.asked)):
            probable[arm] = np.stack([probabilities(net, x) for net in nets]).astype(np.float16)
    return found


def over_splits(differences: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """The mean of paired differences in points, with Student's 95 % interval over the classes' means."""
    means = np.array([differences[classes == one].mean() for one in np.unique(classes)])
    half = stats.t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.inf
    middle = float(means.mean()) / 100
    return points(middle, middle - half / 100, middle + half / 100)


def told(
    jobs: list[Job], found: list[Found], chosen: list[Choice], asked: steel.Strips, names: tuple[str, ...]
) -> dict[str, Any]:
    """Everything that is said of the splits."""
    cuts = np.array([job.cut for job in jobs])
    right: dict[str, np.ndarray] = {}  # arm → (splits, 3)
    for arm in ARMS:
        wrong = [(one.asked[arm][-REPORTED:].argmax(axis=2) != asked.label).mean(axis=0) for one in found]
        right[arm] = np.array([by_class(one, asked.label, cut) for one, cut in zip(wrong, cuts, strict=True)])
    taken = [ARMS[0] if one.candidate.name == NOTHING else one.candidate.name for one in chosen]
    right["engine"] = np.array([right[arm][at] for at, arm in enumerate(taken)])
    accuracy: list[dict[str, Any]] = []
    gains: list[dict[str, Any]] = []
    for at, kind in enumerate(("the cut class", "the others", "all classes")):
        percent = {arm: [round(float(v), 2) for v in values[:, at]] for arm, values in right.items()}
        accuracy.append({"slice": f"{kind}, over the splits", "rows": len(jobs), "percent": percent})
        for base in ARMS:
            line = over_splits(right["engine"][:, at] - right[base][:, at], cuts)
            gains.append({"slice": kind, "base": base, "arm": "engine", **line})
    for cut in np.unique(cuts):
        percent = {arm: [round(float(v), 2) for v in values[cuts == cut, 0]] for arm, values in right.items()}
        accuracy.append({"slice": f"{names[cut]}, cut", "rows": int((cuts == cut).sum()), "percent": percent})
    return {
        "name": f"X-SDD, each class cut to {FEW}",
        "seeds": len(jobs) // len(np.unique(cuts)),
        "epochs": EPOCHS,
        "accuracy": accuracy,
        "gains": gains,
        "bars": bars({arm: values[:, 0] for arm, values in right.items()}, cuts),
        "splits_worse_than_oversampling_percent": round(
            100 * float((right["engine"][:, 0] - right["oversample"][:, 0] < -1).mean()), 1
        ),
        "verdicts": [],
        "chosen": [
            {"class": names[job.cut], "seed": job.seed, "chosen": arm, "reason": one.reason}
            for job, arm, one in zip(jobs, taken, chosen, strict=True)
        ],
    }


def bars(right: dict[str, np.ndarray], cuts: np.ndarray) -> list[dict[str, Any]]:
    """Of the cut class's percent right, arm → (splits,)."""
    means = {arm: float(right[arm].mean()) for arm in CANDIDATES}
    best = max(means, key=lambda arm: means[arm])
    versus, regret = (over_splits(right["engine"] - right[arm], cuts) for arm in ("oversample", best))
    return [
        bar("the cut class: against oversampling, mean over splits", versus, -1),
        bar(f"the cut class: against the best single arm that needs no new images ({best})", regret, -2),
    ]


def main(words: list[str]) -> None:
    """Train every split, and write what came out."""
    given = runs.settings(words, {"seeds": "3", "rows": "report", "out": ""})
    data = Path(given["data"])
    names, tune, asked = steel.strips(data).names, steel.part(data, "tune"), steel.part(data, given["rows"])
    seeds = range(int(given["seeds"]))
    jobs = [Job(given["data"], given["rows"], cut, seed) for seed in seeds for cut in range(len(names))]
    found = runs.spread(one, jobs, given)
    chosen = [tried(one, tune, job.cut) for job, one in zip(jobs, found, strict=True)]
    runs.written("e3", given, {"conditions": [told(jobs, found, chosen, asked, names)]})


if __name__ == "__main__":
    main(sys.argv[1:])
