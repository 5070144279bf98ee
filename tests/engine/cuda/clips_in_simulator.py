"""What holds of batches of clips that stay on a device, run in Numba's simulator by `test_batch.py`.

Where there is a device, `test_batch.py` runs it there, too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from batches import CLASSES, DEVICE, STEP, Shelf, agree, alike, drafts_of
from signals import voice

from sliceforge.engine.collate import Form
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.cuda import clips
from sliceforge.engine.cuda.bank import Resident
from sliceforge.engine.cuda.batch import batch
from sliceforge.engine.cuda.download import download
from sliceforge.engine.loader import SliceDataset
from sliceforge.engine.parse import from_config
from sliceforge.engine.stock import Share

# Of numbers that are none numpy warns, where a device goes on.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def voices(lengths: Sequence[int], rate: int) -> list[np.ndarray]:
    """Clips in whole steps of 16 bit and half a step beside them, which an original is rounded by."""
    made = [voice(1, rate, 100 + 30 * b)[:length] for b, length in enumerate(lengths)]
    return [(np.rint(clip * 32768 + 40) / 32768 + b % 2 * STEP / 2).astype(np.float32) for b, clip in enumerate(made)]


BANKED = {"op": "audio/mix", "source": "bank", "reference": "rms"}
SOUNDS: dict[str, list[Any]] = {
    "car": [load_recipe("speech/car_noise"), load_recipe("speech/car_noise", "steps.mix.source=bank")],
    "speed": [
        from_config({"kind": "audio", "steps": {"speed": {"op": "audio/speed", "factor": 0.8}, "mix": BANKED}}),
        from_config({"kind": "audio", "steps": {"band": {"op": "audio/band"}, "level": {"op": "audio/level"}}}),
    ],
    "host": [from_config({"kind": "audio", "steps": {"mix": {**BANKED, "reference": "a_weighted"}}})] * 2,
}


@pytest.mark.parametrize("name", SOUNDS)
def test_clips_of_shares_and_originals_are_the_hosts(name: str) -> None:
    shares = [Share(SOUNDS[name][0], slice="noise = 'car'"), Share(SOUNDS[name][1])]
    banks, rates = [Shelf(), Shelf()], [8000] * 5 + [16000] * 2
    sources = voices([7, 300, 63, 1, 900, 400, 700], 8000)
    sources[4][:] = 0  # Nothing can be measured of it; once its speed was changed it would be longer.
    some = drafts_of(shares, [1, 0, -1, 0, 0, 1, -1], sources, rates)
    some[2].reason, some[6].row = "unreadable", {**some[6].row, "start": 0.01, "duration": 3.0}
    found = alike(shares, some, Form("audio"), banks)
    assert found["reason"][2] == "unreadable"
    assert found["made"].sum() < 5
    assert all(draft.item is None for draft in some)


@pytest.mark.parametrize("samples", [1, 160, 800])
def test_clips_are_cut_or_filled_to_one_length(samples: int) -> None:
    shares = [Share(from_config({"kind": "audio", "steps": {"level": {"op": "audio/level"}}}))]
    some = drafts_of(shares, [0, -1, -1], voices([300, 63, 500], 8000), [8000] * 3)
    found = alike(shares, some, Form("audio", samples=samples))
    assert found["audio"].shape == (3, samples)
    assert found["length"].tolist() == [min(one, samples) for one in (300, 63, 500)]


def test_a_bank_goes_up_once_and_what_comes_down_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    down: list[int] = []

    def counted(some: Sequence[torch.Tensor]) -> list[np.ndarray]:
        down.append(sum(one.nbytes for one in some))
        return download(some)

    monkeypatch.setattr(clips, "download", counted)
    shelves = [Shelf(), Shelf(), Shelf()]
    shares = [Share(from_config({"kind": "audio", "steps": {"mix": BANKED}}))] * 3
    some = drafts_of(shares, [0, 1, 2], voices([300] * 3, 8000), [8000] * 3)
    batch(shares, shelves, some, CLASSES, DEVICE, Form("audio"))
    read = [shelf.read for shelf in shelves]
    batch(shares, shelves, some, CLASSES, DEVICE, Form("audio"))
    batch(shares, [Resident(shelf, DEVICE) for shelf in shelves], some, CLASSES, DEVICE, Form("audio"))
    assert [shelf.read for shelf in shelves] == [count + 1 for count in read]
    assert down == [3 * 8] * 3


def test_a_data_set_gives_on_a_device_what_it_gives_on_the_host(tmp_path: Path) -> None:
    for n, clip in enumerate(voices([300, 400, 350, 420], 8000)):
        soundfile.write(tmp_path / f"{n}.wav", clip, 8000, subtype="PCM_16")
    recipe = load_recipe("speech/car_noise", "rate=8000")
    dataset = SliceDataset(str(tmp_path), [Share(recipe, share=0.5)], 3, seconds=0.05)
    some = [dataset[position] for position in range(4)]
    found = dataset.aboard(some, DEVICE)
    dataset.make(some)
    agree(found, dataset.batch(some))
    assert found["made"].sum() == 2
