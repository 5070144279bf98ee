"""Speech under traffic that training never heard: what each kind of made items gives.

python -m benchmarks.loop.e1 [seeds=5] [rows=report] [data=DIR] [jobs=2] [out=FILE.json]

600 clips train (60 a digit) with 900 made ones of each arm; `rows=tune` judges on the clips and recordings for trying
things instead. Both conditions: all speakers, and one who is never trained on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.loop import digits, runs
from benchmarks.loop.judge import Asked, Judged, bar, stacked
from benchmarks.loop.mel import mel
from benchmarks.loop.network import losses, trained
from benchmarks.loop.sounds import ARMS, made, parents

EPOCHS, MADE = 20, 900
HELD_OUT = "yweweler"
SNRS = (0, 5, 10)
CONDITIONS = {"all speakers": "", f"without {HELD_OUT}": HELD_OUT}
NOISY = "noise 5 dB"


class Job(NamedTuple):
    """One seed of one condition; all arms."""

    data: str
    rows: str
    without: str
    seed: int
    arms: tuple[str, ...]


def asked(data: Path, rows: str) -> Asked:
    """Clips of a part in recordings of that part; the same for every seed, arm and condition."""
    clips, bank = digits.part(data, rows), digits.noises(data, rows)
    features, heard, levels = [mel(clips.waves)], [[""] * len(clips)], np.repeat(["clean", *map(str, SNRS)], len(clips))
    for snr in SNRS:
        waves, names = digits.mixed(clips.waves, bank, np.full(len(clips), float(snr)), 100 + snr)
        features, heard = [*features, mel(waves)], [*heard, names]
    every, speaker = len(SNRS) + 1, np.tile(clips.speaker, len(SNRS) + 1)
    y, recording, noisy = np.tile(clips.digit, every), np.concatenate(heard), levels != "clean"
    slices = {"clean": ~noisy, **{f"noise {snr} dB": levels == str(snr) for snr in SNRS}}
    slices |= {f"recording {name}": recording == name for name in sorted(bank)}
    slices |= {f"speaker {name}, noise": noisy & (speaker == name) for name in np.unique(speaker)}
    slices |= {f"speaker {name}, clean": ~noisy & (speaker == name) for name in np.unique(speaker)}
    slices |= {f"digit {digit}, noise": noisy & (y == digit) for digit in range(10)}
    cluster = np.tile(clips.ids, every)
    return Asked(np.concatenate(features), y, np.char.add(np.char.add(cluster, "/"), levels), cluster, slices)


def one(job: Job) -> dict[str, np.ndarray]:
    """Losses (N,) of each arm on the rows."""
    data = Path(job.data)
    clips = digits.trained(data, job.seed, without=job.without)
    own, questions, found = mel(clips.waves), asked(data, job.rows), {}
    for arm in job.arms:
        x, y = own, clips.digit
        if arm != "none":
            more = made(arm, clips, MADE, job.seed, data)
            x, y = np.concatenate([own, more]), np.concatenate([y, y[parents(clips, MADE)[0]]])
        found[arm] = losses(trained(x, y, 10, EPOCHS, job.seed), questions.x, questions.y)
    return found


def condition(name: str, without: str, questions: Asked, found: Sequence[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Everything that is said of one condition; with a speaker held out, on that speaker alone."""
    keep = np.ones(len(questions.y), bool)
    if without:
        keep = questions.slices[f"speaker {without}, noise"] | questions.slices[f"speaker {without}, clean"]
    slices = {key: mask[keep] for key, mask in questions.slices.items()}
    slices = {key: mask for key, mask in slices.items() if mask.any() and not (without and key.startswith("speaker"))}
    arms = {arm: values[:, keep] for arm, values in stacked(found).items()}
    judged = Judged(questions.ids[keep], questions.cluster[keep], slices, arms)
    bases = [("none", "engine"), ("oversample", "engine"), ("generic", "engine"), ("general", "engine")]
    bases += [("white", "engine"), ("defaults", "engine"), ("oracle", "engine"), ("none", "oracle")]
    gains = {pair: judged.gains(*pair) for pair in bases}
    said = {(pair, line["slice"]): line for pair, lines in gains.items() for line in lines}
    way = judged.share(NOISY, "none", "engine", "oracle")
    bars = [
        bar("noise 5 dB: over none", said[("none", "engine"), NOISY], 35),
        bar("noise 5 dB: over generic", said[("generic", "engine"), NOISY], 15),
        bar("noise 5 dB: percent of the way from none to the oracle", way, 80),
        bar("clean: against the oracle", said[("oracle", "engine"), "clean"], -0.5),
    ]
    verdicts = [judged.verdict(base, "engine", NOISY) for base in ("none", "oversample", "generic")]
    return {
        "name": name,
        "seeds": len(found),
        "items": {arm: 600 + (0 if arm == "none" else MADE) for arm in arms},
        "epochs": EPOCHS,
        "accuracy": judged.accuracy(),
        "gains": [line for lines in gains.values() for line in lines],
        "bars": bars,
        "verdicts": verdicts,
    }


def main(words: list[str]) -> None:
    """Train every arm, judge them, and write what came out."""
    given = runs.settings(words, {"seeds": "5", "rows": "report", "out": ""})
    seeds = range(int(given["seeds"]))
    jobs = [Job(given["data"], given["rows"], left, seed, ARMS) for left in CONDITIONS.values() for seed in seeds]
    found = runs.spread(one, jobs, given)
    questions, told = asked(Path(given["data"]), given["rows"]), []
    for number, (name, left) in enumerate(CONDITIONS.items()):
        told.append(condition(name, left, questions, found[number * len(seeds) : (number + 1) * len(seeds)]))
    given["out"] = given["out"] or ("" if given["rows"] == "report" else str(runs.RESULTS / "e1_tune.json"))
    runs.written("e1", given, {"conditions": told, "recordings": digits.recordings(Path(given["data"]))})


if __name__ == "__main__":
    main(sys.argv[1:])
