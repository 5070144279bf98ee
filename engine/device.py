"""What `device=` means: where items are made, the CPU or a CUDA device, and which of them where nobody says."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sliceforge.engine.cuda.device import SAME, check
from sliceforge.engine.errors import SettingError

CPU, CUDA = "cpu", "cuda"

PLACES = ("/dev/nvidia[0-9]*", "/dev/dxg", "/dev/nvhost-gpu")
"""What the driver of a card, of a card under WSL, and of a Jetson shows."""

ROUNDS = 3
"""Rounds that are measured, after one that is not; their median counts."""

MOST_WORKERS = 8
"""Processes that share a device unless more are asked for: each takes memory of it, and more do not fill it better."""

Make = Callable[[str], Any]
"""Makes the same items on the device of that name."""


@dataclass(frozen=True)
class Device:
    """Where items are made.

    Args:
        name: `cpu`, or as torch names it.
        card: what its maker calls it; empty for the CPU.
        why: what is said of the choice, one line; empty where there was none.
    """

    name: str = CPU
    card: str = ""
    why: str = ""

    @property
    def recorded(self) -> str:
        """What run.yaml says: `cpu`, or the card, whichever number it has."""
        return f"{CUDA}, {self.card}" if self.card else self.name

    def workers(self, asked: int | None, cores: int) -> int:
        """How many processes: as asked, or one for each core, on a device at most `MOST_WORKERS`."""
        return asked or (cores if self.name == CPU else min(cores, MOST_WORKERS))


def missing(name: str = CUDA) -> str:
    """Why a CUDA device cannot be used, or nothing. Torch is not asked where no driver shows one.

    Args:
        name: `cuda`, or one of several as `cuda:1`.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every device"
    if not any(any(Path("/").glob(place.removeprefix("/"))) for place in PLACES):
        return "no CUDA device is visible"
    try:
        check(name)
    except SettingError as error:
        return str(error).removeprefix(f"device: {name}: ").removesuffix(f"; {SAME}")
    return ""


def named(name: str, why: str = "") -> Device:
    """A device by name.

    Raises:
        SettingError: it is not there.
    """
    if name == CPU:
        return Device(CPU, why=why)
    reason = missing(name)
    if reason:
        raise SettingError(f"device: {name}: {reason}; {SAME}")
    import torch

    return Device(name, torch.cuda.get_device_name(name), why)


def begun(recorded: str) -> Device:
    """The device that a run was begun on, or the CPU where it has no such device any more; `why` says which.

    Args:
        recorded: what run.yaml says.
    """
    if recorded == CPU:
        return Device()
    reason = missing()
    if reason:
        return Device(CPU, why=f"device: cpu, since {reason}; the run was begun on {recorded}")
    return named(CUDA, f"device: cuda, as the run was begun on {recorded}")


def faster(make: Make, items: int, workers: int = 1) -> Device:
    """The CPU or the CUDA device, whichever makes the same items faster, with all copies to the device and back.

    Args:
        make: makes them; every call is waited for.
        items: how many.
        workers: processes that would do so on the CPU at a time; the device is one for all of them.
    """
    cpu = items * workers / _seconds(make, CPU)
    try:
        device = named(CUDA)
        cuda = items / _seconds(make, CUDA)
    # Whatever a driver, a compiler or a full card may throw: the CPU makes the same items, and this line says why.
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        return Device(CPU, why=f"device: cpu, since cuda failed: {said}")
    on = f"{workers} core{'s' if workers > 1 else ''}"
    measured = f"({items} items measured)"
    if cuda > cpu:
        why = f"device: cuda, {_shown(cuda)} items/s against {_shown(cpu)} on {on} {measured}"
        return Device(CUDA, device.card, why)
    return Device(CPU, why=f"device: cpu, {_shown(cpu)} items/s on {on} against {_shown(cuda)} on cuda {measured}")


def _seconds(make: Make, name: str) -> float:
    """The median time of a call, after one that compiles and brings banks to the device."""
    make(name)
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        make(name)
        taken.append(time.perf_counter() - began)
    return max(sorted(taken)[ROUNDS // 2], 1e-9)


def _shown(rate: float) -> str:
    """Items per second as a reader takes them in.

    >>> _shown(5210.4), _shown(0.52)
    ('5 210', '0.52')
    """
    return f"{rate:,.0f}".replace(",", " ") if rate >= 10 else f"{rate:.2g}"
