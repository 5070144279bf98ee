"""How a kernel meets torch: over torch's memory, without a copy, on torch's current stream, without a wait."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

import torch
from numba import cuda, njit
from numba.cuda.core import config

SIMULATED = bool(config.ENABLE_CUDASIM)

THREADS = 4 if SIMULATED else 512
"""Threads of a block; the simulator gives each a thread of the host, and a few show as much."""

EACH = 4
"""Samples that a thread of a pass over a batch sees, one block's width apart."""

Kernel = Callable[..., None]


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a kernel calls, compiled into it: only so does a kernel compile where there is no driver.

    In the simulator it stays Python, as the kernel does. Whatever it calls must have come through here, too.
    """
    return function if SIMULATED else njit(inline="always")(function)


@inlined
def _rest(array, first):
    return array[first:]


def _plain_rest(array, first):
    # What such a function calls in turn is compiled for the host, and takes no other array.
    return array._item._ary[first:]


rest = _plain_rest if SIMULATED else _rest
"""rest(array, first): array[first:], for a function that a kernel calls."""


class Memory:
    """A tensor as the array interface shows it, and as nothing else: of anything that knows DLPack, Numba takes that,
    which goes through torch's streams and, for the legacy one, through a number that DLPack does not define.

    No stream is named, so that Numba waits for none: a kernel goes to the stream that the tensor's last writer is on.

    Args:
        tensor: contiguous, on a CUDA device.
    """

    __slots__ = ("__cuda_array_interface__", "tensor")

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.__cuda_array_interface__ = {
            "shape": tuple(tensor.shape),
            "typestr": _TYPES[tensor.dtype],
            "data": (tensor.data_ptr(), False),
            "strides": None,
            "version": 2,
        }


_TYPES = {torch.float32: "<f4", torch.int32: "<i4", torch.uint8: "|u1"}


def launch(kernel: Kernel, grid: tuple[int, ...], *arguments: Any) -> None:
    """Start a kernel with `THREADS` threads in each block and return at once.

    Args:
        kernel: a plain function over arrays and numbers, which is compiled at its first launch.
        grid: blocks in x, and in y. Nothing happens where there is none.
        arguments: tensors, contiguous and all on one device; whole numbers; float32 scalars.

    Raises:
        ValueError: a tensor is not contiguous, or of a type that no kernel takes.
    """
    if 0 in grid:
        return
    for one in arguments:
        if isinstance(one, torch.Tensor) and not (one.is_contiguous() and one.dtype in _TYPES):
            raise ValueError(f"{kernel.__name__}: {one.dtype} {tuple(one.shape)}: not contiguous, or of no known type")
    if SIMULATED:
        # Numba's own hand-over copies in and out; this one shares the memory, as a device does.
        from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

        shown = [FakeCUDAArray(one.numpy()) if isinstance(one, torch.Tensor) else one for one in arguments]
        _compiled(kernel)[grid, THREADS](*shown)
        return
    stream = torch.cuda.current_stream().cuda_stream
    _configured(kernel, grid, stream)(
        *(Memory(one.detach()) if isinstance(one, torch.Tensor) else one for one in arguments)
    )


@cache
def _compiled(kernel: Kernel) -> Any:
    # A block has 64 Ki registers: with more to a thread it would not start.
    return cuda.jit(kernel) if SIMULATED else cuda.jit(kernel, max_registers=65536 // THREADS)


@lru_cache(maxsize=4096)
def _configured(kernel: Kernel, grid: tuple[int, ...], stream: int) -> Any:
    with warnings.catch_warnings():
        # A small batch is a small grid, and nobody can do anything about it.
        warnings.simplefilter("ignore")
        return _compiled(kernel)[grid, THREADS, cuda.external_stream(stream)]


def ptx(kernel: Kernel, types: Sequence[Any], compute: tuple[int, int]) -> str:
    """The kernel's PTX, on a machine with or without a device.

    Args:
        kernel: as for `launch`.
        types: Numba types of its arguments, such as `float32[:, ::1]`.
        compute: compute capability, such as (9, 0).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code, _ = cuda.compile_ptx(kernel, tuple(types), cc=compute)
    return str(code)


def blocks(count: int) -> int:
    """Blocks whose threads go through `count` things, `EACH` each; one in the simulator, which runs them in turn."""
    return 1 if SIMULATED else -(-count // (THREADS * EACH))
