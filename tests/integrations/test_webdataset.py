"""A stage in a pipeline of webdataset: made samples are what the one-array call gives, all others pass as they came."""

import gc
import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snippets
import soundfile
import webdataset
from PIL import Image
from signals import voice
from torch.utils.data import DataLoader

from sliceforge.engine import generate, load
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.stage import Stage

RATE, COUNT, SIDE = 8000, 16, 40

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),  # torch's loader forks beside threads
    pytest.mark.filterwarnings("ignore:unclosed file.*tar:ResourceWarning"),  # webdataset leaves its tars open
]


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    """What webdataset left open is collected while its warnings are expected."""
    yield
    gc.collect()


def clip(i: int) -> np.ndarray:
    return (np.rint(voice(0.15 + 0.01 * i, RATE, 90 + 7 * i) * 32767) / 32768).astype(np.float32)


def strip(i: int) -> np.ndarray:
    return np.random.default_rng(i).integers(100, 140, (SIDE, SIDE + 8 * (i % 2), 1), np.uint8)


def written(folder: Path, sample: Callable[[int], dict[str, bytes]]) -> str:
    """Two shards, as webdataset writes them."""
    for shard in range(2):
        with webdataset.TarWriter(str(folder / f"{shard}.tar")) as tar:
            for i in range(shard, COUNT, 2):
                tar.write({"__key__": f"item {i}", **sample(i)})
    return str(folder / "{0..1}.tar")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> str:
    def sample(i: int) -> dict[str, bytes]:
        data = audio.encode((clip(i) * 32768).astype(np.int16), RATE, "flac")
        return {"flac": data, "cls": str(i % 3).encode(), "json": json.dumps({"speaker": "bob", "n": i}).encode()}

    return written(tmp_path_factory.mktemp("clips"), sample)


@pytest.fixture(scope="module")
def strips(tmp_path_factory: pytest.TempPathFactory) -> str:
    def sample(i: int) -> dict[str, bytes]:
        return {"png": image.encode(strip(i), "png"), "cls": b"0"}

    return written(tmp_path_factory.mktemp("strips"), sample)


@pytest.fixture(scope="module")
def speech() -> Stage:
    return Stage(load("speech/car_noise"), share=0.5, seed=7)


def pipeline(shards: str) -> Any:
    return webdataset.WebDataset(shards, shardshuffle=False, empty_check=False)


def number(sample: dict[str, Any]) -> int:
    return int(sample["__key__"].rpartition(" ")[2])


def test_made_samples_are_those_of_the_call_and_all_others_are_as_they_were(clips: str, speech: Stage) -> None:
    before = {one["__key__"]: one for one in pipeline(clips)}
    composed, mapped = pipeline(clips).compose(speech.samples), pipeline(clips).map(speech.sample)
    seen = []
    for epoch in (1, 2):
        speech.set_epoch(epoch)
        samples = list(composed)
        assert samples == list(mapped)
        assert len(samples) == COUNT
        chosen = speech.chosen([one["__key__"] for one in samples]).tolist()
        for one, made in zip(samples, chosen, strict=True):
            if not made:
                assert one == {**before[one["__key__"]], "__reason__": ""}
                continue
            want = speech.recipe(clip(number(one)), rate=RATE, id=one["__key__"], seed=7, variant=epoch, group="bob")
            assert np.array_equal(soundfile.read(io.BytesIO(one["flac"]), dtype="float32")[0], want)
            said = json.loads(one["json"])
            assert (said["id"], said["parents"]) == (f"{one['__key__']}~{epoch}", [one["__key__"]])
            assert (said["noise"], said["speaker"], said["n"]) == ("car", "bob", number(one))
            assert (said["snr"], said["variant"]) == (said["plan"]["mix.snr"], epoch)
            assert one["cls"] == before[one["__key__"]]["cls"]
        seen.append(chosen)
    assert seen[0] != seen[1]
    speech.set_epoch(1)


