"""How often `verify` accepts what is only another seed, and a gain that is there: the two bars, by simulation.

python -m benchmarks.loop.verify [repeats=400] [replicates=500] [out=FILE.json]

An evaluation set of 3 000 rows: a weak slice of 300 and eleven of 100 to 1 000 that overlap. A row has a difficulty; a
model is wrong where difficulty + the seed's noise on the row + the seed's swing on its slice is above 0. Two models of
different seeds then disagree as networks do, and are wrong together far more often than by chance. `swing` is the
standard deviation, in points, of what a seed does to a whole slice: what one model of each cannot know. Beside the
rule that is used stands the one that is not: no other slice down by more than a point in the point estimate.
Prints JSON, with the time of one verdict on 5 000 rows × 5 seeds × 12 slices.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from benchmarks.loop.runs import RESULTS
from sliceforge.engine.bench import machine
from sliceforge.engine.loop.verify.pairs import Pairs
from sliceforge.engine.loop.verify.verdict import MARGIN, verify

RESULT = RESULTS / "verify.json"
ROWS, WEAK, OTHERS = 3000, 300, (100, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000)
WRONG, WEAK_WRONG = 0.15, 0.30
GAINED, LOST = 0.15, 0.05
CLUSTERS, CLUSTER_SWING = 100, 3.0
"""Recordings of 30 rows each, on which a seed swings by so many points."""


def noise() -> float:
    """The seed's noise, against a difficulty of variance 1, that makes GAINED and LOST of the weak slice's rows."""
    both = WEAK_WRONG - GAINED
    limits = norm.ppf([WEAK_WRONG, WEAK_WRONG - GAINED + LOST])

    def over(rho: float) -> float:
        return float(multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf(limits)) - both

    return float(np.sqrt(1 / brentq(over, 0.01, 0.999) - 1))


NOISE = noise()


def slices(generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Name → rows: the first WEAK rows, and others taken anywhere."""
    found = {"weak": np.arange(ROWS) < WEAK}
    for number, size in enumerate(OTHERS):
        found[f"{number}: {size} rows"] = np.isin(np.arange(ROWS), generator.choice(ROWS, size, replace=False))
    return found


def models(
    generator: np.random.Generator, members: np.ndarray, wrong: np.ndarray, seeds: int, swing: float, cluster: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Losses before and after, (seeds, ROWS) each, and each row's recording, or None without clusters.

    `wrong` (2, ROWS) says how often a row like it is wrong, before and after.
    """
    scale = np.sqrt(1 + NOISE**2)
    difficulty = generator.normal(0, 1, ROWS)
    recording = generator.permutation(np.arange(ROWS) % CLUSTERS) if cluster else None
    found = []
    for chance in wrong:
        per_point = 0.01 * scale / norm.pdf(norm.ppf(chance))  # latent units of a point
        slice_swing = generator.normal(0, swing, (seeds, members.shape[1])) @ members.T
        value = difficulty + scale * norm.ppf(chance) + NOISE * generator.normal(0, 1, (seeds, ROWS))
        value = value + per_point * slice_swing
        if recording is not None:
            value = value + per_point * generator.normal(0, CLUSTER_SWING, (seeds, CLUSTERS))[:, recording]
        found.append((value > 0).astype(float))
    return found[0], found[1], recording


def tried(
    seeds: int,
    swing: float,
    *,
    repeats: int,
    replicates: int,
    gain: float = 0.0,
    harm: float = 0.0,
    cluster: bool = False,
) -> dict[str, Any]:
    """Shares of repeats in which either rule accepts; `harm` is what one other slice of 300 rows truly loses."""
    generator = np.random.default_rng(1)
    accepted = strict = shown = blocked = 0
    for repeat in range(repeats):
        named = slices(generator)
        members = np.stack(list(named.values()), axis=1)
        wrong = np.full((2, ROWS), WRONG)
        wrong[:, named["weak"]] = WEAK_WRONG
        wrong[1, named["weak"]] -= gain
        wrong[1, named["5: 300 rows"] & ~named["weak"]] += harm
        before, after, recording = models(generator, members, wrong, seeds, swing, cluster)
        pairs = Pairs(np.arange(ROWS), before, after, cluster=recording)
        verdict = verify(pairs, "weak", named, replicates=replicates, seed=repeat)
        shown += verdict.changes[0].says == "gained"
        accepted += verdict.decision == "accept"
        strict += verdict.changes[0].says == "gained" and all(c.gain >= -MARGIN for c in verdict.changes[1:])
        blocked += any(c.says == "lost" for c in verdict.changes[1:])
    found = {
        "seeds": seeds,
        "swing_points": swing,
        "clusters": CLUSTERS if cluster else 0,
        "gain_points": round(100 * gain, 1),
        "harm_points": round(100 * harm, 1),
        "repeats": repeats,
        "accepted_percent": round(100 * accepted / repeats, 2),
        "accepted_by_point_estimates_percent": round(100 * strict / repeats, 2),
        "gain_shown_percent": round(100 * shown / repeats, 2),
        "a_loss_shown_percent": round(100 * blocked / repeats, 2),
    }
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def seconds() -> float:
    """Median of five verdicts on 5 000 rows × 5 seeds × 12 slices with 10 000 replicates."""
    generator = np.random.default_rng(2)
    losses = (generator.random((2, 5, 5000)) < 0.2).astype(float)
    named = {f"{k}": generator.random(5000) < 0.1 for k in range(12)}
    pairs, times = Pairs(np.arange(5000), losses[0], losses[1]), []
    for _ in range(5):
        start = time.process_time()
        verify(pairs, "0", named)
        times.append(time.process_time() - start)
    return round(float(np.median(times)), 3)


def main(*arguments: str) -> None:
    """Run every case and write the result."""
    settings = {"repeats": "400", "replicates": "500", "out": str(RESULT), **dict(a.split("=", 1) for a in arguments)}
    size = {"repeats": int(settings["repeats"]), "replicates": int(settings["replicates"])}
    gain = GAINED - LOST
    cases = [
        tried(seeds, swing, **size) for seeds, swing in ((1, 0.0), (1, 1.0), (1, 3.0), (2, 1.0), (3, 1.0), (3, 3.0))
    ]
    cases += [tried(1, 0.0, cluster=True, **size)]
    cases += [tried(seeds, swing, gain=gain, **size) for seeds, swing in ((1, 0.0), (2, 0.5), (3, 0.5))]
    cases += [tried(seeds, 0.0, gain=gain, harm=0.1, **size) for seeds in (1, 3)]
    found = {"machine": machine(), **size, "cpu_seconds_of_a_verdict": seconds(), "cases": cases}
    Path(settings["out"]).write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
