"""Each sink's output is read back by the library that it is meant for, and by Sliceforge; a finish may be cut off."""

import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import lhotse
import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import yaml
from harness import tree
from PIL import Image
from pycocotools.coco import COCO
from scipy.ndimage import binary_fill_holes
from torchvision.datasets import CocoDetection, ImageFolder

from sliceforge.engine import objects, regions
from sliceforge.engine.audit import audit
from sliceforge.engine.cli import main
from sliceforge.engine.compose import compose
from sliceforge.engine.manifest import read
from sliceforge.engine.replay import reopen
from sliceforge.engine.run import generate

IMAGES, SOUNDS = ("coco", "yolo", "voc", "classes"), ("lhotse", "nemo", "classes")
LAST = {
    "coco": "annotations.json",
    "yolo": "data.yaml",
    "lhotse": "supervisions.jsonl.gz",
    "nemo": "manifest.jsonl",
}
"""What a kind of sink writes last, beside the manifest."""


def command(kind: str, out: Path, *more: str) -> list[str]:
    sound = kind in ("lhotse", "nemo")
    recipe = "speech/car_noise" if sound else "steel/scratches"
    two = () if sound else ("steps.second.label=hair line", "steps.second.p=0.7")
    return ["generate", f"recipe={recipe}", f"sink={kind}", f"out={out}", *SMALL, *two, *more]


SMALL = ("seed=3", "workers=1", "shard=3", "device=cpu", "count=8")


