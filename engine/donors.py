"""Donors: the marked things of an image bank, each of which can be put into another image."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sliceforge.engine import picture, regions
from sliceforge.engine.codecs import files
from sliceforge.engine.errors import InputError
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.paths import Fence, Reject
from sliceforge.engine.read import read_image
from sliceforge.kernels.residual import background, stands_out

PLAIN = "plain"
"""The mark of a picture that nobody has marked and in which nothing stands out: a source of texture, no donor."""


@dataclass(frozen=True)
class Place:
    """Where a donor lies.

    Args:
        path: its image.
        mask: its mask's file, or None.
        box: x0, y0, x1, y1 in pixel edges, or None.
        label: its class, or a sound's tag, or None.
        group: whose it is; see `groups.group_of`.
        split: the split that its table names, or empty.
        outline: its segmentation in COCO's form, as JSON text, or empty.
    """

    path: Path
    mask: Path | None = None
    box: tuple[float, ...] | None = None
    label: str | None = None
    group: str = ""
    split: str = ""
    outline: str = ""

    @property
    def mark(self) -> str:
        """What says where the donor is: mask, box, or empty: what stands out most."""
        return "mask" if self.mask or self.outline else "box" if self.box else ""


@dataclass(frozen=True)
class Donor:
    """A marked thing with the picture around it; its arrays are not to be written to.

    Args:
        image: (H, W, C) float32, 0…1, the whole picture; C is 1 or 3.
        mask: (H, W) bool, what its mask or box covers; with neither, what stands out, if anything does.
        clear: (H, W) bool, of a box what stands out in it, where anything does; else the mask.
        background: (H, W, C) float32, what the picture would be without it.
        label: its class, or None.
    """

    image: np.ndarray
    mask: np.ndarray
    clear: np.ndarray
    background: np.ndarray
    label: str | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.image.nbytes + self.mask.nbytes + self.clear.nbytes + self.background.nbytes


def places(listed: Manifest) -> tuple[dict[str, Place], list[Reject]]:
    """Donor's id → where it lies; an image with several boxes is as many donors, `id#1`, `id#2`….

    Only items of the training split, or of none, are donors.
    """
    found: dict[str, Place] = {}
    rejects = []
    fence = Fence(listed.root)
    for row in listed.table.to_pylist():
        path = listed.root / row["path"]
        try:
            if row["split"] not in (None, "", "train"):
                raise InputError("outside", f"belongs to the split {row['split']}; donors come from train")
            mask, boxes = regions.mask_path(row, fence), regions.boxes(row)
            names = regions.box_labels(row, len(boxes or ()))
            outlines = regions.segmentations(row, len(boxes or ())) or [None] * len(names)
        except InputError as error:
            rejects.append(Reject(row["id"], row["path"], error.reason, error.detail))
            continue
        if boxes == [] and not mask:
            rejects.append(Reject(row["id"], row["path"], "empty", "its table says that nothing is in it"))
            continue
        if mask or not boxes:
            found[row["id"]] = Place(path, listed.root / mask if mask else None, None, row["label"])
            continue
        for i, (box, label, outline) in enumerate(zip(boxes, names, outlines, strict=True), 1):
            item = row["id"] if len(boxes) == 1 else f"{row['id']}#{i}"
            found[item] = Place(path, None, tuple(box), label, outline=json.dumps(outline) if outline else "")
    return found, rejects


def read(place: Place) -> Donor:
    """One donor.

    Raises:
        InputError: it cannot be read, or nothing is in its mask or box.
    """
    image = np.ascontiguousarray(picture.unit(read_image(place.path))[..., :3])
    height, width, _ = image.shape
    plain = background(image)
    if place.mask:
        mask = clear = regions.read_mask(place.mask, height, width)
    elif place.outline:
        mask = clear = regions.outlined(json.loads(place.outline), height, width)
    elif place.box:
        mask = np.zeros((height, width), bool)
        x0, y0, x1, y1 = np.rint(np.clip(place.box, 0, [width, height, width, height])).astype(int)
        mask[y0:y1, x0:x1] = True
        clear = stands_out(image - plain, mask)
        clear = clear if clear.any() else mask
    else:
        mask = clear = stands_out(image - plain)
    if place.mark and not mask.any():
        raise InputError("empty", f"nothing in its {place.mark}")
    for array in (image, mask, clear, plain):
        array.flags.writeable = False
    return Donor(image, mask, clear, plain, place.label)


def vetted(found: Mapping[str, Place]) -> tuple[dict[str, str], list[Reject], str]:
    """(id → mark of the donors that can be used, sorted; the others; SHA-256 over ids and contents), each read once.

    The mark is the place's, or `PLAIN`.
    """
    good: dict[str, str] = {}
    rejects, whole = [], hashlib.sha256()
    for item, place in sorted(found.items()):
        try:
            donor = read(place)
        except InputError as error:
            rejects.append(Reject(item, place.path.name, error.reason, error.detail))
            continue
        good[item] = place.mark if donor.mask.any() else PLAIN
        contents = [files.sha256(path) for path in (place.path, place.mask) if path]
        whole.update(f"{item}\0{contents}\0{place.box}\0{place.label}{place.outline}\n".encode())
    return good, rejects, whole.hexdigest()
