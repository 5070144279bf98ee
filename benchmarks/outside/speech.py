"""Does a run of speech keep its word? Checked from its files alone; nothing of Sliceforge is imported.

python benchmarks/outside/speech.py RUN DATA

noise = written − gain × parent; its SNR against the plan, under ITU-T P.56 as in G.191's actlev; what is left of the
parent in it, against the same clips turned in time; and the shards as the webdataset library reads them.
"""

from __future__ import annotations

import io
import json
import sys
from math import gcd
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import soundfile
import webdataset
import yaml
from scipy.signal import lfilter, resample_poly


def actlev(x: np.ndarray, rate: int) -> float:
    """Active speech level in dB of full scale: P.56 method B, thresholds 2^k, linear interpolation in dB."""
    g = np.exp(-1 / (rate * 0.03))
    envelope = lfilter([1 - g], [1, -g], lfilter([1 - g], [1, -g], np.abs(x)))
    hang = round(rate * 0.2)
    energy = float(np.sum(x * x))
    before = None
    for k in range(-15, 1):
        threshold = 2.0**k
        last = np.maximum.accumulate(np.where(envelope >= threshold, np.arange(len(x)), -(10**9)))
        count = int(np.sum(np.arange(len(x)) - last <= hang))
        if count == 0:
            break
        level, at = 10 * np.log10(energy / count), 20 * np.log10(threshold)
        margin = level - at
        if margin <= 15.9:
            if before is None:
                return level
            part = (before[1] - 15.9) / (before[1] - margin)
            return before[0] + part * (level - before[0])
        before = level, margin
    return 10 * np.log10(energy / len(x))


def parent_of(path: Path, rate: int) -> np.ndarray:
    """The parent as mono float64 at the made item's rate."""
    x, own = soundfile.read(path, always_2d=True)
    x = x.mean(axis=1)
    if own == rate:
        return x
    common = gcd(own, rate)
    return resample_poly(x, rate // common, own // common)


def leak(noise: np.ndarray, parent: np.ndarray) -> float:
    """How many standard deviations the noise's likeness to its parent is from that to the parent turned in time."""
    spectrum = np.fft.rfft(noise) * np.conj(np.fft.rfft(parent))
    likeness = np.fft.irfft(spectrum, len(noise))
    return float((likeness[0] - likeness.mean()) / likeness.std())


def main(run: Path, data: Path) -> None:
    """Print one line for each finding, and fail where a bar is missed."""
    manifest = {row["id"]: row for row in pq.read_table(run / "manifest.parquet").to_pylist()}
    rejects = pq.read_table(run / "rejects.parquet").num_rows
    reference = yaml.safe_load((run / "run.yaml").read_text())["recipe"]["steps"]["mix"]["reference"]
    planned = {row["id"]: row for path in run.glob("plan-v*.parquet") for row in pq.read_table(path).to_pylist()}
    shards = sorted(map(str, (run / "shards").glob("*.tar")))
    errors, leaks, seen = [], [], 0
    other_scale = []
    for sample in webdataset.WebDataset(shards, shardshuffle=False):
        row = manifest[json.loads(sample["json"])["id"]]
        seen += 1
        suffix = row["path"].rpartition(".")[2]
        written, rate = soundfile.read(io.BytesIO(sample[suffix]))
        parent = parent_of(data / row["parent_path"], rate)
        foreground = row["got.gain"] * parent
        noise = written - foreground
        power = 10 * np.log10(np.mean(noise**2))
        if reference == "active":
            got = actlev(foreground, rate) - power
            other_scale.append(actlev(parent, rate) + 20 * np.log10(row["got.gain"]) - power - row["asked.snr"])
        else:
            got = 10 * np.log10(np.mean(foreground**2)) - power
        asked = planned[row["id"]]["mix.snr"] if row["attempt"] == planned[row["id"]]["attempt"] else row["asked.snr"]
        errors.append(got - asked)
        leaks.append(leak(noise, parent))
    errors, leaks = np.abs(errors), np.array(leaks)
    print(f"{seen} items read by webdataset, {len(manifest)} in the manifest, {rejects} rejects")
    print(f"accepted {len(manifest) / (len(manifest) + rejects):.4%}")
    print(f"|SNR − plan| ({reference}): largest {errors.max():.4f} dB, over 0.1 dB {np.mean(errors > 0.1):.3%}")
    if other_scale:
        print(
            f"  with the parent's level measured before the gain: over 0.1 dB {np.mean(np.abs(other_scale) > 0.1):.3%}"
        )
    print(f"parent left in the noise: mean {leaks.mean():+.3f} sd, |z| > 3 in {np.mean(np.abs(leaks) > 3):.3%}")
    print(f"attempts over the first: {np.mean([row['attempt'] > 0 for row in manifest.values()]):.3%}")
    if seen != len(manifest) or errors.max() > 0.1 or len(manifest) < 0.995 * (len(manifest) + rejects):
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
