"""COCO, YOLO and VOC from other hands: boxes, outlines, what is damaged, and donors of each."""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pycocotools import mask as coco

from sliceforge.engine import regions
from sliceforge.engine.banks import Shelf
from sliceforge.engine.cli import main
from sliceforge.engine.errors import REASONS, InputError, SettingError
from sliceforge.engine.manifest import Manifest, read


def picture(path: Path, seed: int = 0) -> None:
    """Grey grain with a dark disc of radius 8 at (20, 30), 64 × 80."""
    grain = np.random.default_rng(seed).normal(120, 2, (64, 80)) - 50 * disc()
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).save(path)


def disc() -> np.ndarray:
    down, right = np.mgrid[:64, :80]
    return (right - 20) ** 2 + (down - 30) ** 2 <= 64


def reasons(found: Manifest) -> dict[str, str]:
    return {reject.id: reject.reason for reject in found.rejects}


def by_path(found: Manifest) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in found.table.to_pylist()}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A COCO file as others write it: annotations/ beside train2017/, polygons, counts, a crowd, and damage."""
    for name in "abcdefgh":
        picture(tmp_path / "train2017" / f"{name}.jpg", ord(name))
    packed = coco.encode(np.asfortranarray(disc().astype(np.uint8)))
    packed = {"size": packed["size"], "counts": packed["counts"].decode()}
    square = [30.0, 10.0, 50.0, 10.0, 50.0, 20.0, 30.0, 20.0]
    crowd = {"segmentation": {"size": [64, 80], "counts": [0, 64 * 80]}, "bbox": [0, 0, 80, 64], "iscrowd": 1}
    marks: list[tuple[int, dict[str, Any]]] = [
        (1, {"bbox": [12, 22, 17, 17], "segmentation": packed, "category_id": 7}),
        (1, {"bbox": [30, 10, 20, 10], "segmentation": [square], "category_id": 9}),
        (1, {**crowd, "category_id": 7}),
        (2, {"bbox": [12, 22, 17, 17], "category_id": 7}),
        (2, {"segmentation": square, "category_id": 7}),
        (4, {"bbox": [1, 1, 5, 5], "category_id": 404}),
        (5, {"bbox": [1, 1, "x", 5], "category_id": 7}),
        (6, {"bbox": [1, 1, 5, 5], "segmentation": {"size": [6, 8], "counts": "0"}, "category_id": 7}),
        (7, {"bbox": [1, 1, 0, 5], "category_id": 7}),
        (99, {"bbox": [1, 1, 5, 5], "category_id": 7}),
    ]
    names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg", "g.jpg", "../../out.jpg", "gone.jpg"]
    whole = {
        "images": [{"id": i, "file_name": name, "width": 80, "height": 64} for i, name in enumerate(names, 1)],
        "annotations": [{"id": i, "image_id": image, **one} for i, (image, one) in enumerate(marks, 1)],
        "categories": [{"id": 7, "name": "pit"}, {"id": 9, "name": "rust"}],
    }
    path = tmp_path / "annotations" / "instances_train2017.json"
    path.parent.mkdir()
    path.write_text(json.dumps(whole))
    return path


def test_coco_gives_boxes_labels_outlines_and_split(dataset: Path) -> None:
    found = read(str(dataset), "image")
    assert found.root == dataset.parent.parent
    rows = by_path(found)
    first, second, third = (rows[f"train2017/{name}.jpg"] for name in "abc")
    assert (first["label"], first["crowds"], first["split"]) == ("pit+rust", 1, "train")
    assert regions.boxes(first) == [[12, 22, 29, 39], [30, 10, 50, 20]]
    outlines = [regions.outlined(one, 64, 80) for one in regions.segmentations(first, 2) or []]
    assert np.array_equal(outlines[0], disc())
    assert (outlines[1].sum(), outlines[1][10:20, 30:50].all()) == (200, True)
    assert regions.boxes(second) == [[12, 22, 29, 39], [30, 10, 50, 20]]
    assert (regions.segmentations(second, 2) or [0])[0] is None
    assert (third["label"], regions.boxes(third)) == (None, [])
    assert reasons(found) == {
        "annotation 10": "unreadable",
        "d.jpg": "label_missing",
        "e.jpg": "unreadable",
        "train2017/../../out.jpg": "outside",
    }
    dataset.write_text(json.dumps(json.loads(dataset.read_text()), indent=1))
    assert read(str(dataset), "image").table.equals(found.table)


def test_objects_of_coco_go_through_a_run_and_what_is_wrong_is_rejected(dataset: Path, tmp_path: Path) -> None:
    still = ("steps.flip.horizontal=1", "steps.affine.p=0", "steps.elastic.p=0", "steps.crop.p=0")
    out = tmp_path / "RUN"
    settings = ("sink=coco", "workers=1", "device=cpu", "max_rejects=1", *still)
    assert main(["generate", "recipe=geometric", f"data={dataset}", f"out={out}", *settings]) == 0
    made = read(str(out / "annotations.json"), "image")
    row = by_path(made)["images/train2017/a~1.png"]
    assert regions.box_labels(row, 2) == ["pit", "rust"]
    assert regions.boxes(row) == [[51, 22, 68, 39], [30, 10, 50, 20]]
    outlines = [regions.outlined(one, 64, 80) for one in regions.segmentations(row, 2) or []]
    assert np.array_equal(outlines[0], disc()[:, ::-1])
    rejects = pq.read_table(out / "rejects.parquet").to_pylist()
    said = {reject["parents"][0]: reject["reason"] for reject in rejects}
    assert {said.get(f"train2017/{name}") for name in ("f", "g", "gone")} == {"unreadable"}


def test_each_object_of_coco_is_a_donor_with_its_own_mask(dataset: Path) -> None:
    shelf = Shelf.open({"donors": str(dataset)}, "image")
    known = shelf.inventories()["donors"]
    marks = dict(zip(known.ids, zip(known.labels, known.marks, strict=True), strict=True))
    assert marks["train2017/a#1"] == ("pit", "mask")
    assert marks["train2017/a#2"] == ("rust", "mask")
    assert marks["train2017/b#1"] == ("pit", "box")
    assert np.array_equal(shelf.donor("donors", "train2017/a#1").mask, disc())
    refused = {reject.id: reject.reason for reject in shelf.rejects()["donors"]}
    assert (refused["train2017/c"], refused["train2017/f"]) == ("empty", "unreadable")


@pytest.mark.parametrize(
    "text",
    [
        '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": 7}',
        '{"images": [1], "annotations": []}',
        '{"images": [], "annotations": []}',
        '{\n"images": [{"id": 1, "file_name": "a.jpg"}],',
        '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [[]]}',
    ],
)
def test_a_damaged_coco_file_is_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(SettingError) as caught:
        read(str(path), "image")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("data: ")


def test_odd_values_in_coco_are_rejects_and_no_traceback(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    odd: list[Any] = [None, 7, "x", [], {}, [[]], float("nan"), [1, 2], {"a": 1}, True]
    for field in ("bbox", "segmentation", "category_id", "image_id", "id", "iscrowd"):
        for value in odd:
            one = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], field: value}
            whole = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [one]}
            (tmp_path / "x.json").write_text(json.dumps(whole | {"categories": [{"id": 1, "name": "pit"}]}))
            found = read(str(tmp_path / "x.json"), "image")
            assert len(found.table) + len(found.rejects) >= 1
            assert {reject.reason for reject in found.rejects} <= set(REASONS)
            for row in found.table.to_pylist():
                with contextlib.suppress(InputError):
                    for outline in regions.segmentations(row, len(regions.boxes(row) or ())) or ():
                        assert outline is None or regions.outlined(outline, 64, 80).shape == (64, 80)


@pytest.mark.parametrize("layout", ["images/{split}/{name}.jpg", "{split}/images/{name}.jpg"])
def test_yolo_has_splits_outlines_and_images_without_objects(layout: str, tmp_path: Path) -> None:
    texts = {
        (
            "train",
            "a",
        ): "0 0.25625 0.4765625 0.2125 0.265625\n1 0.375 0.15625 0.625 0.15625 0.625 0.3125 0.375 0.3125\n",
        ("train", "b"): "",
        ("train", "c"): None,
        ("val", "d"): "5 0.5 0.5 0.1 0.1\n",
        ("val", "e"): "0 0.5 nan 0.1 0.1\n",
        ("val", "f"): "0 0.5\n",
    }
    for (split, name), text in texts.items():
        path = tmp_path / layout.format(split=split, name=name)
        picture(path)
        if text is not None:
            label = Path(str(path).replace("/images", "/labels")).with_suffix(".txt")
            label.parent.mkdir(parents=True, exist_ok=True)
            label.write_text(text)
    (tmp_path / "data.yaml").write_text("names: [pit, rust]\n")
    found = read(str(tmp_path), "image")
    rows = {Path(path).stem: row for path, row in by_path(found).items()}
    assert (rows["a"]["label"], rows["a"]["split"]) == ("pit+rust", "train")
    assert regions.boxes(rows["a"]) == [[12, 22, 29, 39], [30, 10, 50, 20]]
    outlines = regions.segmentations(rows["a"], 2) or []
    assert outlines[0] is None
    assert regions.outlined(outlines[1], 64, 80)[10:20, 30:50].all()
    assert regions.boxes(rows["b"]) == regions.boxes(rows["c"]) == []
    assert sorted(reasons(found).values()) == ["label_missing", "unreadable", "unreadable"]
    assert list(Shelf.open({"donors": str(tmp_path)}, "image").inventories()["donors"].labels) == ["pit", "rust"]


XML = """<annotation><folder>x</folder><filename>{file}</filename>{objects}</annotation>"""
ONE = (
    "<object><name>{name}</name><bndbox><xmin>13</xmin><ymin>23</ymin><xmax>29</xmax><ymax>39</ymax></bndbox></object>"
)


@pytest.mark.parametrize("folders", [("", ""), ("JPEGImages/", "Annotations/"), ("IMAGES/", "ANNOTATIONS/")])
def test_voc_is_found_in_every_layout(folders: tuple[str, str], tmp_path: Path) -> None:
    images, documents = folders
    written = {
        "a": XML.format(file="a.jpg", objects=ONE.format(name="pit")),
        "b": XML.format(file="wrong name.jpg", objects=ONE.format(name="pit") + ONE.format(name="rust")),
        "c": XML.format(file="c", objects=""),
        "nameless": XML.format(file="a.jpg", objects=ONE.format(name="")),
        "away": XML.format(file="../../x.jpg", objects=ONE.format(name="pit")),
        "broken": "<annotation>",
        "bomb": '<!DOCTYPE x [<!ENTITY a "b">]>' + XML.format(file="a.jpg", objects="&a;"),
        "odd": XML.format(file="c.jpg", objects=ONE.format(name="pit").replace("13", "thirteen")),
        "lost": XML.format(file="lost.jpg", objects=""),
    }
    (tmp_path / documents).mkdir(exist_ok=True)
    for name, text in written.items():
        (tmp_path / documents / f"{name}.xml").write_text(text)
    for name in "abc":
        picture(tmp_path / images / f"{name}.jpg")
    found = read(str(tmp_path), "image")
    rows = by_path(found)
    assert [rows[f"{images}{name}.jpg"]["label"] for name in "abc"] == ["pit", "pit+rust", None]
    assert regions.boxes(rows[f"{images}a.jpg"]) == [[12, 22, 29, 39]]
    assert {Path(name).stem: reason for name, reason in reasons(found).items()} == {
        "nameless": "label_missing",
        "away": "outside",
        "broken": "unreadable",
        "bomb": "unreadable",
        "odd": "unreadable",
        "lost": "unreadable",
    }


def test_a_form_that_names_its_labels_takes_no_pattern(dataset: Path) -> None:
    with pytest.raises(SettingError, match="pattern"):
        read(str(dataset), "image", "{label}_{index}")
