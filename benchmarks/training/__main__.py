"""Time the examples' training loops, whoever feeds them, and write what came out as JSON.

python -m benchmarks.training [only=WORD] [speech=FOLDER] [steel=FOLDER] [rounds=7] [items=1024] [out=FILE.json]

`speech` is a folder of LABEL_….wav and `steel` one of class folders: real material, timed beside the built-in one.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.peers.race import usable
from benchmarks.training import alone, material, peers
from benchmarks.training.turns import Fed, Step, quartiles, turns
from sliceforge.engine import Augment, Share, SliceDataset, load
from sliceforge.engine.bench import machine
from sliceforge.engine.folder import host

RESULT = Path(__file__).resolve().parents[1] / "results" / "training.json"
BATCH = 32
WITH, WITHOUT = "sliceforge", "originals alone"


@dataclass(frozen=True)
class Training:
    """One example's training, with all who feed it.

    Args:
        name: of the example and its material.
        dataset: half of whose positions are made items.
        batch: items.
        step: trains on a batch.
        feeds: name → who.
    """

    name: str
    dataset: SliceDataset
    batch: int
    step: Step
    feeds: dict[str, Fed]


def ours(dataset: SliceDataset, batch: int, how: str) -> Fed:
    """As the examples have it."""
    settings = {"shuffle": True, "num_workers": peers.WORKERS, "persistent_workers": True}
    return Fed(Augment(dataset)(DataLoader(dataset, batch, collate_fn=dataset.collate, **settings)), None, how)


def trained(model: nn.Module, seen: Any) -> Step:
    """A step of a model on what `seen` makes of a batch."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)

    def step(batch: Any) -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(seen(batch)), batch["target"]).backward()
        optimizer.step()

    return step


def speech(name: str, data: Path | None, home: Path, items: int) -> Training:
    """`examples/train_speech.py`, which trains on one thread."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    example = material.example("train_speech")
    rate, batch = example.RATE, BATCH
    clips = str(material.speech(data, home / "clips", rate, items))
    noise = material.noises(home / "noise", rate)
    bank = load("speech/car_noise", f"rate={rate}", "steps.mix.source=bank")

    def dataset(recipe: Any, share: float, **banks: str) -> SliceDataset:
        given = [Share(recipe, share=share, banks=banks)]
        return SliceDataset(clips, given, 7, pattern=material.PATTERN, seconds=1.0)

    made, plain = dataset(example.TRAINED, 0.5), dataset(example.TRAINED, 0.0)
    paths = sorted(Path(clips).glob("*.wav"))
    targets = [made.classes.index(path.name.split("_")[0]) for path in paths]
    other = peers.Files(paths, targets, peers.clip, peers.audiomentations(noise, rate))
    feeds = {
        WITH: ours(made, batch, "speech/car_noise on half of the items: cabin, SNR −5 … 20 dB, level −35 … −15 dBFS"),
        WITHOUT: ours(plain, batch, "the same reading, nothing made"),
        "sliceforge, noise of a bank": ours(dataset(bank, 0.5, noise=str(noise)), batch, "steps.mix.source=bank"),
        "audiomentations": peers.fed(other, batch, "audio", None, "in the workers: AddBackgroundNoise, level"),
    }
    step = trained(example.network(len(made.classes)), example.features)
    return Training(name, made, batch, step, feeds)


def steel(name: str, data: Path | None, home: Path, items: int) -> Training:
    """`examples/train_steel.py`, half of every epoch on another day."""
    torch.manual_seed(0)
    torch.set_num_threads(usable())
    example = material.example("train_steel")
    batch = BATCH
    folder = material.steel(data, home / "pictures", example.SIDE, items)
    made, plain = (SliceDataset(str(folder), [Share(example.DAY, share=share)], 7) for share in (0.5, 0.0))
    paths = sorted(folder.glob("*/*.png"))
    targets = [made.classes.index(path.parent.name) for path in paths]
    in_workers = peers.Files(paths, targets, peers.picture, peers.torchvision())
    read = peers.Files(paths, targets, peers.picture, None)
    feeds = {
        WITH: ours(made, batch, "steel/line_scan on half of the items"),
        WITHOUT: ours(plain, batch, "the same reading, nothing made"),
        "torchvision v2": peers.fed(in_workers, batch, "image", None, "in the workers: light, gamma, blur, noise"),
        "kornia": peers.fed(read, batch, "image", peers.kornia(), "in the training process, on batches"),
    }
    step = trained(example.network(len(made.classes)), example.pixels)
    return Training(name, made, batch, step, feeds)


def measured(training: Training, rounds: int) -> dict[str, Any]:
    """What came out for one training: every feed's step, what a step may take at most, the parts alone."""
    times = turns(training.feeds, training.step, rounds)
    stages = alone.stages(training.dataset, training.batch, 3 * rounds)
    model = alone.model(training.step, next(iter(training.feeds[WITHOUT].batches)))
    steps = {name: time[:, 0] for name, time in times.items()}
    allowed = steps[WITHOUT] + stages["make"][1] / usable()
    feeds = [
        {
            "feed": name,
            "how": fed.how,
            "step_s": quartiles(steps[name]),
            "items_per_s": training.batch / quartiles(steps[name])[1],
            "waiting": quartiles(times[name][:, 1] / steps[name]),
        }
        for name, fed in training.feeds.items()
    ]
    ratio = quartiles(steps[WITH] / allowed)
    said = {"training": training.name, "batch": training.batch, "model_s": model, "ratio": ratio}
    said["threads"] = torch.get_num_threads()
    return said | {"stages_s": stages, "feeds": feeds}


def found(given: dict[str, str], rounds: int) -> Iterator[dict[str, Any]]:
    """Every training that is asked for, one after the other."""
    for kind, build in (("speech", speech), ("steel", steel)):
        places = {"built-in": None} | ({"real": Path(given[kind])} if kind in given else {})
        for which, data in places.items():
            name = f"{kind}, {which}"
            if given.get("only", "") in name:
                with tempfile.TemporaryDirectory() as home:
                    yield measured(build(name, data, Path(home), int(given.get("items", 1024))), rounds)


def main(arguments: list[str]) -> None:
    """Measure, print JSON for each training, write."""
    given = dict(argument.split("=", 1) for argument in arguments)
    rounds = int(given.get("rounds", 7))
    trainings = []
    for one in found(given, rounds):
        trainings.append(one)
        print(json.dumps(one, ensure_ascii=False, indent=1), flush=True)
    said = {"machine": machine(), "versions": host()["versions"], "rounds": rounds, "cores": usable()}
    said |= {"workers": peers.WORKERS, "trainings": trainings}
    out = Path(given.get("out", RESULT))
    out.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])
