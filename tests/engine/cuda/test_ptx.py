"""Every kernel compiles to PTX on a machine with or without a device, in single precision and with nothing to call."""

import inspect
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if not find_spec("numba_cuda"):
    pytest.skip("numba-cuda is not installed: pip install 'sliceforge[cuda]'", allow_module_level=True)

from cuda.bindings import nvjitlink
from numba import float32, int32, int64, uint8

from sliceforge.engine.cuda import factors, measures, waves
from sliceforge.engine.cuda.launch import THREADS, ptx
from sliceforge.engine.cuda.scripts import Functions
from sliceforge.engine.op import Paint
from sliceforge.engine.operators import find
from sliceforge.engine.parse import from_config
from sliceforge.kernels import rooms
from sliceforge.kernels.audio.clip import clip_value


def array(kind: Any, dimensions: int) -> Any:
    """The type of a contiguous array."""
    return kind[(slice(None),) * (dimensions - 1) + (slice(None, None, 1),)] if dimensions > 1 else kind[::1]


F1, F2, F3, F4 = (array(float32, n) for n in (1, 2, 3, 4))
I1, I2 = array(int32, 1), array(int32, 2)
B1, L = array(uint8, 1), int64

OPERATORS = [
    path.stem for path in sorted((Path(__file__).resolve().parents[3] / "conf" / "op" / "image").glob("*.yaml"))
]
PAINTS = [name for name in OPERATORS if issubclass(find(f"image/{name}"), Paint)]


def rasters() -> list[Any]:
    """The kernels of images: for no function, and for those of operators that paint nothing and of one that does."""
    parts = (["flip"], [name for name in OPERATORS if name not in PAINTS or name == "scratch"])
    steps = [{name: {"op": f"image/{name}"} for name in some} for some in parts]
    return [Functions(from_config({"kind": "image", "steps": some})).kernel for some in steps]


def pixels() -> list[Any]:
    """What each other paint does to a value, in the smallest kernel that there is: in an image's it compiles for ten
    times as long."""
    return [waves.point_kernel(find(f"image/{name}").pixel) for name in PAINTS if name != "scratch"]


KERNELS = {
    waves.gather_cuda: (F1, F2, I2, int64, F3, int64),
    waves.shape_cuda: (F4, F3, I2, int64, int64),
    waves.select_cuda: (F3, F3, I2, int64, int64, F3),
    **dict.fromkeys([waves.point_kernel(clip_value), *pixels()], (F3, F2, F2, int64, int64, I2, int64, F3)),
    waves.finish_cuda: (F3, F2, I2, F2, I1, int64),
    measures.measure_cuda: (F3, I2, F2, int64, int64, F4, F2, F3),
    rooms.normals_cuda: (F2, int64, F2),
    factors.solve_cuda: (F3, I2, F2, I2, int64, int64, F4, F3, F2, F2, int64, int64, F2, F2, I1),
    **dict.fromkeys(rasters(), (B1, F1, B1, F1, F1, I2, F1, L, L, L, L, B1, F1, B1, F1, F1, I1, L, L, L)),
}
CASES = [(kernel, compute) for kernel in KERNELS for compute in ((8, 0), (9, 0))]
# Compiling it takes longer than all others together, and what is compiled for one runs on the other as it is.
CASES.remove((list(KERNELS)[-1], (9, 0)))
NAMES = [f"{kernel.__name__} {n}" for n, kernel in enumerate(KERNELS)]


@cache
def code_of(kernel: Any, compute: tuple[int, int]) -> str:
    """Compiled once for all that is asked of it."""
    return ptx(kernel, KERNELS[kernel], compute)


def test_no_kernel_is_left_out() -> None:
    found = {
        name
        for module in (waves, measures, factors, rooms)
        for name, _ in inspect.getmembers(module, inspect.isfunction)
        if name.endswith("_cuda")
    }
    assert found | {"point_cuda", "raster_cuda"} == {kernel.__name__ for kernel in KERNELS}


@pytest.mark.parametrize(("kernel", "compute"), CASES, ids=lambda one: getattr(one, "__name__", str(one)))
def test_a_kernel_compiles_without_doubles_and_without_calls(kernel: Any, compute: tuple[int, int]) -> None:
    code = code_of(kernel, compute)
    assert ".target sm_{}{}".format(*compute) in code
    assert ".visible .entry" in code
    assert not re.findall(r"\.f64", code)
    assert not re.findall(r"\bcall[.\s][^;]*;", code)
    assert ".extern .func" not in code


@pytest.mark.parametrize("kernel", KERNELS, ids=NAMES)
def test_a_block_finds_its_registers_and_its_shared_memory(kernel: Any) -> None:
    code = code_of(kernel, (8, 0)).encode()
    linker = nvjitlink.create(3, ["-arch=sm_90", "-verbose", f"-maxrregcount={65536 // THREADS}"])
    nvjitlink.add_data(linker, nvjitlink.InputType.PTX, code, len(code), kernel.__name__)
    nvjitlink.complete(linker)
    log = bytearray(nvjitlink.get_info_log_size(linker))
    nvjitlink.get_info_log(linker, log)
    nvjitlink.destroy(linker)
    used = re.search(r"used (\d+) registers.* (\d+) bytes smem", log.decode())
    assert used
    assert int(used[1]) * THREADS <= 65536
    assert int(used[2]) <= 48 << 10
