"""The verb `loop` from its command line, on data that it is told nothing of.

python -m benchmarks.loop.whole [which=noise] [seeds=3] [seed=0] [budget=900] [data=DIR] [jobs=2] [keep=DIR]

`noise`: 600 clean clips train, and a model of each seed that learnt from these has judged 900 others, of which four in
ten are under traffic at 0 to 10 dB; neither its recordings nor that there are any is told. `scarce`: 60 strips of each
class of steel train, but 6 of one, which the seed chooses. `labels`: 500 clean clips train, 12 % of them under a wrong
label. `keep` is the folder of tables, items and the loop, with which a run that was stopped goes on.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import soundfile
from PIL import Image
from pyarrow import csv

from benchmarks.loop import digits, e3, e5, runs, steel
from benchmarks.loop.painting import RECIPES
from sliceforge.engine import predicate
from sliceforge.engine.bench import machine
from sliceforge.engine.loop.rows import known, slices
from sliceforge.engine.loop.steps import STEPS, found, place

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SHARE, SNR = 0.4, (0.0, 10.0)
"""Of the evaluated clips under noise, and dB against their speech."""


class Task(NamedTuple):
    """What a loop is given, and what it is not told.

    Args:
        script: of the training.
        recipes: settings of the loop.
        weak: evaluated items that were made weak, or training items whose label is wrong.
    """

    script: Path
    recipes: str
    weak: frozenset[str]


def noise(folder: Path, data: Path, seed: int) -> Task:
    """Clean clips to train on, others under traffic."""
    _spoken(folder / "train", digits.trained(data, seed))
    clips, generator = _asked(data), np.random.default_rng([4, seed])
    noisy, snr = generator.random(len(clips)) < SHARE, generator.uniform(*SNR, len(clips))
    bank = {**digits.noises(data, "tune"), **digits.noises(data, "report")}
    clips.waves[noisy] = digits.mixed(clips.waves[noisy], bank, snr[noisy], seed)[0]
    _spoken(folder / "eval", clips)
    return Task(EXAMPLES / "speech_in_car" / "train.py", "speech/car_noise", frozenset(clips.ids[noisy].tolist()))


def labels(folder: Path, data: Path, seed: int) -> Task:
    """Clean clips, some of them under a wrong label."""
    pool, generator = digits.part(data, "train"), np.random.default_rng([4, seed])
    pool = pool.where(generator.choice(len(pool), e5.COUNT, replace=False))
    given = e5.noisy_labels(pool.digit, generator)
    wrong = pool.ids[given != pool.digit]
    _spoken(folder / "train", replace(pool, digit=given))
    _spoken(folder / "eval", _asked(data))
    return Task(EXAMPLES / "speech_in_car" / "train.py", "speech/car_noise", frozenset(wrong.tolist()))


def scarce(folder: Path, data: Path, seed: int) -> Task:
    """Strips of seven classes, few of one; others of other coils are evaluated."""
    every = steel.strips(data)
    cut = seed % len(every.names)
    pool = every.where(steel.parts(every) == "train")
    wanted = dict.fromkeys(range(len(every.names)), e3.OTHERS) | {cut: e3.FEW}
    pool = steel.drawn(pool, wanted, np.random.default_rng([11, cut, seed]))
    others = every.where(~np.isin(every.block, pool.block))
    for side, some in (("train", pool), ("eval", others)):
        names = [item.replace("/", "_").replace(" ", "_") for item in some.ids.tolist()]
        for item, pixels in zip(names, some.pixels, strict=True):
            (folder / side).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / side / f"{item}.png")
        _table(folder / side, names, ".png", [every.names[label] for label in some.label], coil=some.block)
    weak = [item.replace("/", "_").replace(" ", "_") for item in others.ids[others.label == cut].tolist()]
    recipes = f"geometric,{RECIPES[every.names[cut]][0]}"
    return Task(EXAMPLES / "rare_defect" / "train.py", recipes, frozenset(weak))


WHICH: Mapping[str, Callable[[Path, Path, int], Task]] = {"noise": noise, "scarce": scarce, "labels": labels}
"""Name → what writes train.csv and eval.csv."""


def _asked(data: Path) -> digits.Clips:
    clips = digits.clips(data)
    return clips.where(np.isin(clips.index, (*digits.PARTS["tune"], *digits.PARTS["report"])))


def _spoken(folder: Path, clips: digits.Clips) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for item, wave in zip(clips.ids, clips.waves, strict=True):
        soundfile.write(folder / f"{item}.wav", wave, digits.RATE, subtype="PCM_16")
    _table(folder, clips.ids.tolist(), ".wav", clips.digit.astype(str), speaker=clips.speaker)


def _table(
    folder: Path, ids: Sequence[str], suffix: str, label: Sequence[str] | np.ndarray, **more: np.ndarray
) -> None:
    paths = [str(folder / f"{item}{suffix}") for item in ids]
    csv.write_csv(pa.table({"id": ids, "path": paths, "label": label, **more}), folder.with_suffix(".csv"))


def predicted(script: Path, folder: Path, seed: int) -> Path:
    """What a model that learnt from train.csv says of eval.csv."""
    out = folder / f"given_{seed}.csv"
    if not out.exists():
        part = out.with_suffix(".part")
        subprocess.run([sys.executable, script, folder / "train.csv", part, folder / "eval.csv", str(seed)], check=True)
        part.rename(out)
    return out


def told(home: Path, folder: Path, weak: frozenset[str]) -> dict[str, Any]:
    """What the loop found, did and gained, and how well its slices, or its queue, are what was made weak."""
    done = {step: found(place(home, step)) or {} for step in STEPS}
    again = found(place(home, "verify", again=True))
    rows = known.of_items(str(folder / "eval.csv"), None, "eval").table
    ids = np.array(rows["id"].to_pylist())
    lines = []
    for one in slices.read(place(home, "diagnose") / "slices.yaml"):
        inside = frozenset(ids[predicate.select(rows, one.where, "where")].tolist())
        lines.append({"where": one.where, "rows": one.rows, "error": one.error, "rest": one.reference})
        lines[-1] |= _hits(inside, weak) | {"cause": one.cause}
    queue = csv.read_csv(home / "relabel.csv")["id"].to_pylist() if done["diagnose"]["labels"] else []
    trial = done["trial"].get("slices", {})
    return {
        "found": lines,
        "labels": done["diagnose"]["labels"],
        "queue": {"items": len(queue), **_hits(frozenset(queue), weak)} if queue else None,
        "trial": {name: {key: said[key] for key in ("chosen", "reason")} for name, said in trial.items()},
        "items": done["allocate"].get("items", {}),
        "baseline": done["baseline"]["errors"],
        "verdict": (again or done["verify"]).get("verdict"),
        "trainings": len(list(home.glob("*/trainings/*/training.json"))),
    }


def _hits(some: frozenset[str], weak: frozenset[str]) -> dict[str, float]:
    both = len(some & weak)
    return {"precision": round(both / max(len(some), 1), 3), "recall": round(both / max(len(weak), 1), 3)}


def run(folder: Path, given: Mapping[str, str]) -> dict[str, Any]:
    """Write the data, ask the models of the seeds, and start the loop."""
    folder.mkdir(parents=True, exist_ok=True)
    task = WHICH[given["which"]](folder, Path(given["data"]), int(given["seed"]))
    before = [str(predicted(task.script, folder, seed)) for seed in range(int(given["seeds"]))]
    words = shlex.join([sys.executable, str(task.script)])
    settings = {
        "train": f"{words} {{train}} {{predictions}} {{eval}} {{seed}}",
        "data": folder / "train.csv",
        "eval": folder / "eval.csv",
        "predictions": f"[{','.join(before)}]",
        "recipes": f"[{task.recipes}]",
        "out": folder / "LOOP",
        **{name: given[name] for name in ("seeds", "seed", "budget", "jobs")},
    }
    loop = [sys.executable, "-m", "sliceforge.engine.cli", "loop"]
    ended = subprocess.run([*loop, *(f"{key}={value}" for key, value in settings.items())]).returncode
    if ended > 1:
        raise SystemExit(ended)
    return {"ended": ended, **told(folder / "LOOP", folder, task.weak)}


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
    out.write_text(
        json.dumps({**before, f"{given['which']}, seed {given['seed']}": came}, indent=1, ensure_ascii=False) + "\n",
        "utf-8",
    )
    print(out)


if __name__ == "__main__":
    main(sys.argv[1:])
