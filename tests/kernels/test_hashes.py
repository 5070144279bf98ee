"""A hash hardly moves where a picture or a clip hardly changes, and two of a kind are far apart."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter
from signals import voice

from sliceforge.kernels.hamming import nearest
from sliceforge.kernels.hashes import apart, of_image, of_sound


def picture(seed: int, height: int = 96, width: int = 128, channels: int = 1) -> np.ndarray:
    """Soft spots of any size and grain; (H, W, C) uint8."""
    grain = np.random.default_rng(seed).normal(0, 1, (3, height, width))
    values = 128 + 900 * gaussian_filter(grain[0], 14) + 250 * gaussian_filter(grain[1], 6) + 4 * grain[2]
    return np.repeat(np.clip(np.rint(values), 0, 255).astype(np.uint8)[..., None], channels, axis=2)


def changed(image: np.ndarray, values: np.ndarray) -> int:
    return apart(of_image(image), of_image(np.clip(np.rint(values), 0, 255).astype(np.uint8)))


@pytest.mark.parametrize("seed", range(5))
def test_light_noise_and_a_shift_of_a_pixel_move_few_bits(seed: int) -> None:
    image = picture(seed)
    assert changed(image, image * 0.9 + 8) <= 3
    assert changed(image, image + np.random.default_rng(9).normal(0, 5, image.shape)) <= 4
    assert changed(image, np.roll(image, 1, axis=1)) <= 6


def test_other_pictures_are_far() -> None:
    hashes = [of_image(picture(seed)) for seed in range(30)]
    distances = [apart(one, other) for one, other in combinations(hashes, 2)]
    assert min(distances) >= 14
    assert np.mean(distances) == pytest.approx(31.5, abs=2)


def test_the_bits_are_the_signs_of_the_lowest_cosines() -> None:
    image = picture(3, 64, 160)
    cells = image[..., 0].astype(float).reshape(32, 2, 32, 5).mean(axis=(1, 3))
    expected = dctn(cells)[:8, :8].reshape(-1) > 0
    bits = [bool(of_image(image) >> (63 - i) & 1) for i in range(64)]
    assert bits[1:] == expected[1:].tolist()


def test_a_size_a_type_and_channels_hardly_matter() -> None:
    image = picture(4)
    assert of_image(np.repeat(image, 3, axis=2)) == of_image(image)
    assert of_image(image.astype(np.uint16) * 257) == of_image(image)
    assert apart(of_image(image), of_image(np.kron(image, np.ones((2, 2, 1), np.uint8)))) <= 1
    for height, width in ((1, 1), (1, 7), (33, 31)):
        assert 0 <= of_image(np.zeros((height, width, 4), np.uint8)) < 2**64


def test_loudness_and_a_little_noise_move_few_bits_of_a_clip() -> None:
    noise = np.random.default_rng(1).normal(0, 1, 40000)
    for pitch in (90, 120, 150, 210):
        sound = voice(2.0, 8000, pitch) + (0.02 * noise[:16000]).astype(np.float32)
        own = of_sound(sound, 8000)
        assert of_sound(sound * np.float32(0.25), 8000) == own
        assert apart(own, of_sound((sound + 0.001 * noise[20000:36000]).astype(np.float32), 8000)) <= 4
        assert apart(own, of_sound(np.rint(sound * 4096).astype(np.float32) / 4096, 8000)) <= 3


def test_other_clips_are_far() -> None:
    sounds = np.random.default_rng(2).normal(0, 0.1, (20, 8000)).astype(np.float32)
    distances = [apart(of_sound(a, 8000), of_sound(b, 8000)) for a, b in combinations(sounds, 2)]
    assert min(distances) >= 14
    for length in (0, 1, 7, 63):
        assert 0 <= of_sound(np.ones(length, np.float32), 8000) < 2**64


def test_real_strips_and_digits_are_told_apart(real: Path) -> None:
    strips = sorted(real.glob("x_sdd/iron sheet ash/*.jpg"))[::2]
    images = [np.asarray(Image.open(path).convert("L"))[..., None] for path in strips]
    digits = [soundfile.read(path, dtype="float32")[0] for path in sorted(real.glob("fsdd/*_jackson_1*.wav"))]
    if not images or not digits:
        pytest.skip("needs x_sdd and fsdd among the real material")
    for hashes in ([of_image(image) for image in images], [of_sound(sound, 8000) for sound in digits]):
        close = [apart(one, other) <= 3 for one, other in combinations(hashes, 2)]
        assert np.mean(close) < 0.001


def plain(hashes: np.ndarray) -> tuple[list[int], list[int]]:
    """Each against each."""
    places, distances = [], []
    for i, own in enumerate(hashes.tolist()):
        others = [(apart(own, other), j) for j, other in enumerate(hashes.tolist()) if j != i]
        distance, place = min(others, default=(64, -1))
        places.append(place if distance <= 7 else -1)
        distances.append(distance if distance <= 7 else -1)
    return places, distances


@pytest.mark.parametrize("flips", [0, 2, 5])
def test_the_search_finds_what_a_plain_one_does(flips: int) -> None:
    generator = np.random.default_rng(flips)
    hashes = generator.integers(0, 1 << 64, 60, np.uint64)[generator.integers(0, 60, 400)]
    for _ in range(flips):
        hashes ^= np.uint64(1) << generator.integers(0, 64, 400).astype(np.uint64)
    places, distances = nearest(hashes)
    assert (places.tolist(), distances.tolist()) == plain(hashes)
    assert nearest(hashes[:1])[0].tolist() == [-1]
    assert nearest(hashes[:0])[0].tolist() == []
