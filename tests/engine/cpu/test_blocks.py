"""Memory that is handed out again: never while anybody holds a part of it."""

import numpy as np

from sliceforge.engine.cpu.blocks import LARGEST, arrays


def test_what_somebody_holds_is_not_handed_out_again() -> None:
    held = arrays(3, (50, 40), np.float32)
    kept = held[1]
    kept[:] = 7
    del held
    for _ in range(10):
        for one in arrays(3, (50, 40), np.float32):
            assert not np.shares_memory(one, kept)
            one[:] = np.nan
    assert (kept == 7).all()


def test_what_nobody_holds_any_more_is_handed_out_again() -> None:
    first = arrays(4, (64, 64, 1), np.uint8)[0].__array_interface__["data"][0]
    again = arrays(4, (64, 64, 1), np.uint8)[0].__array_interface__["data"][0]
    assert first == again


def test_arrays_of_one_block_do_not_overlap_and_any_size_comes() -> None:
    for shape in ((0, 3), (1,), (7, 5, 3)):
        some = arrays(3, shape, np.float32)
        assert [one.shape for one in some] == [shape] * 3
        for value, one in enumerate(some):
            one[...] = value
        assert all((one == value).all() for value, one in enumerate(some))
    assert len(arrays(2, (LARGEST,), np.uint8)) == 2
