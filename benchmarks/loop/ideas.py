"""What was tried where a bar is missed, judged on tune rows alone: other ways to make the engine's items.

python -m benchmarks.loop.ideas [seeds=2] [data=DIR] [jobs=2] [out=FILE.json]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.loop import digits, e1, e2, runs, steel
from benchmarks.loop.judge import Judged, stacked
from benchmarks.loop.mel import mel
from benchmarks.loop.network import losses, trained
from benchmarks.loop.pictures import recipe_made as pictures_made
from benchmarks.loop.pictures import rows_of
from benchmarks.loop.sounds import OUTSIDE, made, parents, recipe_made


class Job(NamedTuple):
    """One seed of one experiment."""

    data: str
    experiment: str
    seed: int


SPEECH: dict[str, tuple[int, float, str]] = {
    "engine": (900, 1.0, "[-5, 15]"),
    "twice as many items": (1800, 1.0, "[-5, 15]"),
    "twice as long": (900, 2.0, "[-5, 15]"),
    "5 dB lower SNRs": (900, 1.0, "[-10, 10]"),
    "the slice's own SNRs": (900, 1.0, "[0, 10]"),
    "higher SNRs, too": (900, 1.0, "[-5, 25]"),
}
"""Idea → items, times as many passes, SNR in dB."""


def speech(job: Job) -> dict[str, np.ndarray]:
    """Losses (N,) of each idea on E1's tune rows."""
    data, found = Path(job.data), {}
    clips, asked = digits.trained(data, job.seed), e1.asked(data, "tune")
    own = mel(clips.waves)
    for name, (count, longer, snr) in SPEECH.items():
        rows, variants = parents(clips, count)
        settings = ["steps.mix.source=cabin", f"steps.mix.snr={snr}", *OUTSIDE]
        x = np.concatenate([own, mel(recipe_made("speech/car_noise", settings, clips, rows, variants, job.seed))])
        net = trained(x, np.concatenate([clips.digit, clips.digit[rows]]), 10, e1.EPOCHS * longer, job.seed)
        found[name] = losses(net, asked.x, asked.y)
    half = np.concatenate([made(arm, clips, e1.MADE // 2, job.seed, data) for arm in ("engine", "generic")])
    rows = np.tile(parents(clips, e1.MADE // 2)[0], 2)
    net = trained(
        np.concatenate([own, half]), np.concatenate([clips.digit, clips.digit[rows]]), 10, e1.EPOCHS, job.seed
    )
    return found | {"half of the items generic": losses(net, asked.x, asked.y)}


STEEL: dict[str, tuple[float, tuple[str, ...]]] = {
    "engine": (1.5, ()),
    "as many made as there are": (1.0, ()),
    "half as many made": (0.5, ()),
    "twice as long": (1.5, ()),
    "mirrored as well": (1.5, ("+op/image@steps.flip=flip", "steps.flip.vertical=0.5")),
    "up to the light of training": (1.5, ()),
}
"""Idea → made items for each that there is, and settings besides those that match the slice."""


def pictures(job: Job) -> dict[str, np.ndarray]:
    """Losses (N,) of each idea on E2's tune rows."""
    data, found = Path(job.data), {}
    train, asked = steel.part(data, "train"), e2.asked(data, "tune")
    counts = dict.fromkeys(range(len(train.names)), e2.PER_CLASS)
    pool = steel.drawn(train, counts, np.random.default_rng([8, job.seed]))
    own, matched = steel.features(pool.pixels), e2.overrides("engine", data, pool)
    for name, (share, more) in STEEL.items():
        rows, settings = rows_of(pool, round(share * len(pool))), [*matched, *more]
        if name == "up to the light of training":
            low = next(one for one in matched if ".brightness=" in one).partition("=[")[2].partition(",")[0]
            settings.append(f"steps.photometric.brightness=[log, {low}, 1]")
        pixels = pictures_made("steel/line_scan", settings, pool.pixels[rows], list(pool.ids[rows]), job.seed)
        x, y = np.concatenate([own, steel.features(pixels)]), np.concatenate([pool.label, pool.label[rows]])
        epochs = e2.EPOCHS * (2 if name == "twice as long" else 1)
        found[name] = losses(trained(x, y, len(pool.names), epochs, job.seed), asked.x, asked.y)
    return found


def work(job: Job) -> dict[str, np.ndarray]:
    """One job."""
    return speech(job) if job.experiment == "e1" else pictures(job)


def told(experiment: str, data: Path, found: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Accuracies, and gains over the engine as it is."""
    asked: Any = e1.asked(data, "tune") if experiment == "e1" else e2.asked(data, "tune")
    judged = Judged(asked.ids, asked.cluster, asked.slices, stacked(found))
    gains = [line for arm in judged.losses if arm != "engine" for line in judged.gains("engine", arm)]
    name = f"{experiment.upper()}, tune rows"
    return {
        "name": name,
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
