"""Steel strip of seven classes, through one JPEG encoder and without doubles, and what trains, tunes and reports."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from sliceforge.engine.keys import Keys

SIDE, SEEN, QUALITY = 128, 64, 90
"""Pixels of an image, of what a network sees of it, and the quality of the JPEG that every image goes through: one
class alone comes as PNG, and without this its missing artefacts would be its label."""

BLOCK = 5
"""Files of neighbouring numbers that stay in one part: they may be of one coil."""

SHARES = {"train": 0.5, "tune": 0.2, "report": 0.3}


@dataclass(frozen=True)
class Strips:
    """Images.

    Args:
        ids: (N,) class folder and number.
        names: the classes.
        label: (N,) class numbers.
        block: (N,) which images may be of one coil.
        pixels: (N, SIDE, SIDE) uint8.
    """

    ids: np.ndarray
    names: tuple[str, ...]
    label: np.ndarray
    block: np.ndarray
    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, rows: np.ndarray) -> Strips:
        """Some of the images: a mask or row numbers."""
        return Strips(self.ids[rows], self.names, self.label[rows], self.block[rows], self.pixels[rows])


def through_jpeg(pixels: np.ndarray) -> np.ndarray:
    """(H, W) uint8 as JPEG leaves it."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(out))


def features(pixels: np.ndarray) -> np.ndarray:
    """(N, SEEN, SEEN) float32 of (N, SIDE, SIDE) uint8: through JPEG, halved, in tenths of the image's own mean.

    X-SDD is normalised in brightness, so that its users' camera is, too: with an input that keeps the light, the
    network of training in good light says one class to every dark image, and the gain would be a strawman.
    """
    coded = np.stack([through_jpeg(one) for one in pixels]).astype(np.float32)
    half = coded.reshape(len(coded), SEEN, 2, SEEN, 2).mean(axis=(2, 4))
    light = np.maximum(half.mean(axis=(1, 2), keepdims=True), 1)
    return np.asarray((half / light - 1) / 0.1, np.float32)


@lru_cache(maxsize=1)
def strips(data: Path) -> Strips:
    """Every image of `data/x_sdd` once, sorted by id; of exact doubles the first.

    Raises:
        SystemExit: the folder has none.
    """
    folder, seen, rows = data / "x_sdd", set(), []
    names = tuple(sorted(path.name for path in folder.glob("*") if path.is_dir()))
    for path in sorted(folder.glob("*/*.[jp][pn]g")):
        image = Image.open(path).convert("L")
        pixels = np.asarray(image if image.size == (SIDE, SIDE) else image.resize((SIDE, SIDE)))
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()
        if digest not in seen:
            seen.add(digest)
            block = f"{path.parent.name}/{int(path.stem) // BLOCK}"
            rows.append((f"{path.parent.name}/{path.stem}", names.index(path.parent.name), block, through_jpeg(pixels)))
    if not rows:
        raise SystemExit(f"{data}: no images in x_sdd; expected X-SDD, such as 'x_sdd/red iron/2001.jpg'")
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Strips(columns[0], names, columns[1], columns[2], columns[3])


def parts(every: Strips) -> np.ndarray:
    """(N,) the part of each image: whole blocks, class by class, by keyed hash, into the part that lacks most."""
    part = np.empty(len(every), object)
    for label in range(len(every.names)):
        blocks, counts = np.unique(every.block[every.label == label], return_counts=True)
        key, have = Keys.of(0, [str(block) for block in blocks]).field("part"), np.zeros(len(SHARES))
        for at in np.argsort(key, kind="stable"):
            side = int(np.argmin(have / np.array(list(SHARES.values()))))
            part[every.block == blocks[at]] = list(SHARES)[side]
            have[side] += counts[at]
    return part.astype(str)


def part(data: Path, name: str) -> Strips:
    """The images that train, tune or report."""
    every = strips(data)
    return every.where(parts(every) == name)


def drawn(pool: Strips, per_class: dict[int, int], generator: np.random.Generator) -> Strips:
    """Some images of each class, as many as there are at most."""
    rows = []
    for label, count in per_class.items():
        own = np.flatnonzero(pool.label == label)
        rows.append(generator.choice(own, min(count, len(own)), replace=False))
    return pool.where(np.concatenate(rows))
