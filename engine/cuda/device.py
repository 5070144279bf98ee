"""Whether a CUDA device can be used; nothing here imports Numba, so that asking costs nothing."""

from __future__ import annotations

from importlib.util import find_spec

from sliceforge.engine.errors import SettingError

SAME = "device=cpu makes the same items"


def check(device: str) -> None:
    """Refuse a device that is not there.

    Args:
        device: `cuda`, or one of several as `cuda:1`. In Numba's simulator `cpu` stands for it.

    Raises:
        SettingError: one line.
    """
    import torch

    if not find_spec("numba_cuda"):
        raise SettingError(f"device: {device}: numba-cuda is not installed: pip install 'sliceforge[cuda]'; {SAME}")
    from sliceforge.engine.cuda.launch import SIMULATED

    if SIMULATED and device == "cpu":
        return
    if not torch.cuda.is_available():
        raise SettingError(f"device: {device}: no CUDA device is visible; {SAME}")
    number = torch.device(device).index
    if number is not None and number >= torch.cuda.device_count():
        raise SettingError(f"device: {device}: {torch.cuda.device_count()} are visible, from cuda:0; {SAME}")
