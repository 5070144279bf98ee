"""Spans of silence of the drawn length, faded at both ends, inside the clip, and nothing else changed."""

from typing import Any

import numpy as np
import pytest

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.kernels.audio.drop import MOST, Drop

RATE = 8000


def rows(items: int = 300, **settings: Any) -> list[dict[str, Any]]:
    none = np.zeros(items, np.int64)
    keys = Keys.of(5, [str(i) for i in range(items)]).at("drop")
    plan = build(Drop, settings, "steps.drop").draw(keys, Shapes(none + RATE, none + RATE, none, none))
    return [{name: column[i] for name, column in plan.items()} for i in range(items)]


def dropped(x: np.ndarray, row: dict[str, Any]) -> np.ndarray:
    return apply_sound(build(Drop, {}, "steps.drop"), x, RATE, row)


def spans_of(silent: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], silent.astype(np.int64), [0]])))
    return list(zip(edges[::2], edges[1::2], strict=True))


def test_one_span_is_silent_for_its_length_but_its_fades_and_the_rest_keeps_its_bits() -> None:
    x = np.random.default_rng(0).uniform(0.2, 0.8, RATE).astype(np.float32)
    for row in rows(60, count=1):
        made = dropped(x, row)
        changed = np.flatnonzero(made != x)
        assert len(changed) == pytest.approx(row["span_1"] * RATE, abs=1)
        assert changed[-1] - changed[0] + 1 == len(changed)
        [(start, end)] = spans_of(made == 0)
        assert end - start == pytest.approx(row["span_1"] * RATE - 2 * 0.002 * RATE, abs=1)
        edge = (made / x)[changed[0] - 1 if changed[0] else 0 : start + 1]
        assert (np.diff(edge) <= 0).all()
        assert np.abs(np.diff(edge)).max() < np.pi / 2 / (0.002 * RATE) * 1.05  # no step: a click has no fade


def test_as_many_spans_as_drawn_and_anywhere_in_the_clip() -> None:
    drawn = rows()
    ones = np.ones(RATE, np.float32)
    for row in drawn:
        lengths = [row[f"span_{i}"] for i in range(1, MOST + 1)]
        assert sum(length > 0 for length in lengths) == row["count"]
        assert 1 <= len(spans_of(dropped(ones, row) == 0)) <= row["count"]
    places = np.array([row["place_1"] for row in drawn])
    assert np.histogram(places, 4, (0, 1))[0].min() > 50
    starts = [np.flatnonzero(dropped(ones, row) != 1) for row in drawn]
    assert min(at[0] for at in starts) < 0.01 * RATE
    assert max(at[-1] for at in starts) > 0.99 * RATE


@pytest.mark.parametrize("length", [1, 7, 63, 100])
def test_a_clip_shorter_than_its_span_is_silent_but_for_its_fades(length: int) -> None:
    made = dropped(np.ones(length, np.float32), rows(1, count=1, span=1)[0])
    assert len(made) == length
    assert np.mean(made == 0) >= 0.5


def test_no_span_changes_nothing() -> None:
    x = np.random.default_rng(1).normal(0, 0.1, 999).astype(np.float32)
    assert dropped(x, rows(1, count=0)[0]).tobytes() == x.tobytes()
