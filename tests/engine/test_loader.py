"""The loader, the one-array call, a run and replay give the same bytes; an epoch is what it says."""

import io
import pickle
from pathlib import Path

import generators
import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import torch
from PIL import Image
from torch.utils.data import DataLoader

from benchmarks import same_bytes
from sliceforge.engine import Augment, Share, SliceDataset, generate, load
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.read import read_audio, read_image
from sliceforge.engine.replay import replay

PATTERN = "{label}_{speaker}_{index}"


def made(kind: str, data: Path, out: Path, *more: str) -> Path:
    name = "speech/car_noise" if kind == "audio" else "steel/scratches"
    pattern = [f"pattern={PATTERN}"] if kind == "audio" else []
    settings = [f"recipe={name}", f"data={data}", *pattern, f"out={out}", "seed=7", "workers=1", "sink=folder"]
    generate(compose("generate", [*settings, *more]))
    return out


def written(run: Path) -> dict[str, tuple[int, int, np.ndarray]]:
    """id → (variant, attempt, values as they lie on disk)."""
    found = {}
    for row in pq.read_table(run / "manifest.parquet").to_pylist():
        path = run / row["path"]
        if path.suffix == ".flac":
            values, _ = soundfile.read(path, dtype="float32")
        else:
            values = np.asarray(Image.open(path))
        found[row["id"]] = row["variant"], row["attempt"], values
    return found


