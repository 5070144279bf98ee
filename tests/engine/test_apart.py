"""Banks and splits: nothing that is of one split, or has its bytes, serves an item of another."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sliceforge.engine.apart import Apart, apart
from sliceforge.engine.banks import Shelf
from sliceforge.engine.manifest import Manifest, read


def write(folder: Path, names: str, columns: str = "", seed: int = 0) -> None:
    """Noises of a tenth of a second, and a table of them: `name:value:value` each."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"id,path{',' * bool(columns)}{columns}"]
    for number, one in enumerate(names.split()):
        name, *values = one.split(":")
        sound = np.random.default_rng(100 * seed + number).normal(0, 0.1, 800)
        soundfile.write(folder / f"{name}.wav", sound, 8000)
        lines.append(",".join([name, f"{name}.wav", *values]))
    (folder / "table.csv").write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Manifest:
    write(tmp_path / "data", "t1:train:ann t2:train:bob d1:dev:cy d2:dev:bob x1:test:dan", "split,speaker")
    return read(str(tmp_path / "data" / "table.csv"), "audio")


def splits(shelf: Shelf, found: Manifest) -> dict[str, str]:
    """Bank item → the split that it serves alone, or empty."""
    kept = shelf.kept_apart(apart(found, shelf.places())).inventories()["noise"]
    return dict(zip(kept.ids, kept.splits, strict=True))


def test_the_banks_own_column_decides_and_a_copy_of_a_test_item_gives_itself_away(
    data: Manifest, tmp_path: Path
) -> None:
    write(tmp_path / "noise", "a:train b:valid c: copy:train", "split", 1)
    shutil.copy(tmp_path / "data" / "x1.wav", tmp_path / "noise" / "copy.wav")
    shelf = Shelf.open({"noise": str(tmp_path / "noise" / "table.csv")})
    assert splits(shelf, data) == {"a": "train", "b": "dev", "c": "", "copy": "test"}
    inventory = shelf.kept_apart(apart(data, shelf.places())).inventories()["noise"]
    assert [inventory.ids[i] for i in inventory.pool("train")] == ["a", "c"]
    assert [inventory.ids[i] for i in inventory.pool("test")] == ["c", "copy"]


def test_an_item_of_the_data_belongs_where_it_is_there(data: Manifest, tmp_path: Path) -> None:
    found = splits(Shelf.open({"noise": str(tmp_path / "data")}), data)
    assert {name.removesuffix("~"): split for name, split in found.items()} == {
        "t1": "train",
        "t2": "train",
        "d1": "dev",
        "d2": "dev",
        "x1": "test",
    }


def test_a_group_of_one_split_serves_no_other_and_one_of_two_splits_serves_both(data: Manifest, tmp_path: Path) -> None:
    write(tmp_path / "noise", "a:cy b:dan c:bob d:ann", "speaker", 2)
    found = splits(Shelf.open({"noise": str(tmp_path / "noise" / "table.csv")}), data)
    assert found == {"a": "dev", "b": "test", "c": "", "d": "train"}


def test_groups_that_nobody_knows_are_given_out_whole_and_the_same_in_every_run(data: Manifest, tmp_path: Path) -> None:
    names = " ".join(f"n{i}:street_{i % 10}" for i in range(30))
    write(tmp_path / "noise", names, "recording", 3)
    shelf = Shelf.open({"noise": str(tmp_path / "noise" / "table.csv")})
    found = splits(shelf, data)
    by_group = [{found[f"n{i}"] for i in range(group, 30, 10)} for group in range(10)]
    assert all(len(one) == 1 for one in by_group)
    counts = {name: sum(one == {name} for one in by_group) for name in ("train", "dev", "test")}
    assert counts == {"train": 8, "dev": 1, "test": 1}
    rule = apart(data, shelf.places())
    assert Apart.read(rule.plain()) == rule
    assert splits(Shelf.open({"noise": str(tmp_path / "noise" / "table.csv")}), data) == found


def test_data_that_are_all_for_training_leave_a_bank_as_it_is(data: Manifest, tmp_path: Path) -> None:
    write(tmp_path / "noise", "a:cy b:nobody", "speaker", 2)
    training = Manifest(data.root, data.table.slice(2, 2), ())
    assert set(training.table["split"].to_pylist()) == {"train"}
    assert splits(Shelf.open({"noise": str(tmp_path / "noise" / "table.csv")}), training) == {"a": "", "b": ""}
    assert apart(training, {}) == Apart()


def test_nothing_is_made_of_what_is_held_out_nor_of_a_copy_of_it(data: Manifest, tmp_path: Path) -> None:
    write(tmp_path / "noise", "a copy b", seed=1)
    shutil.copy(tmp_path / "data" / "t1.wav", tmp_path / "noise" / "copy.wav")
    shelf = Shelf.open({"noise": str(tmp_path / "noise" / "table.csv"), "own": str(tmp_path / "data" / "table.csv")})
    for found in (data, Manifest(data.root, data.table.slice(2, 2), ())):
        train = found.table["id"].to_pylist()
        assert "t1" in train
        rule = apart(found, shelf.places(), ["t1"])
        kept = shelf.kept_apart(rule)
        assert kept.inventories()["noise"].ids == ("a", "b")
        assert "t1" not in kept.inventories()["own"].ids
        assert "t2" in kept.inventories()["own"].ids
        assert [one.reason for one in kept.rejects()["noise"]] == ["outside"]
        assert "banks.noise: 1 items are held out" in " ".join(rule.told())
        assert Apart.read(rule.plain()) == rule
