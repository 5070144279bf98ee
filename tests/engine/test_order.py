"""The order of an epoch: each item once, for any ranks, from any place on."""

from itertools import islice, pairwise

import numpy as np
import pytest

from sliceforge.engine.cuts import cut, divided
from sliceforge.engine.mixing import Mixture
from sliceforge.engine.order import Order

SECONDS = np.random.default_rng(3).gamma(2, 1.5, 400)

HOW = {
    "count": {"batch_size": 8},
    "one": {"batch_size": 1},
    "seconds": {"batch_size": None, "max_seconds": 20.0},
    "both": {"batch_size": 5, "max_seconds": 20.0, "grouped": True},
    "grouped": {"batch_size": 8, "grouped": True},
    "in order": {"batch_size": 8, "shuffle": False},
}


def order(how: str, world: int = 1, **more: object) -> Order:
    return Order(7, SECONDS, float(SECONDS.mean()), world=world, **HOW[how], **more)


def epoch_of(count: int) -> Mixture:
    return Mixture(7, 1, [np.arange(count)], [count], [], [])


def given(how: Order, count: int, done: int = 0, most: int | None = None) -> tuple[list[int], int]:
    """Positions in the order in which some rounds give them out, and how many those and the ones before are."""
    found: list[int] = []
    for batches, after in islice(how.rounds(epoch_of(count), 1, done), most):
        assert len(batches) <= how.world
        assert all(len(batch) for batch in batches)
        found += [int(one) for batch in batches for one in batch]
        assert after == done + len(found)
    return found, done + len(found)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("world", [1, 2, 3, 4])
@pytest.mark.parametrize("count", [1, 2, 23, 24, 397])
def test_each_item_comes_once_and_all_ranks_take_as_many_steps(how: str, world: int, count: int) -> None:
    one = order(how, world)
    assert sorted(given(one, count)[0]) == list(range(count))
    steps = [one.steps(epoch_of(count), 1, rank) for rank in range(world)]
    assert steps == [sum(rank < len(b) for b, _ in one.rounds(epoch_of(count), 1)) for rank in range(world)]
    # Fewer items than two rounds of ranks, or batches of one item, cannot always be shared out evenly.
    if how != "one" and count >= 2 * world:
        assert len(set(steps)) == 1


@pytest.mark.parametrize("how", HOW)
def test_ranks_change_no_order(how: str) -> None:
    alone, _ = given(order(how), 397)
    for world in (2, 3, 5):
        assert given(order(how, world), 397)[0] == alone


@pytest.mark.parametrize("how", HOW)
def test_from_every_place_on_comes_what_was_left(how: str) -> None:
    alone, _ = given(order(how), 123)
    steps = len(list(order(how, 3).rounds(epoch_of(123), 1)))
    for stop in range(1, steps + 1):
        first, done = given(order(how, 3), 123, most=stop)
        assert first == alone[:done]
        for world in (1, 2, 4):
            assert given(order(how, world), 123, done)[0] == alone[done:]


def test_a_batch_lasts_no_longer_than_it_may() -> None:
    for how in ("seconds", "both"):
        batches = [batch for some, _ in order(how).rounds(epoch_of(397), 1) for batch in some]
        padded = [len(batch) * SECONDS[batch].max() for batch in batches]
        assert all(length <= 20 or len(batch) == 1 for length, batch in zip(padded, batches, strict=True))
        assert how == "seconds" or max(map(len, batches)) == 5


def test_a_batch_takes_the_next_item_as_long_as_it_fits() -> None:
    batches = cut(SECONDS, None, 20, False, None)
    assert np.array_equal(np.concatenate(batches), np.arange(400))
    for one, after in pairwise(batches):
        assert (len(one) + 1) * SECONDS[[*one, after[0]]].max() > 20


def test_grouped_batches_waste_less() -> None:
    def waste(how: str) -> float:
        batches = [batch for some, _ in order(how).rounds(epoch_of(400), 1) for batch in some]
        padded = sum(len(batch) * SECONDS[batch].max() for batch in batches)
        return float(1 - SECONDS.sum() / padded)

    assert waste("grouped") < 0.2 * waste("count")


def test_epochs_have_orders_of_their_own_unless_told() -> None:
    for how, same in (("count", False), ("grouped", False), ("in order", True)):
        one, mixture = order(how), epoch_of(100)
        orders = [[batch.tolist() for some, _ in one.rounds(mixture, epoch) for batch in some] for epoch in (1, 2)]
        assert (orders[0] == orders[1]) == same


@pytest.mark.parametrize("world", [1, 2, 3])
def test_drop_last_leaves_whole_batches_for_all(world: int) -> None:
    for how in ("count", "grouped"):
        one = order(how, world, drop_last=True)
        rounds = [batches for batches, _ in one.rounds(epoch_of(397), 1)]
        assert all(len(batches) == world and {len(batch) for batch in batches} == {8} for batches in rounds)
        assert len(rounds) == 397 // 8 // world == one.steps(epoch_of(397), 1, world - 1)


def test_an_item_that_is_too_long_is_a_batch_of_its_own() -> None:
    lengths = np.array([1.0, 50.0, 1.0, 1.0])
    assert [batch.tolist() for batch in cut(lengths, None, 10, False, None)] == [[0], [1], [2, 3]]


def test_batches_are_divided_as_evenly_as_can_be() -> None:
    parts = divided([np.arange(32)], 3)
    assert [len(part) for part in parts] == [11, 11, 10]
    assert np.array_equal(np.concatenate(parts), np.arange(32))
