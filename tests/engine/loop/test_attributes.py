"""Attributes are measured of every item in the manifest's order, once, and joined with what else is known of it."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image
from signals import voice

from sliceforge.engine import manifest
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows import attributes
from sliceforge.engine.loop.rows.attributes import known, measured, of_item
from sliceforge.engine.loop.rows.columns import columns
from sliceforge.engine.loop.rows.predictions import Predictions, of_table
from sliceforge.engine.manifest import Manifest
from sliceforge.kernels.heard import Heard


@pytest.fixture(scope="module")
def spoken(clips: Path) -> Manifest:
    return manifest.read(str(clips), "audio", "{label}_{speaker}_{index}")


def predicted(found: Manifest) -> Predictions:
    """A model that is right of every row, in the opposite order."""
    table = found.table.select(["id", "label"]).take(pa.array(range(len(found.table) - 1, -1, -1)))
    return of_table(table.append_column("pred", table["label"]), "p")


def test_every_item_is_measured_as_it_is_by_itself(spoken: Manifest, tmp_path: Path) -> None:
    table = measured(spoken, "audio", folder=tmp_path)
    assert table.column_names == ["id", *known("audio")]
    assert table["id"].to_pylist() == spoken.table["id"].to_pylist()
    row = 5
    sound, rate = soundfile.read(spoken.root / spoken.table["path"][row].as_py(), dtype="float32")
    alone = of_item("audio", Heard(sound, rate), list(known("audio")))
    assert [table[name][row].as_py() for name in known("audio")] == alone


def test_workers_measure_the_same(spoken: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "LONG", 0)
    monkeypatch.setattr(attributes, "PART", 7)
    names = ["seconds", "level"]
    assert measured(spoken, "audio", names, 2, tmp_path / "a").equals(
        measured(spoken, "audio", names, 1, tmp_path / "b")
    )


def test_what_was_measured_is_kept_until_a_file_changes(tmp_path: Path) -> None:
    folder, kept = tmp_path / "data", tmp_path / "kept"
    folder.mkdir()
    for name, seconds in (("a", 0.5), ("b", 0.75)):
        soundfile.write(folder / f"{name}.wav", voice(seconds, 8000), 8000)
    found = manifest.read(str(folder), "audio")
    assert measured(found, "audio", ["seconds"], folder=kept)["seconds"].to_pylist() == [0.5, 0.75]
    (place,) = kept.iterdir()
    pq.write_table(pa.table({"id": ["a", "b"], "seconds": [1.0, 2.0]}), place)
    assert measured(found, "audio", ["seconds"], folder=kept)["seconds"].to_pylist() == [1, 2]  # it is not asked again
    place.write_bytes(b"damaged")
    assert measured(found, "audio", ["seconds"], folder=kept)["seconds"].to_pylist() == [0.5, 0.75]
    soundfile.write(folder / "b.wav", voice(1, 8000), 8000)
    assert measured(found, "audio", ["seconds"], folder=kept)["seconds"].to_pylist() == [0.5, 1]
    os.utime(folder / "a.wav", (1, 1))
    measured(found, "audio", ["seconds"], folder=kept)
    measured(found, "audio", ["level"], folder=kept)
    assert len(list(kept.iterdir())) == 4


def test_what_cannot_be_read_has_no_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    soundfile.write(folder / "a.wav", voice(0.5, 8000), 8000)
    soundfile.write(folder / "quiet.wav", np.zeros(4000), 8000)
    (folder / "text.wav").write_text("no sound")
    table = measured(manifest.read(str(folder), "audio"), "audio", folder=tmp_path / "kept")
    rows = table.to_pylist()
    assert rows[0]["seconds"] == 0.5
    assert all(row[name] is None for row in rows[1:] for name in known("audio"))


def test_a_part_of_a_recording_is_measured_alone(tmp_path: Path) -> None:
    sound = np.concatenate([voice(1, 8000), 0.1 * voice(2, 8000)])
    soundfile.write(tmp_path / "a.wav", sound, 8000, subtype="FLOAT")
    (tmp_path / "t.csv").write_text("path,clip_start,clip_seconds\na.wav,0,1\na.wav,1,2\n")
    table = measured(manifest.read(str(tmp_path / "t.csv"), "audio"), "audio", folder=tmp_path / "kept")
    assert table["seconds"].to_pylist() == [1, 2]
    assert table["level"][0].as_py() - table["level"][1].as_py() > 15


def test_images_bring_their_masks_and_boxes(tmp_path: Path) -> None:
    for name in "abc":
        Image.fromarray(np.full((20, 40), 90, np.uint8)).save(tmp_path / f"{name}.png")
    mask = np.zeros((20, 40), np.uint8)
    mask[:5, :8] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    (tmp_path / "t.jsonl").write_text(
        '{"path": "a.png", "mask": "m.png"}\n{"path": "b.png", "boxes": [[0, 0, 20, 10]]}\n{"path": "c.png"}\n'
    )
    table = measured(manifest.read(str(tmp_path / "t.jsonl"), "image"), "image", folder=tmp_path / "kept")
    assert table["mask_share"].to_pylist() == [0.05, 0.25, None]
    assert table["width"].to_pylist() == [40, 40, 40]
    assert pa.types.is_int64(table["width"].type)
    assert table["brightness"].to_pylist() == [90, 90, 90]


def test_an_unknown_attribute_is_named(spoken: Manifest) -> None:
    with pytest.raises(SettingError, match="attributes: snr: no such attribute of audio; did you mean snr_est"):
        measured(spoken, "audio", ["snr"])


def test_the_search_gets_metadata_and_attributes_in_the_order_of_the_predictions(
    spoken: Manifest, tmp_path: Path
) -> None:
    rows = predicted(spoken)
    numbers = measured(spoken, "audio", ["seconds", "level", "clipped"], folder=tmp_path)
    found = columns(rows, spoken, numbers)
    assert set(found.column_names) == {"label", "speaker", "seconds", "level"}  # clipped is 0 everywhere
    places = [spoken.table["id"].to_pylist().index(item) for item in rows.ids]
    assert found["seconds"].to_pylist() == [numbers["seconds"][place].as_py() for place in places]
    assert found["speaker"].to_pylist() == [spoken.table["speaker"][place].as_py() for place in places]


def test_what_tells_items_apart_is_no_column_of_the_search() -> None:
    count = 60
    generator = np.random.default_rng(1)
    names = [f"i{i}" for i in range(count)]
    table = pa.table(
        {
            "id": names,
            "loss": generator.random(count),
            "noise": ["car", "none", None] * 20,
            "snr": generator.random(count),
            "hollow": [None] * count,
            "one": [1] * count,
            "wet": [True, False] * 30,
            "year": [2020, 2021, 2022] * 20,
            "index": list(range(count)),
            "hash": ["0123456789abcdef0123", "fedcba98765432100123"] * 30,
            "file": ["a/b.wav", "a/c.wav"] * 30,
            "said": ["turn the light on please", "and turn it off again"] * 30,
            "tags": [["a"], ["b"]] * 30,
            "key": names,
            "got.snr": generator.random(count),
            "sha256": ["a", "b"] * 30,
            "gap": [float("nan"), 1.0, 2.0] * 20,
        }
    )
    found = columns(of_table(table, "p"))
    assert set(found.column_names) == {"noise", "snr", "wet", "year", "gap"}
    assert found["gap"].null_count == 20


def test_what_the_model_said_is_no_column_and_the_label_is() -> None:
    table = pa.table({"id": list("abcd"), "label": list("xyxy"), "pred": list("xxxx"), "p": [0.1, 0.2, 0.3, 0.4]})
    assert columns(of_table(table, "p")).column_names == ["label", "p"]


def test_measured_columns_stand_beside_metadata_of_their_name() -> None:
    rows = of_table(pa.table({"id": ["a", "b"], "iou": [0.5, 1], "noise": [0.0, 1.0]}), "p")
    found = columns(rows, None, pa.table({"id": ["b", "a"], "noise": [4.0, 3.0]}))
    assert found.to_pydict() == {"noise": [0, 1], "noise_measured": [3, 4]}


def test_a_prediction_of_an_unknown_item_is_refused() -> None:
    rows = of_table(pa.table({"id": ["a", "b"], "iou": [0.5, 1]}), "p")
    with pytest.raises(SettingError, match=r"1 of 2 ids are not in attributes, such as 'b'; expected .* such as 'a'"):
        columns(rows, None, pa.table({"id": ["a"], "noise": [4.0]}))
