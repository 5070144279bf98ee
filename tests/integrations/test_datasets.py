"""A stage in `datasets`: made rows are what the one-array call gives, others pass; workers and order change none."""

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import snippets
import soundfile
from datasets import Audio, ClassLabel, Dataset, disable_progress_bars
from PIL import Image
from signals import voice
from torch.utils.data import DataLoader

from sliceforge.engine import load
from sliceforge.engine.codecs import audio
from sliceforge.engine.errors import SettingError
from sliceforge.engine.stage import Stage

RATE, COUNT, SIDE = 8000, 17, 40

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # torch's loader forks beside threads


@pytest.fixture(autouse=True, scope="module")
def _still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No bars, and no cache outside."""
    disable_progress_bars()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        yield


def clip(i: int) -> np.ndarray:
    """(T,) float32 in whole steps of 16 bits."""
    return (np.rint(voice(0.15 + 0.01 * i, RATE, 90 + 7 * i) * 32767) / 32768).astype(np.float32)


def file_of(i: int) -> bytes:
    return audio.encode((clip(i) * 32768).astype(np.int16), RATE, "flac")


def decoded(value: dict[str, bytes]) -> np.ndarray:
    return soundfile.read(io.BytesIO(value["bytes"]), dtype="float32")[0]


def sounds(**more: list[object]) -> Dataset:
    """Rows whose sounds are files in bytes, that nobody has decoded."""
    files = [{"bytes": file_of(i), "path": f"{i}.flac"} for i in range(COUNT)]
    rows = {"id": [f"clip {i}" for i in range(COUNT)], "audio": files, **more}
    return Dataset.from_dict(rows).cast_column("audio", Audio(decode=False))


def strip(i: int) -> np.ndarray:
    return np.random.default_rng(i).integers(100, 140, (SIDE, SIDE + 8 * (i % 2)), np.uint8)


def pictures(**more: list[object]) -> Dataset:
    """Rows with Pillow's images of two sizes and labels that are numbers."""
    images = [Image.fromarray(strip(i)) for i in range(COUNT)]
    rows = {"id": [f"strip {i}" for i in range(COUNT)], "image": images, "label": [0] * COUNT, **more}
    return Dataset.from_dict(rows).cast_column("label", ClassLabel(names=["plain", "scratches"]))


@pytest.fixture(scope="module")
def speech() -> Stage:
    return Stage(load("speech/car_noise"), share=0.5, seed=7)


def test_made_rows_are_those_of_the_call_and_all_others_are_as_they_were(speech: Stage) -> None:
    dataset = sounds(label=[str(i % 3) for i in range(COUNT)])
    through = dataset.with_transform(speech.rows)
    seen = []
    for epoch in (1, 2):
        speech.set_epoch(epoch)
        rows = list(through)
        chosen = speech.chosen(dataset["id"])
        assert [row["made"] for row in rows] == chosen.tolist()
        for i, (row, before) in enumerate(zip(rows, dataset, strict=True)):
            if not row["made"]:
                assert {**before, "made": False, "reason": "", "row": ""} == row
                continue
            want = speech.recipe(clip(i), rate=RATE, id=row["id"], seed=7, variant=epoch)
            assert np.array_equal(decoded(row["audio"]), want)
            said = json.loads(row["row"])
            assert (said["id"], said["parents"], said["noise"]) == (f"clip {i}~{epoch}", [f"clip {i}"], "car")
            assert -5 <= said["snr"] <= 20
        seen.append(chosen)
    assert not np.array_equal(*seen)
    speech.set_epoch(1)


def values(dataset: Dataset, workers: int, **more: object) -> dict[str, np.ndarray]:
    loader = DataLoader(dataset, 4, num_workers=workers, collate_fn=list, **more)
    return {row["id"]: row["audio"]["array"] for batch in loader for row in batch}