def rows(run: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(run / "manifest.parquet").to_pylist()
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind of sink, and of COCO one with polygons."""
    folder = tmp_path_factory.mktemp("sinks")
    for kind in ("coco", "yolo", "voc", "classes", "lhotse", "nemo"):
        assert main(command(kind, folder / kind)) == 0
    assert main(command("coco", folder / "polygon", "sink.segmentation=polygon")) == 0
    assert main([*command("nemo", folder / "sounds"), "sink=classes"]) == 0
    return {path.name: path for path in folder.iterdir()}


def pixels(path: Path) -> np.ndarray:
    """A grey image, (H, W)."""
    with Image.open(path) as image:
        return np.asarray(image)


def things(run: Path) -> dict[str, tuple[objects.Thing, ...]]:
    """Id → the objects of the item, made again from its plan."""
    shop = reopen({"run": str(run)})
    planned = pq.read_table(run / "plan-v001.parquet")
    return {one.row["id"]: objects.found(shop.recipe, one) for one in shop.outcomes(planned) if not one.reason}


# pycocotools makes arrays in a way that numpy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@pytest.mark.parametrize("name", ["coco", "polygon"])
def test_pycocotools_gives_every_object_back_bit_for_bit(name: str, runs: dict[str, Path]) -> None:
    run = runs[name]
    found = COCO(str(run / "annotations.json"))
    made, meant = rows(run), things(run)
    assert [one["item"] for one in found.dataset["images"]] == [row["id"] for row in made]
    assert {one["name"] for one in found.loadCats(found.getCatIds())} == {"scratches", "hair line"}
    assert sorted(found.anns) == list(range(1, len(found.anns) + 1))
    for image, row in zip(found.dataset["images"], made, strict=True):
        assert pixels(run / "images" / image["file_name"]).shape == (image["height"], image["width"])
        marks = found.loadAnns(found.getAnnIds(imgIds=image["id"]))
        assert [found.cats[one["category_id"]]["name"] for one in marks] == row["box_labels"]
        union = np.zeros((image["height"], image["width"]), bool)
        for one, thing in zip(marks, meant[row["id"]], strict=True):
            mask = found.annToMask(one).astype(bool)
            assert np.array_equal(mask, thing.mask)
            x, y, width, height = one["bbox"]
            assert [x, y, x + width, y + height] == thing.box
            assert (one["area"], one["iscrowd"]) == (mask.sum(), 0)
            whole = np.array_equal(binary_fill_holes(mask, np.ones((3, 3))), mask)
            assert isinstance(one["segmentation"], list if name == "polygon" and whole else dict)
            union |= mask
        assert np.array_equal(pixels(run / row["mask"]) > 0, union)


def test_torchvision_reads_coco_and_class_folders(runs: dict[str, Path]) -> None:
    images = CocoDetection(str(runs["coco"] / "images"), str(runs["coco"] / "annotations.json"))
    assert len(images) == 8
    assert all(marks for _, marks in images)
    found = ImageFolder(str(runs["classes"] / "classes"))
    made = {str(runs["classes"] / row["path"]): row["label"] for row in rows(runs["classes"])}
    assert {path: found.classes[number] for path, number in found.samples} == made


def test_a_class_folder_of_sounds_has_nothing_else_in_it(runs: dict[str, Path]) -> None:
    run = runs["sounds"]
    files = {path.relative_to(run).as_posix() for path in (run / "classes").rglob("*") if path.is_file()}
    assert files == {row["path"] for row in rows(run)}
    assert all(row["path"].split("/")[1] == row["label"] for row in rows(run))


def test_yolo_has_a_line_for_each_object_and_names_its_classes(runs: dict[str, Path]) -> None:
    run = runs["yolo"]
    said = yaml.safe_load((run / "data.yaml").read_text("utf-8"))
    assert said == {"path": ".", "train": "images", "names": {0: "hair line", 1: "scratches"}}
    for row in rows(run):
        stem = Path(row["path"]).relative_to("images").with_suffix("")
        lines = [line.split() for line in (run / "labels" / f"{stem}.txt").read_text().splitlines()]
        assert [said["names"][int(line[0])] for line in lines] == row["box_labels"]
        for line, box in zip(lines, row["boxes"], strict=True):
            x, y, width, height = (200 * float(word) for word in line[1:])
            assert [x - width / 2, y - height / 2, x + width / 2, y + height / 2] == pytest.approx(box, abs=1e-5)


def test_voc_counts_from_one_and_its_last_pixel_is_in_the_box(runs: dict[str, Path]) -> None:
    run = runs["voc"]
    for row in rows(run):
        stem = Path(row["path"]).relative_to("JPEGImages").with_suffix("")
        root = ElementTree.parse(run / "Annotations" / f"{stem}.xml").getroot()
        assert root.findtext("filename") == f"{stem}.png"
        assert [root.findtext(f"size/{name}") for name in ("width", "height", "depth")] == ["200", "200", "1"]
        assert [one.findtext("name") for one in root.iter("object")] == row["box_labels"]
        mask = pixels(run / row["mask"]) > 0
        covered = np.zeros_like(mask)
        for one in root.iter("object"):
            x0, y0, x1, y1 = (int(one.findtext(f"bndbox/{name}") or 0) for name in ("xmin", "ymin", "xmax", "ymax"))
            assert mask[y0 - 1 : y1, x0 - 1].any()
            assert mask[y0 - 1 : y1, x1 - 1].any()
            covered[y0 - 1 : y1, x0 - 1 : x1] = True
        assert not (mask & ~covered).any()


def test_lhotse_reads_the_clips_and_what_is_said_in_them(runs: dict[str, Path]) -> None:
    run = runs["lhotse"]
    recordings = lhotse.RecordingSet.from_file(run / "recordings.jsonl.gz").with_path_prefix(run)
    supervisions = lhotse.SupervisionSet.from_file(run / "supervisions.jsonl.gz")
    lhotse.validate_recordings_and_supervisions(recordings, supervisions)
    made = {row["id"]: row for row in rows(run)}
    assert sorted(one.id for one in recordings) == sorted(made)
    for recording, supervision in zip(recordings, supervisions, strict=True):
        row = made[recording.id]
        written, rate = soundfile.read(run / row["path"], dtype="float32")
        assert np.array_equal(recording.load_audio()[0], written)
        assert (recording.sampling_rate, recording.num_samples) == (rate, len(written))
        assert (supervision.text, supervision.speaker) == (row["transcript"], row["speaker"])
        assert (supervision.custom["label"], supervision.custom["snr"]) == (row["label"], row["snr"])
    assert (run / "recordings.jsonl.gz").read_bytes()[4:8] == bytes(4)


def test_nemo_lines_name_the_clips(runs: dict[str, Path]) -> None:
    run = runs["nemo"]
    lines = pq.read_table(run / "manifest.parquet").to_pylist()
    found = read(str(run / "manifest.jsonl"), "audio").table.to_pylist()
    assert not read(str(run / "manifest.jsonl"), "audio").rejects
    meant = {row["id"]: row for row in lines}
    assert sorted(row["id"] for row in found) == sorted(meant)
    for row in found:
        own = meant[row["id"]]
        info = soundfile.info(run / row["path"])
        assert row["duration"] == info.frames / info.samplerate
        assert (row["text"], row["label"], row["speaker"]) == (own["transcript"], own["label"], own["speaker"])


@pytest.mark.parametrize("kind", ["coco", "polygon", "yolo", "voc", "classes", "lhotse"])
def test_what_was_written_comes_in_again(kind: str, runs: dict[str, Path], tmp_path: Path) -> None:
    own = ("run.yaml", "*.parquet", "receipts", "parts", "log")
    shutil.copytree(runs[kind], tmp_path / "data", ignore=shutil.ignore_patterns(*own))
    inner = {"lhotse": "recordings.jsonl.gz", "classes": "classes"}.get(kind, "")
    inner = "annotations.json" if kind in ("coco", "polygon") else inner
    found = read(str(tmp_path / "data" / inner), "audio" if kind == "lhotse" else "image")
    assert not found.rejects
    prefix = {"classes": "classes/"}.get(kind, "")
    made = {row["path"].removeprefix(prefix): row for row in rows(runs[kind])}
    assert sorted(row["path"] for row in found.table.to_pylist()) == sorted(made)
    for row in found.table.to_pylist():
        meant = made[row["path"]]
        if kind == "lhotse":
            assert (row["id"], row["transcript"]) == (meant["id"], meant["transcript"])
        if kind in ("lhotse", "classes"):
            assert row["label"] == meant["label"]
            continue
        assert regions.boxes(row) == meant["boxes"]
        assert regions.box_labels(row, len(meant["boxes"])) == meant["box_labels"]
        if kind in ("coco", "polygon"):
            outlines = regions.segmentations(row, len(meant["boxes"])) or []
            union = np.logical_or.reduce([regions.outlined(one, 200, 200) for one in outlines])
            assert np.array_equal(pixels(runs[kind] / meant["mask"]) > 0, union)


@pytest.mark.parametrize("kind", ["coco", "yolo", "lhotse"])
def test_a_run_of_any_sink_is_data_and_passes_its_audit(kind: str, runs: dict[str, Path]) -> None:
    found = read(str(runs[kind]), "audio" if kind == "lhotse" else "image")
    assert len(found.table) == 8
    assert not found.rejects
    assert audit({"run": str(runs[kind]), "share": 0.3})[1] == []


@pytest.mark.parametrize(("kind", "name"), [*LAST.items(), ("yolo", "labels/*.txt"), ("lhotse", "recordings.jsonl.gz")])
def test_one_byte_of_what_speaks_of_all_items_is_found(kind: str, name: str, runs: dict[str, Path]) -> None:
    path = sorted(runs[kind].glob(name))[0]
    before = path.read_bytes()
    path.write_bytes(before[:-2] + bytes([before[-2] ^ 1]) + before[-1:])
    found = audit({"run": str(runs[kind]), "share": 0.1})[1]
    path.write_bytes(before)
    assert [line.partition(":")[0] for line in found] == [path.relative_to(runs[kind]).as_posix()]


@pytest.mark.parametrize("kind", LAST)
def test_a_finish_that_was_cut_off_ends_with_the_same_bytes(
    kind: str, runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, plain = tmp_path / kind, Path.replace

    def cut(self: Path, target: Any) -> Path:
        if Path(target).name == LAST[kind]:
            raise KeyboardInterrupt
        return plain(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        generate(compose("generate", command(kind, out)[1:]))
    monkeypatch.undo()
    assert not (out / "manifest.parquet").exists()
    assert any(out.glob(".sliceforge-*"))
    assert main(command(kind, out)) == 0
    assert tree(out) == tree(runs[kind])


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_a_run_that_grew_is_the_one_that_was_long_from_the_start(
    kind: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / kind
    assert main(command(kind, out, "count=4")) == 0
    assert main(command(kind, out)) == 0
    assert tree(out) == tree(runs[kind])
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and "log" not in path.parts}
    assert main(command(kind, out)) == 0
    assert all(path.stat().st_mtime_ns == moment for path, moment in before.items())


@pytest.mark.parametrize(
    ("kind", "recipe", "words"),
    [
        ("coco", "speech/car_noise", "sink: coco: holds no items of kind audio; such as sink=lhotse"),
        ("nemo", "steel/scratches", "sink: nemo: holds no items of kind image; such as sink=coco"),
    ],
)
def test_a_sink_that_cannot_hold_the_items_is_one_line(
    kind: str, recipe: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", f"recipe={recipe}", f"sink={kind}", f"out={tmp_path / 'RUN'}"]) == 2
    assert capsys.readouterr().err.strip() == f"sliceforge: {words}"
    assert not (tmp_path / "RUN").exists()
