"""The chains of `benchmarks/peers` on a CUDA device, by us and by the peers that work there."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.gpu_input import seconds

ON_CUDA = {"kornia": "kornia", "torchvision": "torchvision", "torch_audiomentations": "torch_audiomentations"}
"""Package → the function of `peers/image.py` or `peers/sound.py` that works on whichever device its tensors are."""


def chains(absent: list[str], only: str = "") -> list[Any]:
    """The chains of several steps; none of sounds where a bank's files cannot be read."""
    from benchmarks.peers import image, sound

    kinds = [image] if "soundfile" in absent else [image, sound]
    return [chain for kind in kinds for chain in kind.CHAINS if len(chain.steps) > 1 and only in chain.name]


@contextmanager
def tensors_on(device: str) -> Iterator[None]:
    """Tensors that come from numpy arrays are on a device: the peers' chains begin so."""
    import torch

    plain = torch.from_numpy
    torch.from_numpy = lambda array: plain(array).to(device)
    try:
        yield
    finally:
        torch.from_numpy = plain


def race(chain: Any, absent: list[str], rounds: int, device: str = "cuda") -> dict[str, Any]:
    """Seconds of a batch of a chain, ours and each peer's, from memory and back to it."""
    import numpy as np

    from benchmarks.peers import image, material, sound
    from benchmarks.peers.chain import BATCH

    kind = image if chain.kind == "image" else sound
    shape = " × ".join(map(str, chain.shape))
    found: dict[str, Any] = {"name": chain.name, "shape": shape, "items": BATCH, "peers": []}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        material.write(chain, folder)
        batch = np.load(folder / "batches.npy", mmap_mode="r")[0].copy()
        found["ours_s"] = seconds(_ours(chain, kind, folder, batch, device), rounds)
        for package, function in ON_CUDA.items():
            prepare = getattr(kind, function, None)
            if package in absent or prepare is None:
                continue
            line: dict[str, Any] = {"peer": package.replace("_", "-")}
            try:
                line["s"] = seconds(_theirs(prepare, chain, folder, batch, device), rounds)
            # What a peer cannot do on a device is its own affair, and is said in its row.
            except Exception as error:
                line["failed"] = f"{type(error).__name__}: {error}".splitlines()[0][:80]
                print(f"gpu: {chain.name}: {line['peer']}: {line['failed']}", file=sys.stderr)
            found["peers"].append(line)
    return found


def _ours(chain: Any, kind: Any, folder: Path, batch: Any, device: str) -> Callable[[], Any]:
    from benchmarks.peers import ours
    from sliceforge.engine import fuse

    recipe, banks = ours.recipe_of(chain, kind.STEPS), ours.shelf(chain, folder)
    parents, rate = ours.parents_of(chain, batch), ours.RATE if chain.kind == "audio" else 0
    turn = iter(range(1 << 30))

    def work() -> Any:
        drawn = ours.rows(recipe, parents, next(turn), banks)
        tasks = [fuse.Task(one, rate, row) for one, row in zip(parents, drawn, strict=True)]
        return fuse.make(recipe, tasks, banks, device=device)

    return work


def _theirs(prepare: Any, chain: Any, folder: Path, batch: Any, device: str) -> Callable[[], Any]:
    import torch

    with tensors_on(device):
        inner = prepare(chain, folder, 1)
    turn = iter(range(1 << 30))

    def work() -> Any:
        with tensors_on(device):
            made = inner(batch, next(turn))
        return made.cpu() if isinstance(made, torch.Tensor) else [one.cpu() for one in made]

    return work
