"""Steel in too little light: what each kind of made items gives on images of an under-exposed line camera.

python -m benchmarks.loop.e2 [seeds=5] [rows=report] [data=DIR] [jobs=2] [out=FILE.json]

The camera is `line_scan.py`'s simulation. `engine` sees under-exposed images of the tune rows and measures them, by
which the loop's own matching sets the ranges of steel/line_scan; `oracle` is the simulation itself on training images;
`defaults` is steel/line_scan as it comes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.loop import runs, steel
from benchmarks.loop.judge import Asked, Judged, bar, stacked
from benchmarks.loop.line_scan import under_exposed
from benchmarks.loop.network import losses, trained
from benchmarks.loop.pictures import generic, matching, recipe_made, rows_of

EPOCHS, PER_CLASS, SHARE = 20, 60, 1.5
ARMS = ("none", "oversample", "generic", "defaults", "engine", "oracle")
DARK = "under-exposed"


class Job(NamedTuple):
    """One seed, all arms."""

    data: str
    rows: str
    seed: int
    arms: tuple[str, ...]


def asked(data: Path, rows: str) -> Asked:
    """The same for every seed and arm."""
    own = steel.part(data, rows)
    pixels = np.concatenate([own.pixels, under_exposed(own.pixels, {"tune": 1, "report": 2}[rows])])
    dark, label = np.arange(len(pixels)) >= len(own), np.tile(own.label, 2)
    slices = {"as it is": ~dark, DARK: dark}
    slices |= {f"{name}, {DARK}": dark & (label == at) for at, name in enumerate(own.names)}
    slices |= {f"{name}, as it is": ~dark & (label == at) for at, name in enumerate(own.names)}
    ids = np.concatenate([own.ids, np.char.add(own.ids, "/dark")])
    return Asked(steel.features(pixels), label, ids, np.tile(own.block, 2), slices)


def overrides(data: Path, there: steel.Strips) -> tuple[str, ...]:
    """The recipe's ranges, from what is measured of the under-exposed tune images and of the training images."""
    return matching(under_exposed(steel.part(data, "tune").pixels, 1), there)


def made(arm: str, there: steel.Strips, seed: int, data: Path) -> np.ndarray:
    """(count, H, W) uint8 of made items, whose labels are those of `rows_of`."""
    rows = rows_of(there, round(SHARE * len(there)))
    pixels, ids = there.pixels[rows], there.ids[rows]
    if arm == "oversample":
        return pixels
    if arm == "generic":
        return generic(pixels, np.random.default_rng([7, seed]))
    if arm == "oracle":
        return under_exposed(pixels, 1000 + seed)
    ranges = overrides(data, there) if arm == "engine" else ()
    return recipe_made("steel/line_scan", ranges, pixels, list(ids), seed)


def pool(data: Path, seed: int) -> steel.Strips:
    """The images that train."""
    train = steel.part(data, "train")
    return steel.drawn(train, dict.fromkeys(range(len(train.names)), PER_CLASS), np.random.default_rng([8, seed]))


def one(job: Job) -> dict[str, np.ndarray]:
    """Losses (N,) of each arm on the rows."""
    data = Path(job.data)
    there, questions, found = pool(data, job.seed), asked(data, job.rows), {}
    own = steel.features(there.pixels)
    for arm in job.arms:
        x, y = own, there.label
        if arm != "none":
            more = steel.features(made(arm, there, job.seed, data))
            x, y = np.concatenate([own, more]), np.concatenate([y, y[rows_of(there, len(more))]])
        found[arm] = losses(trained(x, y, len(there.names), EPOCHS, job.seed), questions.x, questions.y)
    return found


def told(questions: Asked, found: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Everything that is said of the arms."""
    judged = Judged(questions.ids, questions.cluster, questions.slices, stacked(found))
    pairs = [("none", "engine"), ("oversample", "engine"), ("generic", "engine"), ("oracle", "engine")]
    pairs += [("defaults", "engine"), ("none", "oracle"), ("none", "generic")]
    gains = {pair: judged.gains(*pair) for pair in pairs}
    classes = [line for line in gains["none", "engine"] if line["slice"].endswith((", as it is", f", {DARK}"))]
    worst = min(classes, key=lambda line: float(line["high"]))
    bars = [
        bar(
            "under-exposed: percent of the way from generic to the oracle",
            judged.share(DARK, "generic", "engine", "oracle"),
            50,
        ),
        {
            **bar(f"no class shown to be down against none: upper end for {worst['slice']}, the worst", worst, 0),
            "met": worst["high"] >= 0,
        },
    ]
    return {
        "name": "X-SDD under-exposed",
        "seeds": len(found),
        "epochs": EPOCHS,
        "accuracy": judged.accuracy(),
        "gains": [line for lines in gains.values() for line in lines],
        "bars": bars,
        "verdicts": [judged.verdict(base, "engine", DARK) for base in ("none", "oversample", "generic")],
    }


def main(words: list[str]) -> None:
    """Train every arm, judge them, and write what came out."""
    given = runs.settings(words, {"seeds": "5", "rows": "report", "out": ""})
    data = Path(given["data"])
    jobs = [Job(given["data"], given["rows"], seed, ARMS) for seed in range(int(given["seeds"]))]
    found = runs.spread(one, jobs, given)
    given["out"] = given["out"] or ("" if given["rows"] == "report" else str(runs.RESULTS / "e2_tune.json"))
    runs.written("e2", given, {"conditions": [told(asked(data, given["rows"]), found)]})


if __name__ == "__main__":
    main(sys.argv[1:])
