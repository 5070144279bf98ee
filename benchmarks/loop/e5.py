"""Labels first: 500 spoken digits of which 12 % are labelled wrongly, cleaned, or doubled instead.

python -m benchmarks.loop.e5 [seeds=5] [rows=report] [data=DIR] [jobs=2] [out=FILE.json]

The label gate judges probabilities that networks of five folds have of clips they were not trained on. `looked at`: a
person gives the clips of its queue their true labels; `dropped`: those of which confident learning is sure are left
out, and nobody looks;
`true labels`: every wrong label is mended; `doubled`: 500 more clips, 12 % of them wrong as well; `oversample`: the 500
noisy ones twice.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.loop import digits, runs
from benchmarks.loop.judge import Judged, bar, stacked
from benchmarks.loop.mel import mel
from benchmarks.loop.network import losses, probabilities, trained
from sliceforge.engine.loop.diagnose.confident import confidence
from sliceforge.engine.loop.diagnose.gate import label_gate

EPOCHS, COUNT, FLIPPED, FOLDS = 20, 500, 0.12, 5
CLASSES = [str(digit) for digit in range(10)]


class Job(NamedTuple):
    """One seed, all arms."""

    data: str
    rows: str
    seed: int


class Found(NamedTuple):
    """Losses of each arm, and what the gate said."""

    losses: dict[str, np.ndarray]
    gate: dict[str, Any]


def noisy_labels(true: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(N,) labels of which exactly 12 % are another class, drawn evenly."""
    wrong = generator.choice(len(true), round(FLIPPED * len(true)), replace=False)
    out = true.copy()
    out[wrong] = (true[wrong] + generator.integers(1, 10, len(wrong))) % 10
    return out


def out_of_fold(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """(N, 10) probabilities by networks that have not seen the item."""
    fold = np.random.default_rng([5, seed]).permutation(len(x)) % FOLDS
    out = np.empty((len(x), 10))
    for held in range(FOLDS):
        net = trained(x[fold != held], y[fold != held], 10, EPOCHS, seed)
        out[fold == held] = probabilities(net, x[fold == held])
    return out


def one(job: Job) -> Found:
    """Draw 1 000 clips, flip labels, ask the gate, train the arms."""
    data, generator = Path(job.data), np.random.default_rng([4, job.seed])
    pool = digits.part(data, "train")
    pool = pool.where(generator.choice(len(pool), 2 * COUNT, replace=False))
    x, true = mel(pool.waves), pool.digit
    given = np.concatenate([noisy_labels(half, generator) for half in (true[:COUNT], true[COUNT:])])
    first, ids = slice(COUNT), pool.ids[:COUNT]
    p = out_of_fold(x[first], given[first], job.seed)
    said = label_gate(list(ids), [CLASSES[y] for y in given[first]], p, CLASSES)
    queued, sure = np.isin(ids, list(said.suspects())), confidence(given[first], p).suspect
    wrong = given[first] != true[first]
    looked = np.where(queued, true[first], given[first])
    arms = {
        "noisy": (x[first], given[first]),
        "oversample": (np.tile(x[first], (2, 1, 1)), np.tile(given[first], 2)),
        "dropped": (x[first][~sure], given[first][~sure]),
        "looked at": (x[first], looked),
        "true labels": (x[first], true[first]),
        "doubled": (x, given),
    }
    asked = digits.part(data, job.rows)
    questions = mel(asked.waves)
    found = {arm: losses(trained(*pair, 10, EPOCHS, job.seed), questions, asked.digit) for arm, pair in arms.items()}
    right = int((queued & wrong).sum())
    shares = {"queue": int(queued.sum()), "precision": right / max(1, queued.sum()), "recall": right / wrong.sum()}
    gate = {"fix": said.fix, "rate": said.noise.rate if said.noise else None, **shares}
    return Found(found, {name: round(v, 4) if isinstance(v, float) else v for name, v in gate.items()})


def main(words: list[str]) -> None:
    """Train, judge, write."""
    given = runs.settings(words, {"seeds": "5", "rows": "report", "out": ""})
    jobs = [Job(given["data"], given["rows"], seed) for seed in range(int(given["seeds"]))]
    found = runs.spread(one, jobs, given)
    clips = digits.part(Path(given["data"]), given["rows"])
    slices = {"all": np.ones(len(clips), bool)}
    slices |= {f"speaker {name}": clips.speaker == name for name in np.unique(clips.speaker)}
    slices |= {f"digit {digit}": clips.digit == digit for digit in range(10)}
    judged = Judged(clips.ids, clips.ids, slices, stacked([one.losses for one in found]))
    pairs = [("noisy", "looked at"), ("noisy", "dropped"), ("noisy", "doubled"), ("doubled", "looked at")]
    pairs += [("doubled", "dropped"), ("oversample", "looked at"), ("true labels", "looked at")]
    gains = {pair: judged.gains(*pair) for pair in pairs}
    bars = [bar(f"all: {arm} against doubled", gains["doubled", arm][0], 0) for arm in ("looked at", "dropped")]
    bars.append(
        bar("gate: seeds in which it asks for labels, percent", _share([one.gate["fix"] for one in found]), 100)
    )
    told = {
        "name": f"{COUNT} clips, {FLIPPED:.0%} flipped",
        "seeds": len(found),
        "epochs": EPOCHS,
        "accuracy": judged.accuracy(),
        "gains": [line for lines in gains.values() for line in lines],
        "bars": bars,
        "verdicts": [judged.verdict(base, "looked at", "all") for base in ("noisy", "doubled")],
        "gate": [one.gate for one in found],
    }
    runs.written("e5", given, {"conditions": [told]})


def _share(held: list[bool]) -> dict[str, float]:
    return {"gain": 100 * sum(held) / len(held)}


if __name__ == "__main__":
    main(sys.argv[1:])
