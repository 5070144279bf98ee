"""Why E1's untreated network does so well at 5 dB: every choice of the set-up changed alone, judged on tune rows.

python -m benchmarks.loop.baseline [seeds=3] [data=DIR] [jobs=2] [out=FILE.json]

What one of `CHANGES` does not name is as in E1. The network hears clean clips alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from benchmarks.loop import digits, runs
from benchmarks.loop.digits import DITHER, RATE, SPOKEN, WINDOW, Clips
from benchmarks.loop.e1 import EPOCHS
from benchmarks.loop.judge import Judged, stacked
from benchmarks.loop.mel import RANGE, mel
from benchmarks.loop.network import losses, trained
from sliceforge.kernels.loudness import active

SNR = 5.0


class Change(NamedTuple):
    """A set-up; as it comes, E1's.

    Args:
        dither: against the speech, a fraction of its RMS.
        span: dB under the loudest cell from where on nothing is heard.
        own: each clip is normalised by itself, not all by the training clips.
        long: samples of a window.
        per_digit: clips of each digit that train.
        epochs: passes.
        reference: what the SNR is measured by: the clip's own RMS, its `active` level, or the padded `window`'s RMS.
    """

    dither: float = DITHER
    span: float = RANGE
    own: bool = True
    long: int = WINDOW
    per_digit: int = 60
    epochs: float = EPOCHS
    reference: str = "clip"


CHANGES = {
    "as in E1": Change(),
    "no dither": Change(dither=0.0),
    "no floor 60 dB under the loudest cell": Change(span=np.inf),
    "normalised over all clips, not each by itself": Change(own=False),
    "none of these three": Change(dither=0.0, span=np.inf, own=False),
    "a window of 1 s": Change(long=RATE),
    "SNR over the padded window": Change(reference="window"),
    "SNR over the active level": Change(reference="active"),
    "half as many passes": Change(epochs=EPOCHS / 2),
    "twice as many passes": Change(epochs=EPOCHS * 2),
    "a third of the clips": Change(per_digit=18),
}


class Job(NamedTuple):
    """One seed, all changes."""

    data: str
    seed: int


def waves(data: Path, clips: Clips, change: Change) -> np.ndarray:
    """(N, T) float32 of the clips in windows of the change."""
    read = (soundfile.read(data / "fsdd" / f"{item}.wav")[0] for item in clips.ids)
    pairs = zip(read, clips.ids, strict=True)
    return np.stack([digits.window(wave, item, change.dither, change.long) for wave, item in pairs])


def snrs(clean: np.ndarray, reference: str) -> np.ndarray:
    """(N,) dB against `SPOKEN`, so that each clip is at `SNR` against its reference."""
    level = {"clip": lambda _: SPOKEN, "window": lambda wave: np.sqrt(np.mean(wave**2)), "active": _active}[reference]
    return np.array([SNR - 20 * np.log10(level(wave) / SPOKEN) for wave in clean.astype(np.float64)])


def _active(wave: np.ndarray) -> float:
    return float(active(wave.astype(np.float32), RATE))


def one(job: Job) -> dict[str, np.ndarray]:
    """Losses (N,) of each change on the tune clips in every recording of traffic, clean clips last."""
    data, found = Path(job.data), {}
    bank, asked = heard(data), digits.part(data, "tune")
    for name, change in CHANGES.items():
        own = digits.trained(data, job.seed, change.per_digit)
        clean = waves(data, asked, change)
        snr = snrs(clean, change.reference)
        noisy = [digits.mixed(clean, {at: bank[at]}, snr, 300)[0] for at in bank]
        x, *rows = (mel(some, change.span, change.own) for some in (waves(data, own, change), *noisy, clean))
        if not change.own:
            middle, spread = x.mean(), x.std()
            x, rows = (x - middle) / spread, [(some - middle) / spread for some in rows]
        net = trained(x, own.digit, 10, change.epochs, job.seed)
        found[name] = np.concatenate([losses(net, some, asked.digit) for some in rows])
    return found


def heard(data: Path) -> dict[str, np.ndarray]:
    """Recordings of traffic but those that report: a network of clean clips was trained on none."""
    both = digits.noises(data, "train") | digits.noises(data, "tune")
    return {name: both[name] for name in sorted(both) if name.startswith(("berlin", "blanket_city", "blanket_train"))}


def main(words: list[str]) -> None:
    """Train every set-up, and write what came out."""
    given = runs.settings(words, {"seeds": "3", "out": ""})
    data = Path(given["data"])
    found = runs.spread(one, [Job(given["data"], seed) for seed in range(int(given["seeds"]))], given)
    clips, names = digits.part(data, "tune"), list(heard(data))
    recording = np.repeat([*names, "clean"], len(clips))
    slices = {"noise 5 dB": recording != "clean", "clean": recording == "clean"}
    slices |= {f"recording {name}": recording == name for name in names}
    cluster = np.tile(clips.ids, len(names) + 1)
    judged = Judged(np.char.add(np.char.add(cluster, "/"), recording), cluster, slices, stacked(found))
    gains = [line for arm in list(CHANGES)[1:] for line in judged.gains("as in E1", arm)]
    told: dict[str, Any] = {"name": "E1's `none`, tune rows", "seeds": len(found), "accuracy": judged.accuracy()}
    runs.written("baseline", given, {"conditions": [{**told, "gains": gains, "bars": [], "verdicts": []}]})


if __name__ == "__main__":
    main(sys.argv[1:])
