"""The stop rule says of two curves what was measured of them."""

import numpy as np
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.allocation import Need
from sliceforge.engine.loop.allocate.curves import Curve
from sliceforge.engine.loop.allocate.stop import stopped

MADE, ORIGINALS = 600, 600


def need(share: float) -> Need:
    """A slice whose first 150 of 600 made items buy this share of the gain of all, with 1 / n for its curve.

    150 (n + 600) / 600 (n + 150) = share.
    """
    items = (600 - 600 * share) / (4 * share - 1)
    rate = 100 / items  # in units of items, so that the slice may have a whole number of them
    return Need("noisy", 100, Curve(1.0, 30.0, 0.99), rate=rate, parents=600)


def test_150_clips_that_bring_88_percent_are_enough_and_150_that_bring_66_are_not() -> None:
    flat, steep = stopped([need(0.88)], MADE, ORIGINALS), stopped([need(0.66)], MADE, ORIGINALS)
    assert flat is not None
    assert steep is not None
    assert (flat.spent, flat.share) == (150, pytest.approx(0.88, abs=1e-6))
    assert steep.spent > 240
    at = np.interp(150, *steep.trace.T) / steep.trace[-1, 1]
    assert at == pytest.approx(0.66, abs=1e-6)


def test_the_next_tenth_there_buys_less_than_asked_and_before_it_more() -> None:
    found = stopped([need(0.8)], MADE, ORIGINALS, least=0.1)
    assert found is not None
    at = int(np.argmin(abs(found.trace[:, 0] - found.spent)))
    gain = found.trace[:, 1]
    assert gain[at + 10] - gain[at] < 0.1 * gain[at]
    assert gain[at + 9] - gain[at - 1] >= 0.1 * gain[at - 1]
    assert stopped([need(0.8)], MADE, ORIGINALS, least=0.2).spent < found.spent


def test_a_straight_line_is_never_enough_and_no_curve_says_nothing() -> None:
    line = Need("much", 10**6, Curve(0.5, 1.0, 0.99))
    found = stopped([line], 100, 10**6)
    assert found is not None
    assert (found.spent, found.share) == (100, 1.0)
    assert stopped([Need("none", 50, excess=4)], 100, 1000) is None


def test_a_share_out_of_range_is_an_error() -> None:
    with pytest.raises(SettingError, match="least 5; expected more than 0"):
        stopped([need(0.8)], MADE, ORIGINALS, least=5)
