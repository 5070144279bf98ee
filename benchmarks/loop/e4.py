"""Made scratches judged from outside: a network that never saw a real image looks for real scratches.

python -m benchmarks.loop.e4 [seeds=5] [rows=report] [data=DIR] [jobs=2] [out=FILE.json]

Every background is made: strips as `examples/make_material.py` draws them. `procedural`: steel/scratches as it comes;
`as X-SDD`: with the settings that its own comment gives for X-SDD; `residual donors`: real scratches of the training
part, less their background, pasted by steel/paste; `real`: real images of the training part instead, to know what the
network can do.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from scipy.stats import rankdata

from benchmarks.loop import runs, steel
from benchmarks.loop.judge import Judged, bar, points, stacked
from benchmarks.loop.network import probabilities, trained
from benchmarks.loop.painting import RECIPES
from benchmarks.loop.pictures import measured
from sliceforge.engine import load
from sliceforge.engine.loop.rows.known import values

EPOCHS, COUNT, REPLICATES = 15, 300, 1000
CLASS, TELLING = "surface scratch", 20
"""The class, and how far from chance, in points, the AUC of an attribute is of which more is said."""

ARMS = ("procedural", "as X-SDD", "residual donors", "real")
LIGHT, SPREAD = 130.0, (3.0, 8.0)
"""Grey levels of a background: its mean, and its standard deviation, as of calm training images."""


class Job(NamedTuple):
    """One seed, all arms."""

    data: str
    rows: str
    seed: int


def backgrounds(count: int, seed: int) -> np.ndarray:
    """(count, SIDE, SIDE) uint8 of made strips, from every coil."""
    from examples.make_material import COILS, strip

    generator, out = np.random.default_rng([14, seed]), []
    for number in range(count):
        whole = strip(list(COILS)[number % len(COILS)], 1000 + number + count * seed)[:, :, 0].astype(np.float64)
        at = generator.integers(0, whole.shape[0] - steel.SIDE, 2)
        own = whole[at[0] : at[0] + steel.SIDE, at[1] : at[1] + steel.SIDE]
        own = (own - own.mean()) / own.std() * generator.uniform(*SPREAD) + LIGHT
        out.append(np.clip(np.rint(own), 0, 255).astype(np.uint8))
    return np.stack(out)


def made(arm: str, plain: np.ndarray, train: steel.Strips, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, SIDE, SIDE) uint8 and (N,) 1 where there is a scratch."""
    scratch = train.label == train.names.index(CLASS)
    if arm == "real":
        others = np.random.default_rng([15, seed]).choice(np.flatnonzero(~scratch), int(scratch.sum()), replace=False)
        return np.concatenate([train.pixels[scratch], train.pixels[others]]), np.repeat([1, 0], scratch.sum())
    with tempfile.TemporaryDirectory() as folder:
        banks: dict[str, str] | None = None
        name, overrides = "steel/scratches", RECIPES[CLASS][1] if arm == "as X-SDD" else ()
        if arm == "residual donors":
            name, overrides, banks = "steel/paste", ("steps.paste.residual=true",), {"donors": folder}
            (Path(folder) / "scratch").mkdir()
            for number, image in enumerate(train.pixels[scratch]):
                Image.fromarray(image).save(Path(folder) / "scratch" / f"{number}.png")
        recipe, half = load(name, *overrides), plain[::2]
        items = [recipe(image, id=f"strip {at}", seed=seed, banks=banks) for at, image in enumerate(half)]
    return np.concatenate([np.stack(items), plain[1::2]]), np.repeat([1, 0], [len(half), len(plain) - len(half)])


def one(job: Job) -> dict[str, np.ndarray]:
    """What each arm's network holds a scratch's probability to be, (N,) of the rows."""
    data = Path(job.data)
    train, asked = steel.part(data, "train"), steel.part(data, job.rows)
    plain, x, found = backgrounds(COUNT, job.seed), steel.features(asked.pixels), {}
    for arm in ARMS:
        pixels, y = made(arm, plain, train, job.seed)
        found[arm] = probabilities(trained(steel.features(pixels), y, 2, EPOCHS, job.seed), x)[:, 1]
    return found


def auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """How often a real scratch scores above something else (Mann and Whitney)."""
    ranks, inside = rankdata(scores), int(positive.sum())
    return float((ranks[positive].sum() - inside * (inside + 1) / 2) / (inside * (len(scores) - inside)))


def aucs(scores: np.ndarray, positive: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    """Mean AUC over seeds (S, N) on some rows, with a 95 % interval over images: each side is drawn for itself."""
    scores, positive = scores[:, rows], positive[rows]
    generator, draws = np.random.default_rng(16), []
    sides = np.flatnonzero(positive), np.flatnonzero(~positive)
    for _ in range(REPLICATES):
        at = np.concatenate([generator.choice(side, len(side)) for side in sides])
        draws.append(np.mean([auc(line[at], positive[at]) for line in scores]))
    return points(float(np.mean([auc(line, positive) for line in scores])), *np.quantile(draws, [0.025, 0.975]))


def apart(train: steel.Strips) -> list[dict[str, Any]]:
    """How well each measured attribute alone tells made scratches from the training part's: AUC, and where both lie."""
    plain, found = backgrounds(COUNT, 0), []
    real = measured(train.pixels[train.label == train.names.index(CLASS)])
    for arm in ARMS[:-1]:
        pixels, y = made(arm, plain, train, 0)
        scratched = measured(pixels[y == 1])
        for name in real.column_names:
            own, other = (values(some[name]) for some in (scratched, real))
            if len(own) and len(other):
                score = auc(np.concatenate([own, other]), np.arange(len(own) + len(other)) < len(own))
                ends = {"made": lies(own), "real": lies(other)}
                found.append({"arm": arm, "attribute": name, "auc": round(100 * score, 1), **ends})
    return [one for one in found if abs(one["auc"] - 50) >= TELLING]


def lies(numbers: np.ndarray) -> list[float]:
    """Where 5, 50 and 95 % of some numbers lie."""
    return [float(f"{end:.4g}") for end in np.quantile(numbers, [0.05, 0.5, 0.95])]


def told(asked: steel.Strips, train: steel.Strips, found: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """AUC and accuracy against every other class."""
    positive, scores = asked.label == asked.names.index(CLASS), stacked(found)
    others = [name for name in asked.names if name != CLASS]
    against = {"everything else": np.ones(len(asked), bool)}
    against |= {name: positive | (asked.label == asked.names.index(name)) for name in others}
    gains = [
        {"slice": f"AUC against {name}", "base": "chance (50)", "arm": arm, **aucs(scores[arm], positive, rows)}
        for name, rows in against.items()
        for arm in ARMS
    ]
    slices = {"scratches": positive, "everything else": ~positive}
    slices |= {name: asked.label == asked.names.index(name) for name in others}
    losses = {arm: ((values > 0.5) != positive).astype(float) for arm, values in scores.items()}
    accuracy = Judged(asked.ids, asked.block, slices, losses).accuracy()
    bars = [
        {
            **bar(f"AUC of {line['arm']} against everything else: all of its interval", line, 50),
            "met": line["low"] >= 50,
        }
        for line in gains[: len(ARMS) - 1]
    ]
    return {
        "name": "real X-SDD scratches, seen by networks of made ones",
        "seeds": len(found),
        "epochs": EPOCHS,
        "accuracy": accuracy,
        "gains": gains,
        "bars": bars,
        "verdicts": [],
        "apart": apart(train),
    }


def main(words: list[str]) -> None:
    """Train, judge, write."""
    given = runs.settings(words, {"seeds": "5", "rows": "report", "out": ""})
    jobs = [Job(given["data"], given["rows"], seed) for seed in range(int(given["seeds"]))]
    found = runs.spread(one, jobs, given)
    asked, train = (steel.part(Path(given["data"]), name) for name in (given["rows"], "train"))
    runs.written("e4", given, {"conditions": [told(asked, train, found)]})


if __name__ == "__main__":
    main(sys.argv[1:])