def test_a_made_sample_holds_what_a_run_writes(clips: str, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for one in pipeline(clips):
        (tmp_path / f"clips/{one['__key__']}.flac").write_bytes(one["flac"])
    settings = [f"data={tmp_path / 'clips'}", f"out={tmp_path / 'RUN'}", "seed=7", "retries=0", "workers=1"]
    generate(compose("generate", ["recipe=speech/car_noise", *settings]))
    stage = Stage(load("speech/car_noise"), share=1, seed=7)
    made = {json.loads(one["json"])["id"]: one["flac"] for one in pipeline(clips).compose(stage.samples)}
    run = {json.loads(one["json"])["id"]: one["flac"] for one in pipeline(str(tmp_path / "RUN/shards/v001-000000.tar"))}
    # A run asks its gates and leaves out some; of the others each byte is the same.
    assert len(run) > COUNT / 2
    assert {item: made[item] for item in run} == run


def test_workers_change_no_byte(clips: str, speech: Stage) -> None:
    want = {one["__key__"]: one["flac"] for one in pipeline(clips).compose(speech.samples)}
    for workers in (1, 2):
        stream = pipeline(clips).compose(speech.samples)
        loader = DataLoader(stream, None, num_workers=workers, multiprocessing_context="fork")
        assert {one["__key__"]: one["flac"] for one in loader} == want


def test_lists_and_batches_hold_the_same(clips: str, speech: Stage) -> None:
    want = list(pipeline(clips).map(speech.sample))
    assert list(pipeline(clips).listed(5).map(speech.sample).unlisted()) == want
    batches = list(pipeline(clips).batched(5).compose(speech.samples))
    assert [item for batch in batches for item in batch["flac"]] == [one["flac"] for one in want]
    # And samples can be put together after it.
    assert sum(len(batch["json"]) for batch in pipeline(clips).map(speech.sample).batched(5)) == COUNT


def decoded(key: str, data: bytes) -> tuple[np.ndarray, int] | None:
    """What a decoder of one's own gives: channels first, as webdataset's own does."""
    if not key.endswith("flac"):
        return None
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return samples.T, rate


def test_decoded_samples_stay_decoded(clips: str, speech: Stage) -> None:
    raw = list(pipeline(clips).map(speech.sample).decode(decoded))
    early = list(pipeline(clips).decode(decoded).map(speech.sample))
    for one, other in zip(early, raw, strict=True):
        assert np.array_equal(one["flac"][0], other["flac"][0])
        assert one["flac"][1] == RATE
        assert (one["json"], one["cls"]) == (other["json"], other["cls"])


@pytest.mark.parametrize("form", ["l8", "l", "pill", "torchl8", "torchl"])
def test_pictures_in_every_decoded_form_are_those_of_the_call(form: str, strips: str) -> None:
    stage = Stage(load("steel/scratches"), share=0.5, seed=7, classes=["plain", "scratches"])
    made = 0
    for one in pipeline(strips).decode(form).map(stage.sample):
        before = strip(number(one))[:, :, 0]
        picture, mask = (np.squeeze(np.asarray(one[name])) for name in ("png", "mask.png"))
        pixels = np.rint(picture * 255) if picture.dtype == np.float32 else picture
        chosen = bool(stage.chosen([one["__key__"]])[0])
        want = stage.recipe(before, id=one["__key__"], seed=7) if chosen else before
        assert np.array_equal(pixels, want)
        assert (one["cls"], mask.any(), mask.shape) == (int(chosen), chosen, before.shape)
        made += chosen
    assert 0 < made < COUNT


def test_raw_pictures_carry_their_mask_and_label(strips: str) -> None:
    stage = Stage(load("steel/scratches"), share=0.5, seed=7, classes=["plain", "scratches"])
    for batch in pipeline(strips).compose(stage.samples).to_tuple("png", "mask.png", "cls", "json"):
        pixels, mask = (np.asarray(Image.open(io.BytesIO(data))) for data in batch[:2])
        said = json.loads(batch[3])
        assert mask.shape == pixels.shape
        assert mask.any() == bool(said) == (batch[2] == b"1")
        if said:
            assert said["label"] == "scratches" in said["box_labels"]


def test_masks_and_boxes_go_along_and_jpeg_stays_jpeg() -> None:
    mask = np.zeros((SIDE, SIDE, 1), np.uint8)
    mask[5:15, 10:20] = 255
    row = {"boxes": [[10, 5, 20, 15]], "box_labels": ["pit"], "label": "pit"}
    sample = {"__key__": "a", "jpg": image.encode(strip(0), "jpeg"), "mask.png": image.encode(mask, "png"), "json": row}
    recipe = load("geometric", "steps.flip.horizontal=1", "~steps.affine", "~steps.elastic", "~steps.crop")
    out = Stage(recipe, share=1).sample(sample)
    assert Image.open(io.BytesIO(out["jpg"])).format == "JPEG"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(out["mask.png"]))), mask[:, ::-1, 0])
    assert out["json"]["boxes"] == [[SIDE - 20, 5, SIDE - 10, 15]]
    assert (out["json"]["label"], out["json"]["box_labels"]) == ("pit", ["pit"])


def test_what_cannot_be_made_says_why(speech: Stage) -> None:
    stage = Stage(speech.recipe, share=1)
    silent = {"__key__": "a", "wav": audio.encode(np.zeros(800, np.int16), RATE, "wav"), "json": b'{"a": 1}'}
    broken = {"__key__": "b", "wav": b"RIFF", "json": b"no json"}
    for sample, reason in ((silent, "silent"), (broken, "unreadable")):
        assert stage.sample(sample) == {**sample, "__reason__": reason}


def test_a_member_that_is_not_there_is_named(speech: Stage) -> None:
    with pytest.raises(SettingError, match="member: none of __key__, txt is audio"):
        speech.sample({"__key__": "a", "txt": b""})
    with pytest.raises(SettingError, match="member: no 'mp3' among"):
        list(map(partial(speech.sample, member="mp3"), [{"__key__": "a", "txt": b""}]))
    with pytest.raises(SettingError, match="goes before to_tuple"):
        speech.sample((b"", 1))


def test_the_program_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert snippets.run("webdataset") == 1
