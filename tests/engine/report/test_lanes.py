"""Rows of a plot lie where their numbers are, and stay within the frame."""

import re
from itertools import pairwise

import pytest

from sliceforge.engine.report.lanes import EDGE, WIDE, Lane, plot


def places(svg: str, kind: str) -> list[float]:
    return [float(x) for x in re.findall(rf'<circle class="{kind}" cx="([^"]+)"', svg)]


def test_dots_and_bars_are_on_one_scale_of_equal_steps() -> None:
    lanes = [Lane(f"slice {i}", ((10.0 * i, "mean"),), (10.0 * i - 5, 10.0 * i + 5)) for i in range(4)]
    svg = plot(lanes, "points", "told")
    dots = places(svg, "mean")
    steps = [b - a for a, b in pairwise(dots)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.11)
    bars = re.findall(r'<path class="interval " d="M([\d.]+) \d+H([\d.]+)"', svg)
    assert [(float(a) + float(b)) / 2 for a, b in bars] == pytest.approx(dots, abs=0.11)
    assert all(EDGE <= float(x) <= WIDE - EDGE for bar in bars for x in bar)


def test_a_bar_without_an_end_is_left_out_and_its_dot_is_not() -> None:
    svg = plot([Lane("few rows", ((2.0, "mean"),), (float("-inf"), float("inf"))), Lane("a", (), (0, 1))], "x", "told")
    assert len(places(svg, "mean")) == svg.count('class="interval ') == 1


def test_names_are_text_and_the_cut_one_is_told_whole() -> None:
    name = "<b>" + "n" * 90
    svg = plot([Lane(name, ((1.0, "ring"),), (0, 1), note="taken")], "x", '"told"')
    assert "<b>" not in svg
    assert f"<title>&lt;b&gt;{'n' * 90}</title>" in svg
    assert 'aria-label="&quot;told&quot;"' in svg
