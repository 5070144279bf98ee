"""Plots say what their numbers are."""

import re

import numpy as np
import pytest

from sliceforge.engine.report import figures, markup

EVERY = np.ones(50, bool)


def dots(svg: str, kind: str = "dots") -> np.ndarray:
    """(N, 2) pixels of a scatter plot's points."""
    path = re.search(rf'<path class="{kind}" d="([^"]*)"', svg)
    return np.array([list(map(float, one)) for one in re.findall(r"M(\S+) (\S+?)h0", path[1])]) if path else np.empty(0)


def test_points_lie_on_the_diagonal_where_everything_was_got_as_asked() -> None:
    asked = np.linspace(-5, 20, 50)
    svg = figures.scatter(asked, asked, EVERY, (0.1, 0), ("snr", "dB"))
    ends = re.search(r'class="diagonal" d="M(\S+) (\S+)L(\S+) (\S+)"', svg)
    assert ends
    x0, y0, x1, y1 = map(float, ends.groups())
    places = dots(svg)
    assert len(places) == 50
    assert y0 + (places[:, 0] - x0) * (y1 - y0) / (x1 - x0) == pytest.approx(places[:, 1], abs=0.2)


def test_what_is_outside_the_tolerance_lies_outside_the_band() -> None:
    asked = np.linspace(10, 20, 50)
    got = asked * np.where(np.arange(50) % 2, 1.05, 1.2)
    svg = figures.scatter(asked, got, EVERY, (0, 0.1), ("area", ""))
    band = re.search(r'class="band" d="M([^Z]*)Z"', svg)
    assert band
    edge = np.array([list(map(float, one.split())) for one in band[1].split("L")])[:9]  # the upper one
    above = dots(svg)[:, 1] < np.interp(dots(svg)[:, 0], edge[:, 0], edge[:, 1]) - 0.2
    assert abs(int(above.sum()) - 25) <= 2  # at the frame's edge the band is cut


def test_a_histogram_holds_every_item_once_and_the_rejected_on_top() -> None:
    generator = np.random.default_rng(3)
    good, bad = generator.uniform(1, 9, 900), generator.uniform(8, 9, 100)
    svg = figures.histogram(good, bad, ("width", "width"))
    tall = {"bar": 0.0, "bar bad": 0.0}
    for kind in tall:
        path = re.search(rf'<path class="{kind}" d="([^"]*)"', svg)
        assert path
        for base, top in re.findall(r"M\S+ (\S+?)V(\S+?)H", path[1]):
            tall[kind] += float(base) - float(top)
    assert tall["bar"] / tall["bar bad"] == pytest.approx(9, rel=0.02)


def test_many_points_are_thinned_and_no_rejected_one_is_lost_before_the_others() -> None:
    asked = np.random.default_rng(0).uniform(0, 1, 50_000)
    good = np.arange(50_000) % 1000 > 0
    svg = figures.scatter(asked, asked, good, (0, 0), ("x", ""))
    assert len(dots(svg)) <= figures.POINTS
    assert len(dots(svg, "dots bad")) >= 25
    assert svg == figures.scatter(asked, asked, good, (0, 0), ("x", ""))


@pytest.mark.parametrize("ends", [(0.0, 1.0), (-5.3, 19.2), (1e-5, 2e-5), (0.0, 123456.0), (3.0, 3.001)])
def test_ticks_are_few_and_between_the_ends(ends: tuple[float, float]) -> None:
    for log in (False, True):
        ticks = figures.Scale(max(ends[0], 1e-6) if log else ends[0], ends[1], 0, 100, log).ticks()
        assert 2 <= len(ticks) <= 12
        assert all(ends[0] - 1e-9 <= one <= ends[1] + 1e-9 for one in ticks)


def test_text_is_text() -> None:
    assert markup.text("<a href='x'>&\x00\ud800") == "&lt;a href=&#x27;x&#x27;&gt;&amp;\\x00\\ud800"
    assert markup.name(None) == "<bdi>–</bdi>"
