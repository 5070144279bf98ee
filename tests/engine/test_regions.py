"""What a parent's label covers goes along: masks and boxes, from the table to the made item's manifest."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from harness import tree
from PIL import Image

from sliceforge.engine import regions
from sliceforge.engine.audit import audit
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import InputError
from sliceforge.engine.run import Summary, generate


def made(recipe: str, out: Path, *more: str) -> Summary:
    wanted = [f"recipe={recipe}", f"out={out}", "workers=1", "max_rejects=1", *more]
    return generate(compose("generate", wanted), recipe)


def rows(run: Path, name: str = "manifest") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(run / f"{name}.parquet").to_pylist()
    return found


def member_of(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None
    return file.read()


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """Three images of 40 × 60 with a mask and boxes, one whose mask is too small, one whose mask is elsewhere."""
    folder = tmp_path / "marked"
    folder.mkdir()
    generator = np.random.default_rng(3)
    lines = ["id,path,label,split,mask,boxes,box_labels"]
    for name in ("a", "b", "c", "small", "lost"):
        Image.fromarray(generator.integers(90, 140, (40, 60), np.uint8)).save(folder / f"{name}.png")
        mask = np.zeros((40 if name != "small" else 39, 60), np.uint8)
        mask[10:20, 5:25] = 255
        Image.fromarray(mask).save(folder / f"{name}.region.png")
        place = "../x.png" if name == "lost" else f"{name}.region.png"
        labels = '"[""pit"",""rust""]"' if name == "a" else ""
        lines.append(f'{name},{name}.png,dent,train,{place},"[[5,10,25,20],[30,0,60,8.5]]",{labels}')
    (folder / "table.csv").write_text("\n".join(lines))
    return folder / "table.csv"


def test_masks_and_boxes_go_through_a_warp_and_come_out(marked: Path, tmp_path: Path) -> None:
    flip = ("steps.flip.horizontal=1", "steps.affine.p=0", "steps.elastic.p=0", "steps.crop.p=0")
    made("geometric", tmp_path / "run", f"data={marked}", *flip)
    found = {row["id"]: row for row in rows(tmp_path / "run")}
    assert set(found) == {"a~1", "b~1", "c~1"}
    assert found["a~1"]["boxes"] == [[35, 10, 55, 20], [0, 0, 30, 8.5]]
    assert found["a~1"]["box_labels"] == ["pit", "rust"]
    assert found["b~1"]["box_labels"] == ["dent", "dent"]
    assert found["b~1"]["label"] == "dent"
    shard, _, member = found["b~1"]["mask"].partition(".tar/")
    with tarfile.open(tmp_path / "run" / f"{shard}.tar") as tar:
        mask = np.asarray(Image.open(io.BytesIO(member_of(tar, member))))
        row = json.loads(member_of(tar, "b~1.json"))
    assert mask.sum() == 200 * 255
    assert mask[10:20, 35:55].all()
    assert row["boxes"] == found["b~1"]["boxes"]
    assert {row["parents"][0]: row["reason"] for row in rows(tmp_path / "run", "rejects")} == {
        "small": "unreadable",
        "lost": "outside",
    }
    assert audit({"run": str(tmp_path / "run"), "share": 1.0})[1] == []


def test_a_painted_label_stands_beside_those_that_were_brought(marked: Path, tmp_path: Path) -> None:
    made("steel/scratches", tmp_path / "run", f"data={marked}", "sink=folder", "steps.second.p=0", "steps.third.p=0")
    row = rows(tmp_path / "run")[0]
    assert row["label"] == "scratches"
    assert row["box_labels"][-1] == "scratches"
    assert len(row["boxes"]) == 3
    mask = np.asarray(Image.open(tmp_path / "run" / row["mask"]))
    assert mask[10:20, 5:25].all()
    assert (mask > 0).sum() > 200


def test_a_run_with_masks_is_data_and_so_are_its_files(marked: Path, tmp_path: Path) -> None:
    still = ("steps.flip.horizontal=0", "steps.affine.p=0", "steps.elastic.p=0", "steps.crop.p=0")
    for sink in ("folder", "webdataset"):
        first, again = tmp_path / sink, tmp_path / f"again {sink}"
        made("geometric", first, f"data={marked}", f"sink={sink}", *still)
        made("geometric", again, f"data={first}", *still)
        before, after = rows(first), rows(again)
        assert [row["boxes"] for row in after] == [row["boxes"] for row in before]
        assert all(row["mask"] for row in after)
    made("geometric", tmp_path / "plain", f"data={tmp_path / 'folder' / 'items'}", *still)
    plain = rows(tmp_path / "plain")
    assert len(plain) == 3
    assert all(row["mask"] for row in plain)


@pytest.mark.parametrize("text", ["nonsense", "[[1,2,3]]", "[[3,1,1,3]]", "[[0,0,1,NaN]]", "{}", '[["a",0,1,1]]', "1"])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="boxes"):
        regions.boxes({"boxes": text})


def test_boxes_come_in_every_dress() -> None:
    assert regions.boxes({"boxes": [[1, 2, 3, 4]]}) == [[1, 2, 3, 4]]
    assert regions.boxes({"boxes": "[1, 2, 3, 4.5]"}) == [[1, 2, 3, 4.5]]
    assert regions.boxes({"boxes": "[]"}) == []
    assert regions.boxes({"boxes": None, "x0": 1, "y0": 2, "x1": 3, "y1": 4}) == [[1, 2, 3, 4]]
    assert regions.boxes({"x0": 1, "y0": 2, "x1": 3}) is None
    assert regions.boxes({}) is None


@pytest.fixture
def donors(tmp_path: Path) -> Path:
    """Five dark bars in two classes, each with its mask beside it."""
    for i in range(5):
        folder = tmp_path / "donors" / ("bar", "stripe")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.full((30, 40), 150, np.uint8)
        pixels[10:16, 8 : 20 + 2 * i] = 90
        Image.fromarray(pixels).save(folder / f"{i}.png")
        Image.fromarray(pixels < 120).save(folder / f"{i}.mask.png")
    return tmp_path / "donors"


def test_a_paste_run_keeps_its_cap_its_labels_and_its_bytes_however_it_is_made(donors: Path, tmp_path: Path) -> None:
    settings = (f"banks.donors={donors}", "steps.paste.cap=6", "shard=5", "gates.visible.cnr=10")
    settings += ("gates.seam=null", "gates.duplicate=null")
    made("steel/paste", tmp_path / "one", *settings, "variants=2")
    made("steel/paste", tmp_path / "two", *settings, "variants=1", "batch=3")
    made("steel/paste", tmp_path / "two", *settings, "variants=2", "batch=3")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    found = rows(tmp_path / "one")
    used = [row["donor"] for row in found]
    assert max(used.count(donor) for donor in set(used)) <= 6
    assert any(row["attempt"] for row in found)
    assert all(row["label"] == row["donor"].split("/")[0] == row["defect"] for row in found)
    assert all(len(row["boxes"]) == 1 for row in found)
    rejected = [row for row in rows(tmp_path / "one", "rejects") if row["reason"] == "empty"]
    assert len(rejected) == 32 - 30
    assert all("cap" in row["detail"] for row in rejected)
    assert audit({"run": str(tmp_path / "one"), "share": 0.3})[1] == []
