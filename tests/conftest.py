"""Material that tests share: made here, small, and real files on disk."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from signals import voice


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real material, or a skip with its reason."""
    folder = os.environ.get("SLICEFORGE_DATA")
    if not folder:
        pytest.skip("needs real material: set SLICEFORGE_DATA")
    return Path(folder)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """23 clips of two speakers at two rates, `{label}_{speaker}_{index}.wav`."""
    folder = tmp_path_factory.mktemp("clips")
    for i in range(23):
        rate = (8000, 16000)[i % 2]
        sound = voice(0.25 + 0.013 * i, rate, 90 + 7 * i)
        soundfile.write(folder / f"{i % 10}_{('ann', 'bob')[i % 2]}_{i}.wav", sound, rate, subtype="PCM_16")
    return folder


@pytest.fixture(scope="session")
def strips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """17 grey strips of three sizes in two class folders, grain along x."""
    folder = tmp_path_factory.mktemp("strips")
    generator = np.random.default_rng(5)
    for i in range(17):
        height, width = ((64, 64), (48, 80), (63, 100))[i % 3]
        grain = generator.normal(0, 6, (height, width + 8))
        smooth = np.stack([grain[:, k : k + width] for k in range(8)]).mean(axis=0) * 2
        pixels = np.clip(np.rint(120 + smooth), 0, 255).astype(np.uint8)
        place = folder / ("plain", "patchy")[i % 2] / f"strip {i}.png"
        place.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place)
    return folder


@pytest.fixture(scope="session")
def noises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank of three noises: shorter and longer than the clips, at 16 and 44.1 kHz."""
    folder = tmp_path_factory.mktemp("noises")
    generator = np.random.default_rng(6)
    for name, seconds, rate in (("hum", 0.2, 16000), ("street", 3.0, 16000), ("wind", 2.0, 44100)):
        sound = generator.normal(0, 0.05, round(seconds * rate)).astype(np.float32)
        soundfile.write(folder / f"{name}.flac", sound, rate, subtype="PCM_16")
    return folder
