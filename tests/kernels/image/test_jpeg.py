"""JPEG leaves its blocks of eight, keeps grey exactly in the middle of a block, and is the codec's own bytes."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from sliceforge.engine import scene
from sliceforge.engine.build import build
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.parse import from_config
from sliceforge.kernels.image.jpeg import Jpeg

OP = build(Jpeg, {}, "steps.jpeg")
RECIPE = from_config({"kind": "image", "steps": {"j": {"op": "image/jpeg"}}})


def stored(pixels: np.ndarray, quality: int) -> np.ndarray:
    return scene.make(RECIPE, pixels, {"j.quality": quality}).item


def scenery(height: int, width: int, channels: int) -> np.ndarray:
    y, x, c = np.mgrid[:height, :width, :channels]
    noise = np.random.default_rng(0).normal(0, 12, (height, width, channels))
    return np.clip(120 + 60 * np.sin(x / 9 + c) * np.cos(y / 13) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_the_bytes_are_those_of_the_codec(channels: int, mode: str) -> None:
    pixels, file = scenery(37, 50, channels), io.BytesIO()
    Image.fromarray(pixels if channels == 3 else pixels[..., 0]).save(file, "JPEG", quality=40)
    assert Image.open(file).mode == mode
    assert np.array_equal(stored(pixels, 40), np.asarray(Image.open(file)).reshape(pixels.shape))


def test_steps_stand_at_the_edges_of_blocks_of_eight() -> None:
    x = np.arange(256)
    smooth = np.repeat((100 + 40 * np.sin(x / 25))[None, :, None], 64, axis=0).round().astype(np.uint8)
    step = np.abs(np.diff(stored(smooth, 5)[..., 0].astype(int) - smooth[..., 0], axis=1)).mean(0)
    at = (np.arange(255) + 1) % 8 == 0
    assert step[at].mean() > 2 * step[~at].mean()


def test_a_block_depends_on_itself_alone() -> None:
    pixels = scenery(32, 32, 1)
    other = pixels.copy()
    other[8:16, 16:24] = 255 - other[8:16, 16:24]
    changed = (stored(pixels, 50) != stored(other, 50))[..., 0]
    assert changed[8:16, 16:24].any()
    changed[8:16, 16:24] = False
    assert not changed.any()


def test_a_lower_quality_is_further_from_the_image() -> None:
    pixels = scenery(64, 64, 1)
    errors = [np.abs(stored(pixels, quality).astype(int) - pixels).mean() for quality in (95, 70, 40, 10)]
    assert errors == sorted(errors)
    assert errors[0] < errors[-1] / 2


def test_colour_is_kept_at_full_resolution_where_asked() -> None:
    pixels = scenery(32, 32, 3)
    pixels[:, ::2] = [200, 40, 40]
    pixels[:, 1::2] = [40, 40, 200]
    full = build(Jpeg, {"subsampling": "4:4:4"}, "steps.j")
    batch = {"image": torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255)[None]}
    kept, halved = (op.apply(batch, quality=torch.tensor([90]))["image"] for op in (full, OP))
    assert (kept - batch["image"]).abs().mean() < (halved - batch["image"]).abs().mean() / 3


def test_alpha_stays_as_it_is() -> None:
    pixels = scenery(20, 31, 4)
    assert np.array_equal(stored(pixels, 10)[..., 3], pixels[..., 3])


def test_sixteen_bits_keep_their_type_and_hold_eight() -> None:
    pixels = (scenery(40, 40, 1).astype(np.uint16) * 257) + 100
    made = stored(pixels, 90)
    assert made.dtype == np.uint16
    assert not (made % 257).any()
    assert np.abs(made.astype(int) - pixels).mean() < 257 * 6


def test_what_the_codec_cannot_hold_is_rejected() -> None:
    with pytest.raises(InputError, match="too_large"):
        stored(np.zeros((1, 65501, 1), np.uint8), 50)


def test_a_wrong_subsampling_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match=r"steps\.j\.subsampling: .*4:2:2"):
        build(Jpeg, {"subsampling": "4:2:1"}, "steps.j")


def test_batches_of_1_and_7_give_the_same_bytes() -> None:
    images = torch.from_numpy(np.random.default_rng(0).random((7, 3, 21, 25), np.float32))
    quality = torch.tensor([10, 30, 40, 50, 75, 90, 100])
    whole = OP.apply({"image": images}, quality=quality)["image"]
    alone = [OP.apply({"image": images[i : i + 1]}, quality=quality[i : i + 1])["image"] for i in range(7)]
    assert torch.equal(torch.cat(alone), whole)
