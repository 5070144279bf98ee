"""Alpha against published examples, against brute force over pairs, and where it must be 1, 0 or less."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose import agreement as module
from sliceforge.engine.loop.diagnose.agreement import agreement
from sliceforge.engine.loop.diagnose.distances import nominal, of_boxes, of_masks, of_words

_ = None
FOUR = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]
"""Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: four observers, data missing."""

TWO = [list("aabbdcccedda"), list("babbbccceddd")]
"""The same, example B: two observers, nominal."""

THREE = [
    [_, _, _, _, _, 3, 4, 1, 2, 1, 1, 3, 3, _, 3],
    [1, _, 2, 1, 3, 3, 4, 3, _, _, _, _, _, _, _],
    [_, _, 2, 1, 3, 4, 4, _, 2, 1, 1, 3, 3, _, 4],
]
"""The example with three coders that encyclopedias print."""


def by_definition(ratings: Sequence[Sequence[Any]], distance: Callable[[Any, Any], float]) -> float:
    """1 − D_o / D_e over all pairs of values, one by one."""
    units = [[v for v in unit if v is not None] for unit in ratings]
    units = [unit for unit in units if len(unit) > 1]
    values = [v for unit in units for v in unit]
    count = len(values)
    observed = sum(sum(distance(a, b) for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units)
    expected = sum(distance(a, b) for a, b in itertools.permutations(values, 2)) / (count - 1)
    return 1 - observed / expected


def columns(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


@pytest.mark.parametrize(("coders", "alpha"), [(FOUR, 0.743), (TWO, 0.692), (THREE, 0.691)])
def test_published_examples_come_out(coders: list[list[Any]], alpha: float) -> None:
    found = agreement(columns(coders))
    assert round(found.alpha, 3) == alpha
    assert found.alpha == pytest.approx(by_definition(columns(coders), nominal))


def test_counting_classes_and_looking_at_pairs_give_the_same() -> None:
    counted = agreement(columns(FOUR))
    paired = agreement(columns(FOUR), lambda a, b: float(a != b))
    assert paired.alpha == pytest.approx(counted.alpha)
    assert (paired.low, paired.high) == pytest.approx((counted.low, counted.high))
    assert (counted.units, counted.values) == (11, 40)


def boxes(generator: np.random.Generator, count: int) -> np.ndarray:
    corner = generator.uniform(0, 40, (count, 2))
    return np.concatenate([corner, corner + generator.uniform(5, 40, (count, 2))], axis=1)


def test_any_distance_is_brute_force_over_pairs() -> None:
    generator = np.random.default_rng(0)
    words = ["turn", "the", "light", "on", "off"]
    kinds: list[tuple[Callable[[Any, Any], float], Callable[[], Any]]] = [
        (of_boxes, lambda: boxes(generator, int(generator.integers(0, 4)))),
        (of_masks, lambda: generator.random((6, 7)) < 0.4),
        (of_words, lambda: " ".join(generator.choice(words, int(generator.integers(0, 6))))),
    ]
    for distance, draw in kinds:
        ratings = [[draw() if generator.random() < 0.8 else None for _ in range(3)] for _ in range(12)]
        assert agreement(ratings, distance).alpha == pytest.approx(by_definition(ratings, distance))


def test_a_sample_of_pairs_is_near_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    ratings = [[f"{a} {b}", f"{a} {generator.integers(3)}"] for a, b in generator.integers(0, 3, (150, 2))]
    exact = agreement(ratings, of_words)
    monkeypatch.setattr(module, "PAIRS", 4000)
    sampled = agreement(ratings, of_words)
    assert sampled.alpha == pytest.approx(exact.alpha, abs=0.02)
    assert sampled == agreement(ratings, of_words)


def test_alpha_is_one_for_the_same_none_by_chance_and_less_for_opposites() -> None:
    generator = np.random.default_rng(2)
    values = generator.integers(0, 4, (600, 2)).tolist()
    assert agreement([[a, a] for a, _ in values]).alpha == 1
    by_chance = agreement(values)
    assert by_chance.low < 0 < by_chance.high
    assert not by_chance.reliable
    assert agreement([[a % 2, 1 - a % 2] for a, _ in values]).alpha == pytest.approx(-1, abs=0.01)


def test_the_order_of_labellers_and_names_of_classes_do_not_matter() -> None:
    renamed = [[None if v is None else f"class {v}" for v in row] for row in reversed(FOUR)]
    assert agreement(columns(renamed)).alpha == pytest.approx(agreement(columns(FOUR)).alpha)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    # Two labellers each write the true one of 3 classes with probability r, else any: alpha is r squared.
    generator, right, inside = np.random.default_rng(3), 0.85, 0
    for _ in range(80):
        true = generator.integers(0, 3, (100, 1))
        given = np.where(generator.random((100, 2)) < right, true, generator.integers(0, 3, (100, 2)))
        found = agreement(given.tolist())
        inside += found.low <= right**2 <= found.high
    assert 69 <= inside <= 80


def test_units_with_one_value_do_not_count_and_none_at_all_is_an_error() -> None:
    assert agreement([*columns(FOUR), [5, None], [math.nan, 5]]).alpha == agreement(columns(FOUR)).alpha
    with pytest.raises(SettingError, match="no unit of 2 has labels of two labellers"):
        agreement([["a", None], [None, None]])


def test_where_nothing_varies_there_is_no_alpha_and_no_reproach() -> None:
    found = agreement([["a", "a"], ["a", "a"]])
    assert math.isnan(found.alpha)
    assert found.reliable
    assert found.plain()["alpha"] is None


def test_boxes_are_matched_as_well_as_they_can_be() -> None:
    generator = np.random.default_rng(4)
    for a, b in itertools.product(range(4), range(4)):
        one, other = boxes(generator, a), boxes(generator, b)
        few, many = (one, other) if a <= b else (other, one)
        best = min(
            sum(of_boxes(few[i : i + 1], many[j : j + 1]) for i, j in enumerate(order))
            for order in itertools.permutations(range(len(many)), len(few))
        )
        expected = (best + len(many) - len(few)) / max(len(many), 1)
        assert of_boxes(one, other) == pytest.approx(expected) == pytest.approx(of_boxes(other, one))


def test_the_distance_of_a_box_is_that_of_its_mask() -> None:
    one, other = np.zeros((40, 40), bool), np.zeros((50, 30), bool)
    one[5:25, 3:20] = True
    other[10:40, 8:28] = True
    apart = of_boxes(np.array([[3, 5, 20, 25]]), np.array([[8, 10, 28, 40]]))
    assert of_masks(one, other) == pytest.approx(apart)
    assert of_masks(one, np.zeros((40, 40))) == 1
    assert of_masks(np.zeros((4, 4)), np.zeros((4, 4))) == 0


def test_what_is_no_box_is_one_clear_line() -> None:
    with pytest.raises(SettingError, match="expected rows of x0 y0 x1 y1"):
        of_boxes(np.array([[5, 5, 1, 9]]), np.array([[0, 0, 1, 1]]))
