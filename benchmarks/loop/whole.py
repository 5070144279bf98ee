"""The verb `loop` from its command line, on data that it is told nothing of.

python -m benchmarks.loop.whole [which=noise] [seeds=3] [seed=0] [budget=900] [data=DIR] [jobs=2] [keep=DIR]

`noise`: 600 clean clips train, and a model of each seed that learnt from these has judged 900 others, of which four in
ten are under traffic at 0 to 10 dB; neither its recordings nor that there are any is told. `keep` is the folder of
tables, clips and the loop, with which a run that was stopped goes on.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import soundfile
from pyarrow import csv

from benchmarks.loop import digits, runs
from sliceforge.engine import predicate
from sliceforge.engine.bench import machine
from sliceforge.engine.loop.rows import known, slices
from sliceforge.engine.loop.steps import STEPS, found, place

TRAIN = Path(__file__).resolve().parents[2] / "examples" / "speech_in_car" / "train.py"
SHARE, SNR = 0.4, (0.0, 10.0)
"""Of the evaluated clips under noise, and dB against their speech."""


def noise(folder: Path, data: Path, seed: int) -> list[str]:
    """Clean clips to train on, others under traffic; `told.csv`, which the loop never reads, says which."""
    _written(folder / "train", digits.trained(data, seed))
    clips, generator = digits.clips(data), np.random.default_rng([4, seed])
    clips = clips.where(np.isin(clips.index, (*digits.PARTS["tune"], *digits.PARTS["report"])))
    noisy, snr = generator.random(len(clips)) < SHARE, generator.uniform(*SNR, len(clips))
    bank = {**digits.noises(data, "tune"), **digits.noises(data, "report")}
    clips.waves[noisy] = digits.mixed(clips.waves[noisy], bank, snr[noisy], seed)[0]
    _written(folder / "eval", clips)
    csv.write_csv(pa.table({"id": clips.ids, "weak": noisy}), folder / "told.csv")
    return ["recipes=[speech/car_noise]"]


WHICH: Mapping[str, Callable[[Path, Path, int], list[str]]] = {"noise": noise}
"""Name → what writes train.csv, eval.csv and told.csv, and returns the loop's settings beside the common ones."""


def _written(folder: Path, clips: digits.Clips) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for item, wave in zip(clips.ids, clips.waves, strict=True):
        soundfile.write(folder / f"{item}.wav", wave, digits.RATE, subtype="PCM_16")
    paths = [str(folder / f"{item}.wav") for item in clips.ids]
    table = {"id": clips.ids, "path": paths, "label": clips.digit.astype(str), "speaker": clips.speaker}
    csv.write_csv(pa.table(table), folder.with_suffix(".csv"))


def predicted(folder: Path, seed: int) -> Path:
    """What a model that learnt from train.csv says of eval.csv."""
    out = folder / f"given_{seed}.csv"
    if not out.exists():
        part = out.with_suffix(".part")
        subprocess.run([sys.executable, TRAIN, folder / "train.csv", part, folder / "eval.csv", str(seed)], check=True)
        part.rename(out)
    return out


def told(home: Path, folder: Path) -> dict[str, Any]:
    """What the loop found, did and gained, and how well its first slice is that of the rows that were made weak."""
    done = {step: found(place(home, step)) or {} for step in STEPS}
    again = found(place(home, "verify", again=True))
    rows, truth = known.of_items(str(folder / "eval.csv"), None, "eval").table, csv.read_csv(folder / "told.csv")
    weak = dict(zip(truth["id"].to_pylist(), truth["weak"].to_pylist(), strict=True))
    made_weak = np.array([weak[item] for item in rows["id"].to_pylist()])
    lines = []
    for one in slices.read(place(home, "diagnose") / "slices.yaml"):
        inside = predicate.select(rows, one.where, "where")
        hit = {"precision": (inside & made_weak).sum() / inside.sum(), "recall": inside[made_weak].mean()}
        lines.append({"where": one.where, "rows": one.rows, "error": one.error, "rest": one.reference})
        lines[-1] |= {name: round(float(value), 3) for name, value in hit.items()} | {"cause": one.cause}
    trial = done["trial"].get("slices", {})
    return {
        "found": lines,
        "labels": done["diagnose"]["labels"],
        "trial": {name: {key: said[key] for key in ("chosen", "reason")} for name, said in trial.items()},
        "items": done["allocate"].get("items", {}),
        "baseline": done["baseline"]["errors"],
        "verdict": (again or done["verify"]).get("verdict"),
        "trainings": len(list(home.glob("*/trainings/*/training.json"))),
    }


def run(folder: Path, given: Mapping[str, str]) -> dict[str, Any]:
    """Write the data, ask the models of the seeds, and start the loop."""
    folder.mkdir(parents=True, exist_ok=True)
    more = WHICH[given["which"]](folder, Path(given["data"]), int(given["seed"]))
    before = [str(predicted(folder, seed)) for seed in range(int(given["seeds"]))]
    words = shlex.join([sys.executable, str(TRAIN)])
    settings = {
        "train": f"{words} {{train}} {{predictions}} {{eval}} {{seed}}",
        "data": folder / "train.csv",
        "eval": folder / "eval.csv",
        "predictions": f"[{','.join(before)}]",
        "out": folder / "LOOP",
        **{name: given[name] for name in ("seeds", "seed", "budget", "jobs")},
    }
    loop = [sys.executable, "-m", "sliceforge.engine.cli", "loop"]
    ended = subprocess.run([*loop, *(f"{key}={value}" for key, value in settings.items()), *more]).returncode
    if ended > 1:
        raise SystemExit(ended)
    return {"ended": ended, **told(folder / "LOOP", folder)}


def main(words: list[str]) -> None:
    """Run one loop, and put what came out beside what came out of the others."""
    given = runs.settings(words, {"which": "noise", "seeds": "3", "seed": "0", "budget": "900", "out": ""})
    if given["which"] not in WHICH:
        raise SystemExit(f"which: {given['which']}: expected one of {', '.join(WHICH)}, such as which=noise")
    os.environ["OMP_NUM_THREADS"] = "1"
    with TemporaryDirectory() as temporary:
        came = run(Path(given["keep"] or temporary).resolve(), given)
    out = Path(given["out"] or runs.RESULTS / "whole.json")
    before = json.loads(out.read_text("utf-8")) if out.exists() else {}
    told = " ".join(f"{key}={given[key]}" for key in ("which", "seeds", "seed", "budget"))
    came = {"command": f"python -m benchmarks.loop.whole {told}", "machine": machine(), **came}
    out.write_text(json.dumps({**before, given["which"]: came}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(out)


if __name__ == "__main__":
    main(sys.argv[1:])
