"""When the label gate closes: the share of alarms of four rules on simulated labels, as JSON.

    python -m benchmarks.loop.labels [repeats=200] [out=FILE.json]

Classes are normal clouds of one shape, so that some items lie between two of them; a share of the labels is another
class, drawn evenly; probabilities come from a linear discriminant on five folds, fitted to the labels as they are.
`knows` is how often that model is right of the true class. Rules: `estimate`, the rate above 8 %; `bound`, Wilson's
lower 95 % bound above 8 %; `half_error`, half a standard error below the rate above 8 %; `gate`, that, the surer half,
and where the contradictions are (`engine/loop/diagnose/noise.py`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.loop.runs import RESULTS
from sliceforge.engine.bench import machine
from sliceforge.engine.loop.diagnose.confident import Confidence, confidence
from sliceforge.engine.loop.diagnose.noise import NOISY, noise_rate
from sliceforge.engine.loop.find.statistics import wilson

RESULT = RESULTS / "labels.json"
FOLDS, TRAITS, RIDGE = 5, 12, 0.1
COUNTS = (200, 500, 1000, 2000)
NOISES = (0.0, 0.05, 0.12)
CLOUDS = ((4, 8.0), (4, 6.0), (4, 5.0), (10, 8.0), (4, 4.0), (10, 6.0), (10, 5.0), (10, 4.0))
"""Classes, and how far apart their clouds lie in standard deviations."""


def discriminant(x: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """(N, C) out-of-fold probabilities of Gaussian clouds of one shape (Fisher, 1936).

    Args:
        x: (N, F).
        labels: (N,).
        classes: C.
    """
    out = np.zeros((len(x), classes))
    folds = np.arange(len(x)) % FOLDS
    for fold in range(FOLDS):
        seen = folds != fold
        means = np.full((classes, x.shape[1]), 1e3)
        for j in np.unique(labels[seen]):
            means[j] = x[seen & (labels == j)].mean(axis=0)
        spread = np.cov((x[seen] - means[labels[seen]]).T) + RIDGE * np.eye(x.shape[1])
        shape = np.linalg.inv(spread)
        prior = np.log(np.bincount(labels[seen], minlength=classes) + 0.5)
        score = x[~seen] @ shape @ means.T - 0.5 * np.einsum("cf,fg,cg->c", means, shape, means) + prior
        raised = np.exp(score - score.max(axis=1, keepdims=True))
        out[~seen] = raised / raised.sum(axis=1, keepdims=True)
    return out


def drawn(
    count: int, classes: int, apart: float, noise: float, generator: np.random.Generator
) -> tuple[Confidence, np.ndarray, np.ndarray]:
    """Judged labels, (N,) which of them are wrong and (N,) the true ones."""
    centres = np.random.default_rng(classes).normal(size=(classes, TRAITS)) * apart / np.sqrt(2 * TRAITS)
    true = generator.integers(0, classes, count)
    x = centres[true] + generator.normal(size=(count, TRAITS))
    wrong = generator.random(count) < noise
    given = np.where(wrong, (true + generator.integers(1, classes, count)) % classes, true)
    return confidence(given, discriminant(x, given, classes)), wrong, true


def alarms(classes: int, apart: float, count: int, noise: float, repeats: int) -> dict[str, float]:
    """How often each rule closes the gate, the mean rate and how right the model and its suspects are."""
    generator = np.random.default_rng([classes, int(apart * 10), count, int(noise * 100)])
    rows = []
    for _ in range(repeats):
        judged, wrong, true = drawn(count, classes, apart, noise, generator)
        found = noise_rate(judged)
        right = (judged.suspect & wrong).sum()
        rows.append(
            {
                "rate": found.rate,
                "surest": found.surest,
                "knows": (judged.probabilities.argmax(axis=1) == true).mean(),
                "precision": right / max(found.suspects, 1),
                "recall": right / max(wrong.sum(), 1),
                "estimate": found.rate > NOISY,
                "bound": wilson(found.suspects, found.sure, 1.645)[0] > NOISY,
                "half_error": wilson(found.suspects, found.sure, 0.5)[0] > NOISY,
                "gate": found.noisy,
            }
        )
    return {name: round(float(np.mean([row[name] for row in rows])), 3) for name in rows[0]}


def main(words: list[str]) -> None:
    """Print a line for each cloud, count and noise as it is found, and write all of them."""
    settings = dict(word.split("=", 1) for word in words)
    repeats, rows = int(settings.get("repeats", "200")), []
    for classes, apart in CLOUDS:
        for count in COUNTS:
            for noise in NOISES:
                given = {"classes": classes, "apart": apart, "count": count, "noise": noise}
                rows.append(given | alarms(classes, apart, count, noise, repeats))
                print(json.dumps(rows[-1]), flush=True)
    text = ",\n  ".join(json.dumps(row) for row in rows)
    found = f'{{"machine": {json.dumps(machine())},\n "repeats": {repeats},\n "rows": [\n  {text}\n]}}\n'
    Path(settings.get("out", RESULT)).write_text(found)


if __name__ == "__main__":
    main(sys.argv[1:])
