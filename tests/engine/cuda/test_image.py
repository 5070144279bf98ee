"""Images on a device: in Numba's simulator anywhere, and on a device where there is one."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

if not find_spec("numba_cuda"):
    pytest.skip("numba-cuda is not installed: pip install 'sliceforge[cuda]'", allow_module_level=True)


def test_the_kernel_and_the_chains_hold_in_the_simulator() -> None:
    line = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(HERE / "images_in_simulator.py")]
    simulated = os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=simulated)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
