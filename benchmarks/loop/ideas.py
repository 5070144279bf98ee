"""What was tried where a bar is missed, judged on tune rows alone: other ways to make the engine's items.

python -m benchmarks.loop.ideas [seeds=2] [data=DIR] [jobs=2] [out=FILE.json]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.loop import digits, e1, e2, runs, steel
from benchmarks.loop.digits import Clips
from benchmarks.loop.judge import Judged, stacked
from benchmarks.loop.line_scan import under_exposed
from benchmarks.loop.mel import mel
from benchmarks.loop.network import losses, trained
from benchmarks.loop.pictures import matching, recipe_made, rows_of
from benchmarks.loop.sounds import SNR, made, parents
from benchmarks.loop.traffic import SHAPES, noisy

SPEECH: dict[str, tuple[int, tuple[float, float]]] = {
    "engine": (900, SNR),
    "twice as many items": (1800, SNR),
    "−10 to 15 dB": (900, (-10.0, 15.0)),
    "the slice's own 0 to 10 dB": (900, (0.0, 10.0)),
    **dict.fromkeys(SHAPES, (900, SNR)),
}
"""Idea → items and SNR."""

HALVES = ("general", "generic")
"""Arms that make half of the items."""

STEEL: dict[str, tuple[float, tuple[str, ...]]] = {
    "engine": (1.5, ()),
    "half as many made": (0.75, ()),
    "mirrored as well": (1.5, ("+op/image@steps.flip=flip", "steps.flip.vertical=0.5")),
    "light, but no fall of it and no noise": (1.5, ()),
    "contrast as well": (1.5, ()),
    "up to the light of training": (1.5, ()),
}
"""Idea → made items for each that there is, and settings besides those that match the slice."""


class Job(NamedTuple):
    """One seed of one experiment."""

    data: str
    experiment: str
    seed: int


def more_speech(idea: str, clips: Clips, seed: int, data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, bands, frames) of made items, and their parents' rows."""
    if idea in SPEECH:
        count, snr = SPEECH[idea]
        rows, variants = parents(clips, count)
        return mel(noisy(clips, rows, variants, snr, seed, idea)), rows
    arms = ("engine", idea.removeprefix("half of the items "))
    rows = np.tile(parents(clips, e1.MADE // 2)[0], 2)
    return np.concatenate([made(arm, clips, e1.MADE // 2, seed, data) for arm in arms]), rows


def speech(job: Job) -> dict[str, np.ndarray]:
    """Losses (N,) of each idea on E1's tune rows."""
    data, found = Path(job.data), {}
    clips, asked = digits.trained(data, job.seed), e1.asked(data, "tune")
    own = mel(clips.waves)
    for idea in (*SPEECH, *(f"half of the items {arm}" for arm in HALVES)):
        more, rows = more_speech(idea, clips, job.seed, data)
        label = np.concatenate([clips.digit, clips.digit[rows]])
        net = trained(np.concatenate([own, more]), label, 10, e1.EPOCHS, job.seed)
        found[idea] = losses(net, asked.x, asked.y)
    return found


def settings(idea: str, data: Path, pool: steel.Strips) -> list[str]:
    """The overrides of steel/line_scan."""
    matched = list(e2.overrides(data, pool))
    if idea == "light, but no fall of it and no noise":
        return [one for one in matched if one.startswith("steps.photometric")]
    if idea == "contrast as well":
        weak = under_exposed(steel.part(data, "tune").pixels, 1)
        return list(matching(weak, pool, "brightness < 100 AND contrast < 100"))
    if idea == "up to the light of training":
        low = next(one for one in matched if ".brightness=" in one).partition("=[")[2].partition(",")[0]
        return [*matched, f"steps.photometric.brightness=[log, {low}, 1]"]
    return [*matched, *STEEL[idea][1]]


def pictures(job: Job) -> dict[str, np.ndarray]:
    """Losses (N,) of each idea on E2's tune rows."""
    data, found = Path(job.data), {}
    pool, asked = e2.pool(data, job.seed), e2.asked(data, "tune")
    own = steel.features(pool.pixels)
    for idea, (share, _) in STEEL.items():
        rows = rows_of(pool, round(share * len(pool)))
        words = settings(idea, data, pool)
        pixels = recipe_made("steel/line_scan", words, pool.pixels[rows], list(pool.ids[rows]), job.seed)
        x, y = np.concatenate([own, steel.features(pixels)]), np.concatenate([pool.label, pool.label[rows]])
        found[idea] = losses(trained(x, y, len(pool.names), e2.EPOCHS, job.seed), asked.x, asked.y)
    return found


def work(job: Job) -> dict[str, np.ndarray]:
    """One job."""
    return speech(job) if job.experiment == "e1" else pictures(job)


def told(experiment: str, data: Path, found: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Accuracies, and gains over the engine as it is."""
    asked = e1.asked(data, "tune") if experiment == "e1" else e2.asked(data, "tune")
    judged = Judged(asked.ids, asked.cluster, asked.slices, stacked(found))
    gains = [line for arm in judged.losses if arm != "engine" for line in judged.gains("engine", arm)]
    return {
        "name": f"{experiment.upper()}, tune rows",
        "seeds": len(found),
        "accuracy": judged.accuracy(),
        "gains": gains,
        "bars": [],
        "verdicts": [],
    }


def main(words: list[str]) -> None:
    """Try every idea, and write what came out."""
    given = runs.settings(words, {"seeds": "2", "out": ""})
    seeds = range(int(given["seeds"]))
    jobs = [Job(given["data"], name, seed) for name in ("e1", "e2") for seed in seeds]
    found = runs.spread(work, jobs, given)
    parts = found[: len(seeds)], found[len(seeds) :]
    conditions = [told(name, Path(given["data"]), part) for name, part in zip(("e1", "e2"), parts, strict=True)]
    runs.written("ideas", given, {"conditions": conditions})


if __name__ == "__main__":
    main(sys.argv[1:])