def test_workers_and_how_they_start_change_no_byte(noises: Path) -> None:
    stage = Stage(load("speech/car_noise"), seed=7, banks={"noise": str(noises)}, slice="snr < 10")
    through = sounds().with_transform(partial(stage.rows, arrays=True))
    want = values(through, 0)
    assert len(want) == COUNT
    for workers, context in ((1, "spawn"), (2, "fork")):
        found = values(through.shuffle(seed=workers), workers, multiprocessing_context=context)
        assert want.keys() == found.keys()
        assert all(np.array_equal(want[item], found[item]) for item in want)


def test_workers_that_live_on_follow_the_epoch(speech: Stage) -> None:
    # Each of these steps copies the data set and its transform.
    through = sounds().with_transform(partial(speech.rows, arrays=True)).shuffle(seed=1).select(range(COUNT))
    loader = DataLoader(
        through, 4, num_workers=1, collate_fn=list, persistent_workers=True, multiprocessing_context="fork"
    )
    for epoch in (1, 2, 1):
        speech.set_epoch(epoch)
        rows = [row for batch in loader for row in batch]
        assert [row["made"] for row in rows] == speech.chosen([row["id"] for row in rows]).tolist()
        assert {json.loads(row["row"])["variant"] for row in rows if row["made"]} == {epoch}
    speech.set_epoch(1)


def test_decoded_sounds_stay_so_and_without_an_id_the_content_is_the_id(speech: Stage) -> None:
    arrays = [{"array": clip(i).tolist(), "sampling_rate": RATE} for i in range(COUNT)]
    rows = list(Dataset.from_dict({"speech": arrays}).with_transform(speech.rows))
    # The same content in another form, order and batch is the same item.
    files = sounds().remove_columns("id").with_transform(partial(speech.rows, arrays=True))[::-1]
    made = 0
    for i, row in enumerate(rows):
        other = files["audio"][COUNT - 1 - i]
        assert row["speech"]["sampling_rate"] == RATE
        assert np.array_equal(np.array(row["speech"]["array"], np.float32), other["array"])
        if row["made"]:
            made += 1
            own = json.loads(row["row"])["parents"][0]
            want = speech.recipe(clip(i), rate=RATE, id=own, seed=7, variant=1)
            assert np.array_equal(other["array"], want)
    assert 0 < made < COUNT


def test_an_iterable_data_set_and_a_map_on_disk_hold_the_same(speech: Stage) -> None:
    want = sounds().with_transform(speech.rows)[:]
    stream = sounds().to_iterable_dataset(4).map(speech.rows, batched=True, batch_size=3)
    streamed = [row for batch in DataLoader(stream, 4, num_workers=2, collate_fn=list) for row in batch]
    assert len(streamed) == COUNT
    kept = sounds().map(speech.rows, batched=True, batch_size=6)[:]
    assert kept == want
    assert {row["id"]: row["audio"]["bytes"] for row in streamed} == {
        item: value["bytes"] for item, value in zip(want["id"], want["audio"], strict=True)
    }


def test_paths_are_read_and_what_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "good.wav").write_bytes(audio.encode((clip(1) * 32768).astype(np.int16), RATE, "wav"))
    (tmp_path / "silent.wav").write_bytes(audio.encode(np.zeros(RATE, np.int16), RATE, "wav"))
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    names = ["good", "silent", "broken", "missing"]
    rows = {"name": names, "audio": [str(tmp_path / f"{name}.wav") for name in names], "snr": [1.5] * 4}
    dataset = Dataset.from_dict(rows).cast_column("audio", Audio(decode=False))
    stage = Stage(load("speech/car_noise"), share=1, seed=7)
    out = dataset.with_transform(partial(stage.rows, id="name"))[:]
    assert out["reason"] == ["", "silent", "unreadable", "unreadable"]
    assert out["made"] == [True, False, False, False]
    assert out["audio"][1:] == dataset["audio"][1:]
    assert np.array_equal(decoded(out["audio"][0]), stage.recipe(clip(1), rate=RATE, id="good", seed=7))
    # A column of that name is what the recipe sets.
    assert out["snr"] == [json.loads(out["row"][0])["snr"], 1.5, 1.5, 1.5]


