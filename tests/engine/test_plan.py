"""The plan: who is enlarged, in which order, and that a slice is kept while it is drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine import headers, plan
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.errors import SettingError
from sliceforge.engine.item import key
from sliceforge.engine.keys import Keys
from sliceforge.engine.manifest import Manifest, read
from sliceforge.engine.parents import _order, choose, survey
from sliceforge.engine.pool import Pool


def manifest(**columns: list[Any]) -> Manifest:
    count = len(next(iter(columns.values())))
    base = {name: [None] * count for name in ("label", "split", "group")}
    ids = [f"i{n}" for n in range(count)]
    table = {"id": ids, "path": [f"{item}.wav" for item in ids], **base, **columns}
    text = {name: pa.array(values, pa.string()) for name, values in table.items() if name in (*base, "id", "path")}
    return Manifest(Path(), pa.table(table | text), ())


def chosen(rows: np.ndarray) -> list[int]:
    return np.flatnonzero(rows).tolist()


def test_frozen_contracts_have_these_values() -> None:
    """Changing one of these changes every plan that was ever drawn: it needs a reason, and a line in CHANGELOG."""
    drawn = Keys.of(7, ["a", "ü/3"], variant=2, attempt=1).at("mix").uniform("snr", 2)
    assert (drawn * 2**24).astype(int).tolist() == [[10451762, 8891791], [13866684, 11319451]]
    assert _order(["a", "b", "c", "ü/3"], ["", "", "", ""], 7) == [2, 0, 3, 1]
    assert key("dir/a.b%ü~1") == "dir/a%2Eb%25ü~1"


def test_parents_are_the_training_split_unless_said() -> None:
    recipe = load_recipe("speech/car_noise")
    items = manifest(split=["train", "test", None, "", "val"])
    assert chosen(choose(items, recipe, None, None)) == [0, 2, 3]
    assert chosen(choose(items, recipe, "split = 'val'", None)) == [4]


def test_a_recipe_that_sets_the_slice_takes_the_items_outside_it() -> None:
    recipe = load_recipe("speech/car_noise")
    assert chosen(choose(manifest(noise=["car", "none", None]), recipe, None, "noise = 'car'")) == [1, 2]
    unknown = manifest(label=["a", "b", "c"])
    assert chosen(choose(unknown, recipe, None, "Noise = 'car' AND snr < 3")) == [0, 1, 2]


def test_a_recipe_that_sets_nothing_of_the_slice_takes_the_items_inside_it() -> None:
    recipe = load_recipe("speech/car_noise")
    assert chosen(choose(manifest(label=["a", "b", "a"]), recipe, None, "label = 'a'")) == [0, 2]


def test_a_slice_that_is_set_in_part_names_the_column() -> None:
    with pytest.raises(SettingError, match=r"'label'.*parents="):
        choose(manifest(label=["a", "b"]), load_recipe("speech/car_noise"), None, "label = 'a' AND snr < 3")


def test_order_depends_on_the_seed_and_not_on_the_order_given() -> None:
    ids = [f"item {i}" for i in range(100)]
    whole = [ids[i] for i in _order(ids, ids, 1)]
    turned = [ids[::-1][i] for i in _order(ids[::-1], ids[::-1], 1)]
    assert whole == turned
    assert whole != [ids[i] for i in _order(ids, ids, 2)]
    assert whole != sorted(ids)


def test_a_later_variant_needs_nothing_but_the_first_plan() -> None:
    recipe = load_recipe("speech/car_noise")
    built_in = read(None, "audio")
    parents = survey(built_in, np.ones(len(built_in.table), bool), recipe, 7)
    first = plan.draw(recipe, parents, 7, 1, {})
    assert plan.draw(recipe, parents, 7, 2, {}).equals(plan.draw(recipe, first, 7, 2, {}))
    assert first["id"].to_pylist() == [f"{item}~1" for item in first["parent"].to_pylist()]


def test_rows_that_are_drawn_again_start_at_the_next_attempt_and_keep_the_slice() -> None:
    recipe = load_recipe("speech/car_noise")
    built_in = read(None, "audio")
    parents = survey(built_in, np.ones(len(built_in.table), bool), recipe, 7)
    first = plan.draw(recipe, parents, 7, 1, {}, "snr < 0")
    assert max(first["mix.snr"].to_pylist()) < 0
    assert max(first["attempt"].to_pylist()) > 0
    again = plan.draw(recipe, first, 7, 1, {}, "snr < 0", first["attempt"].to_numpy() + 1)
    assert max(again["mix.snr"].to_pylist()) < 0
    assert all(a > b for a, b in zip(again["attempt"].to_pylist(), first["attempt"].to_pylist(), strict=True))
    assert not set(again["mix.snr"].to_pylist()) & set(first["mix.snr"].to_pylist())


def test_what_cannot_be_read_keeps_its_place_with_a_reason(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"")
    recipe = load_recipe("speech/car_noise")
    rows = survey(read(str(tmp_path), "audio"), np.ones(2, bool), recipe, 7).to_pylist()
    assert [row["read.reason"] for row in rows] == ["empty", "empty"]


def test_headers_say_the_same_whoever_asks_them(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "ENOUGH", 1)
    monkeypatch.setattr(headers, "PART", 7)
    recipe, items = load_recipe("speech/car_noise"), read(str(clips), "audio")
    rows = np.ones(len(items.table), bool)
    with Pool(2) as pool:
        shared = survey(items, rows, recipe, 7, "flac", pool)
        with pytest.raises(SettingError, match="cannot hold"):
            headers.look(clips, "audio", 123457, "flac", [(path, None) for path in shared["path"].to_pylist()], pool)
    assert shared.equals(survey(items, rows, recipe, 7, "flac"))
    assert len(set(shared["read.length"].to_pylist())) > 7
