"""The same item four ways: `generate`, the loader, the one-array call and `replay`. Are the bytes the same?

python benchmarks/same_bytes.py DATA [ITEMS]

DATA holds fsdd/ (clips named label_speaker_index) and x_sdd/ (images in class folders); prints JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Share, SliceDataset, generate, load
from sliceforge.engine.compose import compose
from sliceforge.engine.read import read_audio, read_image
from sliceforge.engine.replay import replay

SETS = (("speech/car_noise", "fsdd", "*.wav", "{label}_{speaker}_{index}"), ("steel/scratches", "x_sdd", "*/*.jpg", ""))


def compare(data: Path, count: int, scratch: Path) -> Iterator[dict[str, Any]]:
    """One row for each recipe: how many items, and how many differ from what `generate` wrote."""
    for name, folder, files, pattern in SETS:
        some = scratch / folder
        paths = sorted((data / folder).glob(files))
        spare = count + count // 6  # some are turned down by a gate at the first draw
        for path in paths[:: max(1, len(paths) // spare)][:spare]:
            place = some / path.relative_to(data / folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        run = scratch / f"{folder}_run"
        # Without redraws, so that every accepted item is the first draw, as it is in a loader.
        settings = [f"recipe={name}", f"data={some}", f"out={run}", "seed=7", "workers=1", "sink=folder", "retries=0"]
        generate(compose("generate", [*settings, *([f"pattern={pattern}"] if pattern else [])]))
        here = _loaded(name, some, pattern)
        rows = pq.read_table(run / "manifest.parquet").to_pylist()[:count]
        differ = [row["id"] for row in rows if not _same(name, some, run, row, here[row["id"]])]
        yield {"recipe": name, "compared": len(rows), "differ": len(differ)}


def _loaded(name: str, data: Path, pattern: str) -> dict[str, np.ndarray]:
    """id → what a loader with shuffled batches gives."""
    dataset = SliceDataset(str(data), [Share(load(name), share=1.0)], 7, pattern=pattern)
    found = {}
    for batch in Augment(dataset)(DataLoader(dataset, 16, shuffle=True, collate_fn=dataset.collate), 1):
        for i, item in enumerate(batch["id"]):
            if dataset.kind == "audio":
                found[item] = batch["audio"][i, : batch["length"][i]].numpy()
            else:
                found[item] = batch["image"][i].numpy().transpose(1, 2, 0)
    return found


def _same(name: str, data: Path, run: Path, row: dict[str, Any], loaded: np.ndarray) -> bool:
    recipe, written = load(name), run / row["path"]
    again = run.parent / f"again{written.suffix}"
    replay({"run": str(run), "id": row["id"], "out": str(again)})
    if recipe.kind == "audio":
        x, rate = read_audio(data / row["parent_path"])
        there = read_audio(written)[0]
    else:
        x, rate = read_image(data / row["parent_path"]), None
        there = read_image(written)
    single = recipe(x, rate=rate, id=row["parents"][0], seed=7)
    alike = np.array_equal(single, there) and np.array_equal(loaded, there)
    return alike and again.read_bytes() == written.read_bytes()


def main() -> None:
    """Compare, print."""
    os.nice(5)
    with tempfile.TemporaryDirectory() as scratch:
        found = list(compare(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 500, Path(scratch)))
    print(json.dumps(found, indent=1))
    sys.exit(any(one["differ"] for one in found))


if __name__ == "__main__":
    main()