@pytest.fixture(scope="module")
def speech(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("audio", clips, tmp_path_factory.mktemp("speech") / "RUN", "variants=2", "retries=0")


@pytest.fixture(scope="module")
def steel(strips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("image", strips, tmp_path_factory.mktemp("steel") / "RUN", "variants=2", "retries=0")


def clips_of(clips: Path, share: float = 1.0, **more: object) -> SliceDataset:
    return SliceDataset(str(clips), [Share(load("speech/car_noise"), share=share)], 7, pattern=PATTERN, **more)


def strips_of(strips: Path, share: float = 1.0, **more: object) -> SliceDataset:
    return SliceDataset(str(strips), [Share(load("steel/scratches"), share=share)], 7, **more)


def values(dataset: SliceDataset, epoch: int, workers: int = 0, **more: object) -> dict[str, np.ndarray]:
    """id → the item that a loader gives in an epoch."""
    loader = DataLoader(dataset, 5, shuffle=True, num_workers=workers, collate_fn=dataset.collate, **more)
    found = {}
    for batch in Augment(dataset)(loader, epoch):
        for i, item in enumerate(batch["id"]):
            if dataset.kind == "audio":
                found[item] = batch["audio"][i, : batch["length"][i]].numpy()
            else:
                found[item] = batch["image"][i].numpy().transpose(1, 2, 0).squeeze(-1)
    return found


def test_epoch_e_of_a_loader_is_variant_e_of_a_run_byte_for_byte(
    clips: Path, strips: Path, speech: Path, steel: Path
) -> None:
    for run, dataset in ((speech, clips_of(clips)), (steel, strips_of(strips))):
        there = written(run)
        for epoch in (1, 2):
            here = values(dataset, epoch)
            mine = {item: one for item, (variant, _, one) in there.items() if variant == epoch}
            assert len(mine) > 0.8 * len(dataset)
            assert set(mine) <= set(here)
            assert all(np.array_equal(here[item], one) for item, one in mine.items())


def test_one_array_in_is_the_item_that_the_run_wrote(clips: Path, strips: Path, speech: Path, steel: Path) -> None:
    for run, name in ((speech, "speech/car_noise"), (steel, "steel/scratches")):
        recipe, there = load(name), written(run)
        for row in pq.read_table(run / "manifest.parquet").to_pylist():
            parent = row["parents"][0]
            if recipe.kind == "audio":
                x, rate = read_audio(clips / row["parent_path"])
                before = x.copy()
                y = recipe(x, rate=rate, id=parent, seed=7, variant=row["variant"])
                assert y.dtype == np.float32
            else:
                x = read_image(strips / row["parent_path"])[:, :, 0]
                before = x.copy()
                y = recipe(x, id=parent, seed=7, variant=row["variant"])
                assert y.dtype == np.uint8
            assert np.array_equal(y, there[row["id"]][2])
            assert np.array_equal(x, before)


def test_replay_gives_the_same_too(speech: Path, tmp_path: Path) -> None:
    for item, (_, _, values) in list(written(speech).items())[:3]:
        out = tmp_path / "item.flac"
        replay({"run": str(speech), "id": item, "out": str(out)})
        assert np.array_equal(soundfile.read(io.BytesIO(out.read_bytes()), dtype="float32")[0], values)


def test_gates_in_a_loader_draw_again_as_a_run_does(strips: Path, tmp_path: Path) -> None:
    strict = "gates.visible.cnr=5"
    there = written(made("image", strips, tmp_path / "RUN", strict))
    share = Share(load("steel/scratches", strict), share=1.0)
    here = values(SliceDataset(str(strips), [share], 7, gates=True), 1)
    assert max(attempt for _, attempt, _ in there.values()) > 0
    assert all(np.array_equal(here[item], one) for item, (_, _, one) in there.items())


def test_a_slice_is_kept_in_a_loader_as_in_a_run(clips: Path, tmp_path: Path) -> None:
    promise = "noise = 'car' AND snr < 0"
    there = written(made("audio", clips, tmp_path / "RUN", f"slice={promise}", "retries=0"))
    share = Share(load("speech/car_noise"), slice=promise, share=1.0)
    dataset = SliceDataset(str(clips), [share], 7, pattern=PATTERN)
    here = values(dataset, 1)
    assert all(np.array_equal(here[item], one) for item, (_, _, one) in there.items())


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_workers_change_no_byte(context: str, clips: Path) -> None:
    dataset = clips_of(clips, 0.5)
    alone = values(dataset, 3)
    again = values(dataset, 3, 1, multiprocessing_context=context)
    ready = values(clips_of(clips, 0.5, ready=True), 3)
    assert alone.keys() == again.keys() == ready.keys()
    for other in (again, ready):
        assert all(np.array_equal(other[item], one) for item, one in alone.items())


def test_workers_that_live_on_follow_the_epoch(strips: Path) -> None:
    dataset = strips_of(strips)
    augment = Augment(dataset)
    loader = DataLoader(
        dataset, 5, num_workers=1, collate_fn=dataset.collate, persistent_workers=True, multiprocessing_context="fork"
    )
    for epoch in (1, 2):
        ids = {item for batch in augment(loader, epoch) for item in batch["id"]}
        assert {item.rpartition("~")[2] for item in ids} == {str(epoch)}


def test_an_epoch_has_a_position_for_each_original_and_a_share_of_made_items(clips: Path) -> None:
    dataset = clips_of(clips, 0.3)
    assert len(dataset) == 23
    batches = list(Augment(dataset)(DataLoader(dataset, 23, collate_fn=dataset.collate), 1))
    batch = batches[0]
    assert int(batch["made"].sum()) == round(0.3 * 23)
    assert len(set(batch["id"])) == 23
    for item, label, target, is_made, row in zip(
        batch["id"], batch["label"], batch["target"], batch["made"], batch["row"], strict=True
    ):
        assert dataset.classes[target] == label == item[0]
        assert (row.get("noise") == "car") == bool(is_made) == ("~" in item)
    more = clips_of(clips, 0.3, extend=True)
    assert len(more) == 23 + round(0.3 * 23)
    assert len({more[i].row["id"] for i in range(len(more))}) == len(more)


def test_originals_come_as_they_are(clips: Path) -> None:
    for item, one in values(clips_of(clips, 0.0), 1).items():
        assert np.array_equal(one, soundfile.read(clips / f"{item}.wav", dtype="float32")[0])


def test_no_global_generator_is_touched(clips: Path) -> None:
    before = generators.states()
    dataset = clips_of(clips, 0.5)
    dataset.make([dataset[0]])
    load("speech/car_noise")(soundfile.read(next(clips.glob("*.wav")), dtype="float32")[0], rate=16000)
    assert generators.states() == before


def test_images_of_several_sizes_are_a_list_or_are_fitted(strips: Path) -> None:
    dataset = strips_of(strips)
    some = [dataset[i] for i in range(6)]
    dataset.make(some)
    assert isinstance(dataset.batch(some)["image"], list)
    for way in ("pad", "crop", "stretch"):
        fitted = strips_of(strips, size={"height": 40, "width": 90}, fit=way)
        some = [fitted[i] for i in range(6)]
        fitted.make(some)
        batch = fitted.batch(some)
        assert batch["image"].shape == (6, 1, 40, 90)
        assert batch["image"].dtype == torch.uint8
        assert batch["mask"].shape == (6, 40, 90)


def test_where_some_images_have_masks_every_image_of_every_batch_has_one(strips: Path, tmp_path: Path) -> None:
    lines = ["id,path,mask"]
    for i, path in enumerate(sorted(strips.rglob("*.png"))[:6]):
        (tmp_path / f"{i}.png").write_bytes(path.read_bytes())
        mask = np.zeros(np.asarray(Image.open(path)).shape, np.uint8)
        mask[10:20, 30:40] = 255
        Image.fromarray(mask).save(tmp_path / f"mask {i}.png")
        lines.append(f"{i},{i}.png,{'' if i % 3 else f'mask {i}.png'}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    dataset = SliceDataset(
        str(tmp_path / "table.csv"), [Share(load("geometric"), share=0.5)], 7, size=32, fit="stretch"
    )
    for batch in Augment(dataset)(DataLoader(dataset, 2)):
        assert batch["mask"].shape == (2, 32, 32)
        for mask, parent in zip(batch["mask"], batch["parent"], strict=True):
            assert bool(mask.any()) <= (int(parent) % 3 == 0)


def test_what_cannot_be_read_any_more_is_replaced_and_says_so(clips: Path, tmp_path: Path) -> None:
    for path in sorted(clips.glob("*.wav"))[:6]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "0_ann_100.wav").write_bytes(b"RIFF no wave")
    dataset = clips_of(tmp_path, 0.0)
    assert len(dataset) == 6
    assert [one["parent"] for one in dataset.rejects] == ["0_ann_100"]
    (tmp_path / f"{dataset[2].row['parent']}.wav").unlink()
    draft = dataset[2]
    assert draft.reason == "unreadable"
    dataset.make([draft])
    assert draft.facts["id"] == dataset[3].row["parent"]


def test_a_dataset_travels_without_the_sounds_that_it_has_read(clips: Path, noises: Path) -> None:
    share = Share(load("speech/car_noise", "steps.mix.source=bank"), share=1.0, banks={"noise": str(noises)})
    dataset = SliceDataset(str(clips), [share], 7, pattern=PATTERN)
    once = dataset[0]
    dataset.make([once])
    data = pickle.dumps(dataset)
    assert len(data) < 100_000
    other = pickle.loads(data)
    again = other[0]
    other.make([again])
    assert np.array_equal(again.item, once.item)


def test_wrong_settings_are_one_line(clips: Path) -> None:
    recipe = load("speech/car_noise")
    for call, said in (
        (lambda: clips_of(clips, 1.5), "shares: 1.5"),
        (lambda: SliceDataset(str(clips), []), "at least one"),
        (lambda: clips_of(clips).set_epoch(-1), "epoch: -1: expected a whole number from 0"),
        (lambda: clips_of(clips, fit="corp"), "did you mean crop"),
        (lambda: Augment(clips_of(clips), "cuda"), "device"),
        (lambda: clips_of(clips, items="speaker = 'none'"), "no item"),
        (lambda: recipe(np.zeros((2, 8), np.float32), rate=8000), "expected a clip"),
        (lambda: recipe(np.zeros(8, np.float32)), "rate: None"),
        (lambda: load("steel/scratches")(np.zeros((4, 4))), "expected an image"),
    ):
        with pytest.raises(SettingError, match=said) as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="silent"):
        recipe(np.zeros(8000, np.float32), rate=8000)


def test_real_clips_and_images_are_the_same_four_ways(real: Path, tmp_path: Path) -> None:
    for found in same_bytes.compare(real, 20, tmp_path):
        assert found["compared"] == 20
        assert found["differ"] == 0
