"""The GPU benchmark: recipes without Hydra are those with it, a step is seen, and without a device it says so."""

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import gpu, gpu_input, gpu_table
from benchmarks.material import Bank
from sliceforge.engine import fuse
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.parse import from_config

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", gpu_input.names())
def test_a_recipe_read_without_hydra_is_the_one_that_hydra_composes(name: str) -> None:
    assert from_config(gpu_input.read(name)) == load_recipe(name)


@pytest.mark.parametrize("name", ["speech/car_noise", "steel/scratches"])
@pytest.mark.parametrize("steps", [0, 2])
def test_the_comparison_says_how_many_steps_and_how_many_values(
    name: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = fuse.make

    def off(recipe: Any, tasks: Any, banks: Any, device: str) -> list[Any]:
        made = plain(recipe, tasks, banks)
        for one in made:
            first = one.item.reshape(-1)[:1]
            first[:] = first - steps / 32768 if one.rate else first - np.sign(first.astype(int) - 128) * steps
        return made

    monkeypatch.setattr(fuse, "_on_cuda", off)
    recipe = load_recipe(name)
    tasks = gpu_input.fresh(recipe, 3, 5)
    found = gpu.compared(recipe, tasks, Bank())
    values = sum(task.parent.size for task in tasks)
    assert found == {"steps": steps, "share": 3 * bool(steps) / values, "refused_by_one": 0}


def test_input_is_fresh_for_another_seed_and_the_same_for_the_same() -> None:
    recipe = load_recipe("steel/scratches")
    one, same, other = (gpu_input.fresh(recipe, 2, seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(one.parent, same.parent)
    assert one.row == same.row
    assert not np.array_equal(one.parent, other.parent)


def test_without_a_device_one_line_says_so() -> None:
    shown = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [str(ROOT / "benchmarks" / "gpu.sh")], capture_output=True, text=True, check=False, env=shown, cwd="/"
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gpu: CUDA_VISIBLE_DEVICES hides every device; nothing was measured\n"


def test_a_row_without_a_profile_claims_no_kernel_time() -> None:
    one = {"name": "a", "items": 64, "steps": 1.0, "share": 0.0001, "items_per_s": 1000.0, "cpu_items_per_s": 10.0}
    assert gpu_table.line(one) == "| `a` | 64 | 1 | 0.0100% | 1,000 | not seen | not seen | 10 |"
