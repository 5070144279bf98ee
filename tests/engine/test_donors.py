"""Donors: masks, boxes or what stands out; from the training split; read once and refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sliceforge.engine.banks import Shelf
from sliceforge.engine.errors import InputError, SettingError


def picture(x: int, y: int, seed: int = 0) -> np.ndarray:
    """Grey grain with a slope of light and a dark disc of radius 6 at (x, y), (64, 80) uint8."""
    right = np.arange(80)
    grain = np.random.default_rng(seed).normal(0, 2, (64, 80)) + 90 + right * 0.7
    return np.clip(grain - 40 * disc(x, y), 0, 255).astype(np.uint8)


def disc(x: int, y: int) -> np.ndarray:
    down, right = np.mgrid[:64, :80]
    return (right - x) ** 2 + (down - y) ** 2 <= 36


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A class folder: one with a mask, one without; one where nothing is; and what cannot be used."""
    folder = tmp_path / "bank" / "pit"
    folder.mkdir(parents=True)
    Image.fromarray(picture(20, 30)).save(folder / "marked.png")
    Image.fromarray(disc(20, 30)).save(folder / "marked.mask.png")
    Image.fromarray(picture(50, 20, 1)).save(folder / "free.png")
    Image.fromarray(picture(-99, -99, 2)).save(folder / "clean.png")
    Image.fromarray(picture(20, 30)).save(folder / "odd.png")
    Image.fromarray(disc(20, 30)[:60]).save(folder / "odd.mask.png")
    Image.fromarray(picture(20, 30)).save(folder / "nothing.png")
    Image.fromarray(np.zeros((64, 80), bool)).save(folder / "nothing.mask.png")
    (folder / "broken.png").write_bytes(b"PNG")
    return tmp_path / "bank"


def test_a_folder_lists_what_can_be_used_and_says_why_the_rest_cannot(bank: Path) -> None:
    shelf = Shelf.open({"donors": str(bank)}, "image")
    known = shelf.inventories()["donors"]
    assert list(known.ids) == ["pit/clean", "pit/free", "pit/marked"]
    assert list(known.labels) == ["pit", "pit", "pit"]
    assert list(known.marks) == ["plain", "", "mask"]
    reasons = {reject.id: (reject.reason, reject.detail) for reject in shelf.rejects()["donors"]}
    assert reasons == {
        "pit/broken": ("unreadable", "not PNG, JPEG, BMP or TIFF, or its header is damaged"),
        "pit/nothing": ("empty", "nothing in its mask"),
        "pit/odd": ("unreadable", "mask: 80 × 60, and its image is 80 × 64"),
    }


def test_a_mask_is_as_it_was_drawn_and_what_stands_out_is_found(bank: Path) -> None:
    shelf = Shelf.open({"donors": str(bank)}, "image")
    assert np.array_equal(shelf.donor("donors", "pit/marked").mask, disc(20, 30))
    free = shelf.donor("donors", "pit/free")
    overlap = (free.mask & disc(50, 20)).sum() / (free.mask | disc(50, 20)).sum()
    assert overlap > 0.7
    light = 90 + np.arange(80) * 0.7
    assert np.abs(free.background[..., 0] * 255 - light)[8:-8, 8:-8].max() < 4
    assert shelf.donor("donors", "pit/free") is free
    with pytest.raises(ValueError, match="read-only"):
        free.image[0, 0] = 1
    with pytest.raises(InputError, match="no such item"):
        shelf.donor("donors", "nobody")


def test_a_table_has_boxes_labels_and_splits(bank: Path) -> None:
    table = bank / "table.csv"
    table.write_text(
        "id,path,label,split,boxes,box_labels\n"
        'two,pit/free.png,pit,train,"[[40,10,60,30],[0,0,9,9]]","[""a"",""b""]"\n'
        'one,pit/marked.png,pit,,"[12,22,29,39]",\n'
        'held,pit/odd.png,pit,test,"[[1,1,9,9]]",\n'
        'bad,pit/clean.png,pit,train,"[[9,1,1,9]]",\n'
        "worse,pit/nothing.png,pit,train,nonsense,\n"
    )
    shelf = Shelf.open({"donors": str(table)}, "image")
    known = shelf.inventories()["donors"]
    assert list(zip(known.ids, known.labels, known.marks, strict=True)) == [
        ("one", "pit", "box"),
        ("two#1", "a", "box"),
        ("two#2", "b", "box"),
    ]
    reasons = {reject.id: reject.reason for reject in shelf.rejects()["donors"]}
    assert reasons == {"held": "outside", "bad": "unreadable", "worse": "unreadable"}
    one = shelf.donor("donors", "one")
    assert one.mask.sum() == 17 * 17
    assert (one.clear & disc(20, 30)).sum() > 0.7 * disc(20, 30).sum()
    assert one.clear.sum() < 1.4 * disc(20, 30).sum()
    assert np.array_equal(shelf.donor("donors", "two#2").clear, shelf.donor("donors", "two#2").mask)


def test_four_columns_are_a_box_and_a_mask_cannot_leave_its_folder(bank: Path, tmp_path: Path) -> None:
    (bank / "four.csv").write_text("path,label,x0,y0,x1,y1\npit/free.png,pit,40,10,60,30\n")
    known = Shelf.open({"donors": str(bank / "four.csv")}, "image").inventories()["donors"]
    assert list(known.marks) == ["box"]
    Image.fromarray(disc(20, 30)).save(tmp_path / "outside.png")
    (bank / "out.csv").write_text("path,label,mask\npit/free.png,pit,../outside.png\n")
    with pytest.raises(SettingError, match=r"^banks\.donors: .*outside"):
        Shelf.open({"donors": str(bank / "out.csv")}, "image").inventories()


def test_the_digest_is_of_images_masks_boxes_and_labels(bank: Path) -> None:
    def digest() -> str:
        return Shelf.open({"donors": str(bank)}, "image").digests()["donors"]

    seen = {digest()}
    Image.fromarray(disc(21, 30)).save(bank / "pit" / "marked.mask.png")
    seen.add(digest())
    Image.fromarray(picture(50, 20, 9)).save(bank / "pit" / "free.png")
    seen.add(digest())
    (bank / "pit").rename(bank / "hole")
    seen.add(digest())
    assert len(seen) == 4
