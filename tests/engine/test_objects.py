"""The objects of images that brought several along: each keeps its own mask, box and label, whatever moves it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pycocotools import mask as masks
from pycocotools.coco import COCO

from sliceforge.engine.cli import main
from sliceforge.engine.manifest import read

HEIGHT, WIDTH = 60, 80
SMALL = ("seed=3", "workers=1", "device=cpu", "report=false", "sink=coco", "min_yield=0")
STILL = ("steps.flip.p=0", "steps.affine.p=0", "steps.elastic.p=0", "steps.crop.p=0")


def disc(x: float, y: float, radius: float) -> np.ndarray:
    """The pixels whose middle is in a circle, (H, W) bool."""
    down, across = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    found: np.ndarray = (across - x) ** 2 + (down - y) ** 2 < radius**2
    return found


DISCS = {"pit": disc(30, 30, 14), "rust": disc(42, 30, 12)}
"""Two objects that share pixels, so that each box holds a part of the other."""


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """One image with two discs that overlap, and a box without an outline over both."""
    Image.fromarray(np.random.default_rng(1).integers(90, 140, (HEIGHT, WIDTH), np.uint8)).save(tmp_path / "one.png")
    marks: list[dict[str, Any]] = []
    for number, mask in enumerate(DISCS.values(), 1):
        runs = masks.encode(np.asfortranarray(mask.astype(np.uint8)))
        outline = {"size": [HEIGHT, WIDTH], "counts": runs["counts"].decode()}
        marks.append({"bbox": masks.toBbox(runs).tolist(), "category_id": number, "segmentation": outline})
    marks.append({"bbox": [5, 5, 60, 50], "category_id": 3})
    known = [{"id": 10 + place, "image_id": 1, "iscrowd": 0, **mark} for place, mark in enumerate(marks)]
    names = [{"id": number, "name": name} for number, name in enumerate((*DISCS, "area"), 1)]
    image = {"id": 1, "file_name": "one.png", "height": HEIGHT, "width": WIDTH}
    whole = {"images": [image], "annotations": known, "categories": names}
    (tmp_path / "marks.json").write_text(json.dumps(whole))
    return tmp_path / "marks.json"


def made(data: Path, out: Path, recipe: str, *more: str) -> tuple[dict[str, Any], dict[str, Any], COCO]:
    """The manifest's row of the one item, name → annotation, and pycocotools' reader."""
    assert main(["generate", f"recipe={recipe}", f"data={data}", f"out={out}", *SMALL, *more]) == 0
    found = COCO(str(out / "annotations.json"))
    row = pq.read_table(out / "manifest.parquet").to_pylist()[0]
    return row, {found.cats[one["category_id"]]["name"]: one for one in found.dataset["annotations"]}, found


# pycocotools makes arrays in a way that numpy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@pytest.mark.parametrize("flipped", [False, True])
def test_objects_that_overlap_keep_masks_of_their_own(flipped: bool, crowded: Path, tmp_path: Path) -> None:
    moves = ("steps.flip.p=1", "steps.flip.horizontal=1", "steps.flip.vertical=0") if flipped else ()
    row, marks, found = made(crowded, tmp_path / "RUN", "geometric", *STILL, *moves)
    for name, mask in DISCS.items():
        meant = mask[:, ::-1] if flipped else mask
        assert np.array_equal(found.annToMask(marks[name]).astype(bool), meant)
        assert marks[name]["area"] == mask.sum()
    assert marks["area"]["segmentation"] == []
    assert marks["area"]["bbox"] == [WIDTH - 65 if flipped else 5, 5, 60, 50]
    assert row["box_labels"] == ["pit", "rust", "area"]


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_the_box_of_a_moved_outline_is_tight(crowded: Path, tmp_path: Path) -> None:
    still = ("steps.affine.shear=0", "steps.affine.translate_x=0", "steps.affine.translate_y=0", "steps.affine.scale=1")
    turned = ("steps.affine.p=1", "steps.affine.rotate=45", *still)
    row, marks, found = made(crowded, tmp_path / "RUN", "geometric", *STILL, *turned)
    for name, mask in DISCS.items():
        down, across = np.nonzero(found.annToMask(marks[name]))
        tight = [across.min(), down.min(), across.max() + 1, down.max() + 1]
        x, y, width, height = marks[name]["bbox"]
        assert [x, y, x + width, y + height] == tight == row["boxes"][row["box_labels"].index(name)]
        # A disc is as wide turned as it was; the hull of its turned box would be 1.4 times as wide.
        assert width < 1.1 * np.ptp(np.nonzero(mask)[1]) + 2


def test_what_is_painted_stands_beside_the_labels_of_objects(crowded: Path, tmp_path: Path) -> None:
    row, marks, _ = made(crowded, tmp_path / "RUN", "steel/scratches", "steps.second.p=0", "steps.third.p=0")
    assert row["label"] == "pit+rust+area+scratches"
    assert set(marks) == {"pit", "rust", "area", "scratches"}


def test_the_lists_of_voc_say_which_images_are_held_out(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "JPEGImages").mkdir(exist_ok=True)
        (tmp_path / "Annotations").mkdir(exist_ok=True)
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "JPEGImages" / f"{name}.png")
        (tmp_path / "Annotations" / f"{name}.xml").write_text(
            f"<annotation><filename>{name}.png</filename></annotation>"
        )
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nb\n")
    (lists / "val.txt").write_text("b  1\n")
    table = read(str(tmp_path), "image").table
    # What stands in two lists is held out.
    assert dict(zip(table["id"].to_pylist(), table["split"].to_pylist(), strict=True)) == {
        "JPEGImages/a": "train",
        "JPEGImages/b": "val",
        "JPEGImages/c": None,
    }