def test_rows_without_a_sound_pass() -> None:
    files = [{"bytes": file_of(0), "path": None}, None, None]
    dataset = Dataset.from_dict({"id": ["a", "b", "c"], "audio": files}).cast_column("audio", Audio(decode=False))
    through = dataset.with_transform(Stage(load("speech/levels"), share=1).rows)
    assert [row["reason"] for row in through] == through[:]["reason"] == ["", "unreadable", "unreadable"]


def test_moments_move_with_the_speed() -> None:
    words = [[{"word": "a", "start": 0.02, "end": 0.1}]] * COUNT
    stage = Stage(load("speech/speed", "steps.speed.factor=0.5"), share=1)
    out = sounds(words=words).with_transform(stage.rows)[:]
    for parts in out["words"]:
        assert parts[0]["start"] == pytest.approx(0.04)
        assert parts[0]["end"] == pytest.approx(0.2)


def test_a_painted_class_becomes_the_label_and_a_mask_shows_where() -> None:
    stage = Stage(load("steel/scratches"), share=0.5, seed=7, classes=["plain", "scratches"])
    out = pictures().with_transform(stage.rows)[:]
    assert 0 < sum(out["made"]) < COUNT
    for i, made in enumerate(out["made"]):
        mask, pixels = np.asarray(out["mask"][i]), np.asarray(out["image"][i])
        assert out["label"][i] == int(made)
        assert mask.shape == strip(i).shape
        assert mask.any() == made
        want = stage.recipe(strip(i), id=f"strip {i}", seed=7) if made else strip(i)
        assert np.array_equal(pixels, want)
        boxes = json.loads(out["row"][i])["boxes"] if made else []
        assert all(mask[y0:y1, x0:x1].any() for x0, y0, x1, y1 in boxes)


def test_a_number_that_nobody_explained_stays_with_one_warning() -> None:
    stage = Stage(load("steel/scratches"), share=1)
    with pytest.warns(UserWarning, match="label: 0 stays though 'scratches' was painted") as said:
        out = pictures().with_transform(stage.rows)[:]
    assert (set(out["label"]), len(said)) == ({0}, 1)


def test_masks_and_boxes_go_along() -> None:
    masks, boxes = [], []
    for i in range(COUNT):
        mask = np.zeros(strip(i).shape, np.uint8)
        mask[5:15, 10:20] = 255
        masks.append(Image.fromarray(mask))
        boxes.append([[10, 5, 20, 15]])
    recipe = load("geometric", "steps.flip.horizontal=1", "~steps.affine", "~steps.elastic", "~steps.crop")
    stage = Stage(recipe, share=1)
    out = pictures(mask=masks, boxes=boxes).with_transform(stage.rows)[:]
    for i in range(COUNT):
        width = strip(i).shape[1]
        assert np.array_equal(np.asarray(out["image"][i]), strip(i)[:, ::-1])
        assert np.array_equal(np.asarray(out["mask"][i]), np.asarray(masks[i])[:, ::-1])
        assert np.allclose(out["boxes"][i], [[width - 20, 5, width - 10, 15]])
        assert out["label"][i] == 0


def test_a_column_that_is_not_there_is_named(speech: Stage) -> None:
    with pytest.raises(SettingError, match="columns: no column 'ids'; did you mean id"):
        sounds().with_transform(partial(speech.rows, id="ids"))[0]
    with pytest.raises(SettingError, match="columns: none of id holds audio"):
        sounds().remove_columns("audio").with_transform(speech.rows)[0]
    with pytest.raises(SettingError, match="is a single value; expected a batch"):
        sounds().map(speech.rows)


def test_the_program_in_the_docs_runs(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clips").symlink_to(clips)
    monkeypatch.chdir(tmp_path)
    assert snippets.run("datasets") == 1
