"""False alarms of the label gate on hard slices with right labels, and hits on mislabelled ones, as JSON.

    python -m benchmarks.loop.slices [repeats=10] [data=DIR] [out=FILE.json]

Two sources, out-of-fold probabilities by five folds. `clouds`: those of benchmarks/loop/labels.py, 100 of 600 or 2000
items in the slice, which is hard because of noise on its traits, or because its classes lie nearer together. `digits`:
1000 spoken digits of the training part, of which 150 are the slice, in real noise or not, or one speaker's clips; a
softmax regression on log-mel means. Everywhere else 0 or 3 % of the labels are wrong. Rules: `estimate`, the rate
above 8 %; `halves`, the rate and the surer half's, as in benchmarks/loop/labels.py; `agrees`, that where the model
agrees with 75 % of the labels, or is as sure as elsewhere and wrong alike in the surer half; `gate`, that of the
engine, which asks where the contradictions are (`engine/loop/diagnose/noise.py`).
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from benchmarks.loop import digits, runs
from benchmarks.loop.labels import FOLDS, TRAITS, discriminant
from benchmarks.loop.mel import mel
from benchmarks.loop.network import seeded
from sliceforge.engine.bench import machine
from sliceforge.engine.loop.diagnose.confident import confidence
from sliceforge.engine.loop.diagnose.noise import ABOVE, BELOW, FEWEST, NOISY, noise_rate
from sliceforge.engine.loop.find.statistics import wilson

RESULT = runs.RESULTS / "slices.json"
CLOUDS = ((4, 8.0), (4, 6.0), (10, 8.0), (10, 6.0))
"""Classes, and how far apart their clouds lie in standard deviations."""

HARD = {"noise": (1.0, 1.5, 2.5), "near": (0.7, 0.5, 0.35)}
"""Standard deviations of noise on the traits; share that is left of the distance to the middle."""

SNRS = (15, 8, 3, -2)
WRONG = (0.12, 0.2, 0.3)
ELSEWHERE = (0.0, 0.03)
LIKE = np.array([2, 9, 0, 8, 9, 9, 8, 0, 6, 1])
"""Digit → the one that `alike` flips it to."""


class Case(NamedTuple):
    """Labels, and what a model that has not seen the items says of them.

    Args:
        source, slice: what it is made of.
        wrong: share of wrong labels in the slice, elsewhere: outside.
        alike: whether they are always the same other class.
        given: (N,), p: (N, C), rows: (N,) bool, the slice.
    """

    source: str
    slice: str
    wrong: float
    elsewhere: float
    alike: bool
    given: np.ndarray
    p: np.ndarray
    rows: np.ndarray

    def alarms(self) -> dict[str, float]:
        """Which rules call the slice mislabelled."""
        judged = confidence(self.given, self.p)
        found, half = noise_rate(judged, self.rows), judged.surest(self.rows)
        top = wilson(float(judged.suspect[half].sum()), float(half.sum()), ABOVE)[1]
        halves = found.sure >= FEWEST and wilson(found.suspects, found.sure, BELOW)[0] > NOISY and top > NOISY
        as_sure = judged.sure[self.rows].mean() >= 0.75 * judged.sure[~self.rows].mean()
        agrees = halves and (found.agrees >= 0.75 or (as_sure and found.surest >= 0.6 * found.rate))
        return {"estimate": found.rate > NOISY, "halves": halves, "agrees": agrees, "gate": found.noisy}


def clouds(repeat: int) -> Iterator[Case]:
    """Slices of simulated clouds."""
    for classes, apart in CLOUDS:
        for count in (600, 2000):
            hard = [(kind, level) for kind, levels in HARD.items() for level in levels]
            asked = [(one, elsewhere, elsewhere) for one in hard for elsewhere in ELSEWHERE]
            asked += [(("plain", 0.0), wrong, elsewhere) for elsewhere in ELSEWHERE for wrong in (elsewhere, *WRONG)]
            for (kind, level), wrong, elsewhere in asked:
                key = [classes, int(apart), count, int(level * 100), int(wrong * 100), int(elsewhere * 100), repeat]
                generator = np.random.default_rng(key)
                centres = np.random.default_rng(classes).normal(size=(classes, TRAITS)) * apart / np.sqrt(2 * TRAITS)
                true, rows = generator.integers(0, classes, count), np.arange(count) % (count // 100) == 0
                x = centres[true] + generator.normal(size=(count, TRAITS))
                if kind == "noise":
                    x[rows] += level * generator.normal(size=(rows.sum(), TRAITS))
                elif kind == "near":
                    x[rows] -= (1 - level) * (centres[true] - centres.mean(axis=0))[rows]
                given = flipped(true, rows, wrong, elsewhere, classes, generator)
                p = discriminant(x, given, classes)
                yield Case(
                    "clouds", f"{kind} {level}".replace("plain 0.0", "plain"), wrong, elsewhere, False, given, p, rows
                )


def flipped(
    true: np.ndarray, rows: np.ndarray, wrong: float, elsewhere: float, classes: int, generator: np.random.Generator
) -> np.ndarray:
    """(N,) labels of which shares of the slice and of the rest are another class, drawn evenly."""
    some = generator.random(len(true)) < np.where(rows, wrong, elsewhere)
    return np.where(some, (true + generator.integers(1, classes, len(true))) % classes, true)


def traits(waves: np.ndarray) -> np.ndarray:
    """(N, 256) means of the log-mel bands in eight parts of a window."""
    return np.concatenate([part.mean(axis=2) for part in np.array_split(mel(waves), 8, axis=2)], axis=1)


def out_of_fold(x: np.ndarray, given: np.ndarray, seed: int) -> np.ndarray:
    """(N, 10) probabilities by softmax regressions that have not seen the item."""
    data, labels = torch.tensor((x - x.mean(axis=0)) / x.std(axis=0), dtype=torch.float32), torch.tensor(given)
    fold = torch.tensor(np.random.default_rng([5, seed]).permutation(len(x)) % FOLDS)
    out = torch.zeros(len(x), 10, dtype=torch.float64)
    for held in range(FOLDS):
        seen, weights = fold != held, torch.zeros(x.shape[1] + 1, 10, requires_grad=True)
        method = torch.optim.LBFGS([weights], max_iter=15, line_search_fn="strong_wolfe")

        def cost(seen=seen, weights=weights, method=method) -> torch.Tensor:
            method.zero_grad()
            found = torch.nn.functional.cross_entropy(data[seen] @ weights[1:] + weights[0], labels[seen])
            found = found + 0.03 * weights[1:].square().sum()
            found.backward()
            return found

        method.step(cost)
        out[~seen] = torch.softmax((data[~seen] @ weights[1:] + weights[0]).detach().double(), dim=1)
    return out.numpy()


def spoken(data: Path, repeat: int) -> Iterator[Case]:
    """Slices of real digits."""
    pool, bank = digits.part(data, "train"), digits.noises(data, "train")
    generator = np.random.default_rng([7, repeat])
    pool = pool.where(generator.choice(len(pool), 1000, replace=False))
    clean, some = traits(pool.waves), np.isin(np.arange(1000), generator.choice(1000, 150, replace=False))
    hard = {f"{snr} dB": (np.full(1000, float(snr)), some) for snr in SNRS}
    plain = {"plain": some} | {f"speaker {name}": pool.speaker == name for name in np.unique(pool.speaker)}
    asked = [(name, share, share, False) for share in ELSEWHERE for name in (*hard, *plain)]
    asked += [(name, wrong, 0.03, False) for wrong in WRONG for name in plain] + [
        (name, 0.2, 0.03, True) for name in plain
    ]
    for name, wrong, elsewhere, alike in asked:
        x, rows = clean, plain.get(name, some)
        if name in hard:
            x = clean.copy()
            x[rows] = traits(digits.mixed(pool.waves[rows], bank, hard[name][0][rows], repeat)[0])
        given = flipped(pool.digit, rows, wrong, elsewhere, 10, generator)
        given = np.where(alike & rows & (given != pool.digit), LIKE[pool.digit], given)
        yield Case("digits", name, wrong, elsewhere, alike, given, out_of_fold(x, given, repeat), rows)


def main(words: list[str]) -> None:
    """Print and write a row for each kind of slice."""
    given = runs.settings(words, {"repeats": "10", "out": str(RESULT)})
    found = defaultdict(list)
    with seeded(0):
        for repeat in range(int(given["repeats"])):
            for case in (*clouds(repeat), *spoken(Path(given["data"]), repeat)):
                found[case[:5]].append(case.alarms())
    rows = []
    for key, cases in found.items():
        shares = {name: round(float(np.mean([one[name] for one in cases])), 3) for name in cases[0]}
        rows.append(dict(zip(Case._fields, key, strict=False)) | {"slices": len(cases)} | shares)
        print(json.dumps(rows[-1]))
    text = ",\n  ".join(json.dumps(row) for row in rows)
    whole = f'{{"machine": {json.dumps(machine())},\n "repeats": {given["repeats"]},\n "rows": [\n  {text}\n]}}\n'
    Path(given["out"]).write_text(whole)


if __name__ == "__main__":
    main(sys.argv[1:])
