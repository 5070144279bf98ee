"""Sound on a device: in Numba's simulator anywhere, and on a device where there is one."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from signals import voice

from sliceforge.engine import plan, sound
from sliceforge.engine.banks import Shelf
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.cuda.device import check
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes

HERE = Path(__file__).resolve().parent
RECIPES = sorted(path.stem for path in (HERE.parents[2] / "recipes" / "speech").glob("*.yaml"))
STEP = 2.0**-15

if not find_spec("numba_cuda"):
    pytest.skip("numba-cuda is not installed: pip install 'sliceforge[cuda]'", allow_module_level=True)


def test_every_kernel_and_the_chain_hold_in_the_simulator() -> None:
    files = [str(HERE / f"{name}_in_simulator.py") for name in ("kernels", "chains")]
    line = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    simulated = os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=simulated)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_device_is_one_line_that_says_what_works() -> None:
    with pytest.raises(SettingError) as caught:
        check("cuda")
    assert str(caught.value) == "device: cuda: no CUDA device is visible; device=cpu makes the same items"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("name", RECIPES)
def test_a_device_makes_the_items_of_the_cpu(name: str, noises: Path) -> None:
    from sliceforge.engine.cuda.sound import make

    recipe, shelf = load_recipe(f"speech/{name}"), Shelf.open({"noise": str(noises), "voices": str(noises)})
    rate, count = 16000, 64
    clips = [voice(1 + b / 20, rate, 90 + 3 * b) for b in range(count)]
    none, lengths = np.zeros(count, np.int64), np.array([len(clip) for clip in clips])
    columns = recipe.draw(
        Keys.of(5, [str(b) for b in range(count)]), Shapes(lengths, none + rate, none, none, shelf.inventories())
    )
    rows: list[dict[str, Any]] = pa.table(plan.nulled(recipe, columns)).to_pylist()
    batch = make(recipe, clips, [rate] * count, rows, shelf, "cuda")
    audio = batch.audio.cpu().numpy()
    assert not batch.wrong()
    off = np.concatenate(
        [
            np.abs(audio[b, : batch.length[b]] - sound.make(recipe, clips[b], rate, rows[b], shelf).item) / STEP
            for b in range(count)
        ]
    )
    assert off.max() <= 1
