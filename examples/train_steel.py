"""Learn the defects of steel strip with a torchvision network, with Sliceforge and without, on strip that is new.

python examples/train_steel.py                       clean strip that comes with Sliceforge, defects painted onto it
python examples/train_steel.py FOLDER [state=FILE]   class folders of pictures, such as X-SDD, in another light

With `state`, FILE.0 and FILE.1 keep where each training is: killed and started again, it goes on exactly there.
"""

from __future__ import annotations

import csv
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from resuming import told, train
from torchvision.models.resnet import BasicBlock, ResNet

from sliceforge.engine import Share, SliceDataset, load

SIDE, HELD = 64, "split = 'test'"
DAY = load("steel/line_scan", "steps.photometric.brightness=[0.25, 1.1]")
Arms = Iterator[tuple[str, SliceDataset, dict[str, SliceDataset]]]


def built_in() -> Arms:
    """Sixteen pictures of each defect, then as many new ones in every epoch; told on coils that no training saw."""
    recipes = [load(f"steel/{name}") for name in ("scratches", "patches", "pitted")]
    shares, unseen = ([Share(recipe, parents, share=1.0) for recipe in recipes] for parents in (None, HELD))
    test = SliceDataset(None, unseen, 8, items=HELD, extend=True, size=SIDE)
    for name, fixed in (("the same 16 of each defect", True), ("new defects in every epoch", False)):
        yield name, SliceDataset(None, shares, 7, extend=True, fixed=fixed, size=SIDE), {"new coils": test}


def pictures(data: str, folder: str) -> Arms:
    """The pictures as they are, then half of every epoch on another day; told as they are, and in light that is new."""
    rows = [("path", "label", "split")]
    for number, path in enumerate(sorted(Path(data).glob("*/*.*"))):
        small = Image.open(path).convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        # Written alike, so that no file type tells a class; doubles hash alike, and are on one side of the split.
        small.save(f"{folder}/{number}.jpg", quality=70)
        split = "test" if hashlib.sha256(small.tobytes()).digest()[0] < 51 else "train"
        rows.append((f"{number}.jpg", path.parent.name, split))
    with Path(f"{folder}/pictures.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    dark = load("photometric", "steps.photometric.brightness=[0.3, 0.6]")
    tests = {
        name: SliceDataset(f"{folder}/pictures.csv", [Share(dark, HELD, share=share)], 8, items=HELD)
        for name, share in (("as they are", 0.0), ("in the dark", 1.0))
    }
    for name, share in (("pictures alone", 0.0), ("half on another day", 0.5)):
        yield name, SliceDataset(f"{folder}/pictures.csv", [Share(DAY, share=share)], 7), tests


def network(classes: int) -> ResNet:
    """Half of a ResNet-18, 5 million weights."""
    return ResNet(BasicBlock, [1, 1, 1, 1], num_classes=classes)


def pixels(batch: dict[str, Any]) -> torch.Tensor:
    """(B, 3, H, W) of the grey images of a batch, about −2 … 2: alike for all, so that dark stays dark."""
    return ((batch["image"] / 255 - 0.45) / 0.25).expand(-1, 3, -1, -1)


def main(data: str | None = None, state: str = "", epochs: int | None = None) -> list[list[float]]:
    """Train both, print what each tells right and return it."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, dataset, tests) in enumerate(pictures(data, folder) if data else built_in()):
            torch.manual_seed(1)
            kept = Path(f"{state}.{number}") if state else None
            model = network(len(dataset.classes))
            model = train(model, pixels, dataset, epochs or (10 if data else 40), kept, rate=1e-3)
            found.append([told(model, pixels, one, 1 if data else 3) for one in tests.values()])
            shown = "   ".join(f"{test} {right:4.0%}" for test, right in zip(tests, found[-1], strict=True))
            print(f"{name:30}{shown}", flush=True)
    return found


if __name__ == "__main__":
    given = dict(one.split("=", 1) for one in sys.argv[1:] if one.startswith("state="))
    main(*(one for one in sys.argv[1:] if not one.startswith("state=")), **given)
