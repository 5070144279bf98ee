"""Batches that stay on a device: in Numba's simulator anywhere, and on a device where there is one."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).resolve().parent

if not find_spec("numba_cuda"):
    pytest.skip("numba-cuda is not installed: pip install 'sliceforge[cuda]'", allow_module_level=True)


def checked(name: str, simulated: dict[str, str]) -> None:
    line = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(HERE / f"{name}_in_simulator.py")]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ | simulated)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


# What pixels call is compiled for the host in the simulator, and takes longer to compile than to run as Python.
@pytest.mark.parametrize(("name", "more"), [("clips", {}), ("pictures", {"NUMBA_DISABLE_JIT": "1"})])
def test_a_batch_is_the_hosts_in_the_simulator(name: str, more: dict[str, str]) -> None:
    checked(name, {"NUMBA_ENABLE_CUDASIM": "1", **more})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("name", ["clips", "pictures"])
def test_a_batch_is_the_hosts_on_a_device(name: str) -> None:
    checked(name, {})
