"""Numba's CUDA simulator, set up so that what is wrong shows and what is right holds."""

import sys
import threading
from typing import Any

import numpy as np
import torch
from numba.cuda.core import config
from numba.cuda.np.numpy_support import as_dtype
from numba.cuda.simulator.kernelapi import FakeCUDAShared

_ONE_AT_A_TIME = threading.Lock()


def set_up() -> None:
    """For a process whose tests all run in the simulator."""
    assert config.ENABLE_CUDASIM
    FakeCUDAShared.array = _array
    # Its threads wait for each other at every barrier: let them take turns quickly.
    sys.setswitchinterval(1e-5)
    # New memory holds no numbers, so that what nobody wrote shows.
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = True


def _array(self: Any, shape: Any, dtype: Any) -> np.ndarray:
    """A block's shared array, one for each line.

    Numba's own first looks whether there is one and then makes it: two threads that come between get an array each.
    """
    caller = sys._getframe(1)
    line = caller.f_code.co_filename, caller.f_lineno
    with _ONE_AT_A_TIME:
        if line not in self._allocations:
            self._allocations[line] = np.full(shape, 77, as_dtype(dtype))
        made: np.ndarray = self._allocations[line]
    return made
