"""The closed form is the optimum: no other solver does better, and its prices are those that economics asks for."""

import json

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, minimize

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.allocation import Need, allocate, divided, room
from sliceforge.engine.loop.allocate.curves import Curve

PLENTY = 10**9


def problem(key: int, slices: int = 5, *, costs: bool = True) -> list[Need]:
    g = np.random.default_rng(key)
    return [
        Need(
            f"slice {k}",
            int(g.integers(20, 400)),
            Curve(float(g.uniform(0.1, 0.9)), float(g.uniform(0.3, 3)), 0.9),
            weight=float(g.uniform(0.2, 2)),
            cost=float(g.uniform(0.5, 3)) if costs else 1.0,
            rate=float(g.uniform(0.2, 1)),
        )
        for k in range(slices)
    ]


def loss(needs: list[Need], amounts: np.ndarray) -> float:
    pairs = zip(needs, amounts, strict=True)
    return sum(n.weight * float(n.curve.loss(n.items + n.rate * d)) for n, d in pairs if n.curve is not None)


def slopes(needs: list[Need], amounts: np.ndarray) -> np.ndarray:
    """What the next made item of each slice takes off the weighted loss, by a difference."""
    step = 1e-3 * np.eye(len(needs))
    return np.array([(loss(needs, amounts - s) - loss(needs, amounts + s)) / 2e-3 for s in step])


@pytest.mark.parametrize("key", range(8))
@pytest.mark.parametrize("tight", [False, True])
def test_another_solver_does_no_better(key: int, tight: bool) -> None:
    needs, budget = problem(key), 500.0
    originals = 200 if tight else PLENTY  # 300 places for what would be more items
    cost, cap = np.array([n.cost for n in needs]), np.array([n.cap for n in needs])
    found = divided(needs, budget, originals)
    assert (found >= 0).all()
    assert (found <= cap).all()
    assert cost @ found <= budget * (1 + 1e-9)
    assert found.sum() <= room(originals) * (1 + 1e-9)
    limits = LinearConstraint(np.stack([cost, np.ones(len(needs))]), -np.inf, [budget, room(originals)])
    other = minimize(
        lambda d: 1e3 * loss(needs, d),
        np.ones(len(needs)),
        jac=lambda d: -1e3 * slopes(needs, d),
        bounds=[(0.01, c) for c in cap],
        constraints=limits,
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-9},
    )
    assert other.success
    assert loss(needs, found) <= 1e-3 * other.fun + 1e-9
    assert loss(needs, found) == pytest.approx(1e-3 * other.fun, rel=1e-4)


@pytest.mark.parametrize("key", range(20, 40))
def test_the_last_unit_of_money_buys_as_much_in_every_slice(key: int) -> None:
    needs = problem(key)
    found = divided(needs, 400, PLENTY)
    worth = slopes(needs, np.maximum(found, 1e-3)) / np.array([n.cost for n in needs])
    none, full = found <= 0, found >= np.array([n.cap for n in needs])
    inside = ~none & ~full
    price = worth[inside].mean()
    assert worth[inside] == pytest.approx(price, rel=1e-4)
    assert (worth[none] <= price * (1 + 1e-3)).all()
    assert (worth[full] >= price * (1 - 1e-3)).all()
    assert found @ [n.cost for n in needs] == pytest.approx(400)


@pytest.mark.parametrize("budget", [0, 1, 7, 100, 333, 701])
def test_whole_items_use_the_budget_to_the_last(budget: int) -> None:
    needs = problem(3, costs=False)
    found = allocate(needs, budget, PLENTY)
    assert sum(portion.made for portion in found) == budget
    parts = divided(needs, budget, PLENTY)
    assert all(abs(portion.made - part) < 1 for portion, part in zip(found, parts, strict=True))


def test_whole_items_of_unlike_costs_stay_within_the_budget() -> None:
    for key in range(20):
        needs = problem(key)
        found = allocate(needs, 250, PLENTY)
        assert 250 - max(n.cost for n in needs) < sum(p.cost for p in found) <= 250


def test_no_slice_gets_more_than_four_for_each_parent_and_originals_stay() -> None:
    needs = problem(4)
    found = allocate(needs, 1e6, PLENTY)
    assert [p.made for p in found] == [4 * n.items for n in needs]
    assert all(p.capped for p in found)
    few = allocate(needs, 1e6, 100)
    assert sum(p.made for p in few) == 150  # 100 of 250 are originals: 40 %


def test_more_money_takes_from_nobody_and_helps_all_less_and_less() -> None:
    needs = problem(5)
    parts = np.array([divided(needs, money, PLENTY) for money in np.linspace(0, 900, 10)])
    assert (np.diff(parts, axis=0) >= -1e-9).all()
    losses = np.array([loss(needs, part) for part in parts])
    assert (np.diff(losses) < 0).all()
    assert (np.diff(losses, 2) > 0).all()


def test_what_weighs_more_or_costs_less_gets_more() -> None:
    curve = Curve(0.4, 1.0, 0.9)
    even = [Need("a", 100, curve), Need("b", 100, curve)]
    assert divided(even, 200, PLENTY) == pytest.approx([100, 100])
    for better in (Need("a", 100, curve, weight=2), Need("a", 100, curve, cost=0.5)):
        first, second = divided([better, even[1]], 200, PLENTY)
        assert first > second


def test_without_a_believable_curve_excess_errors_decide() -> None:
    flat = Curve(0.4, 1.0, 0.2)
    needs = [Need("a", 500, flat, excess=30), Need("b", 500, None, excess=10), Need("c", 500, excess=0)]
    found = allocate(needs, 200, PLENTY)
    assert [p.made for p in found] == [150, 50, 0]
    assert {p.rule for p in found} == {"excess errors"}
    assert found[0].gain is None
    mixed = allocate([*needs, Need("d", 500, Curve(0.4, 1.0, 0.9), excess=40)], 200, PLENTY)
    assert [p.made for p in mixed] == [75, 25, 0, 100]


def test_what_a_cap_leaves_goes_to_the_others() -> None:
    capped = [Need("a", 5, excess=30), Need("b", 500, excess=10), Need("d", 500, Curve(0.4, 1.0, 0.9), excess=40)]
    assert [p.made for p in allocate(capped, 200, PLENTY)] == [20, 80, 100]
    small = [Need("b", 500, excess=10), Need("d", 5, Curve(0.4, 1.0, 0.9), excess=40)]
    assert [p.made for p in allocate(small, 200, PLENTY)] == [180, 20]


def test_a_slice_without_items_is_made_from_its_parents() -> None:
    (found,) = allocate([Need("car", 0, Curve(0.4, 1.0, 0.9), excess=5, parents=100)], 1000, PLENTY)
    assert (found.made, found.rule) == (400, "excess errors")


def test_portions_are_plain_enough_for_json() -> None:
    said = json.loads(json.dumps([p.plain() for p in allocate(problem(6), 100, 1000)], allow_nan=False))
    assert all(portion["low"] <= portion["gain"] <= portion["high"] for portion in said)


def test_numbers_out_of_range_are_errors_of_one_line() -> None:
    with pytest.raises(SettingError, match="a: cost 0; expected more than 0"):
        Need("a", 5, cost=0)
    with pytest.raises(SettingError, match="a: excess -1"):
        Need("a", 5, excess=-1)
    with pytest.raises(SettingError, match="expected some, each once"):
        allocate([Need("a", 5), Need("a", 6)], 10, 100)
    with pytest.raises(SettingError, match="budget -1"):
        allocate([Need("a", 5)], -1, 100)
