"""Dealt bank items: rounds, caps and shares hold over a whole run, and depend on a row's place in it alone."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from sliceforge.engine.deal import Deal, halves, rounds
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.shapes import Inventory, Shapes
from sliceforge.engine.shares import Shares

NAMES = list("abcdefg")
BANK = Inventory(NAMES, np.ones(7), ["street"] * 4 + ["rain"] * 2 + [None], splits=["train", ""] * 3 + ["test"])


def given(
    deal: Deal, slots: np.ndarray, seed: int = 1, splits: str | list[str] = "train", bank: Inventory = BANK
) -> str:
    """The items of some places in the run, one letter each, and - where there is none."""
    keys, none = Keys.of(seed, [f"item {slot}" for slot in slots]).at("mix"), np.zeros(len(slots), np.int64)
    which = np.full(len(slots), splits, object) if isinstance(splits, str) else np.array(splits, object)
    shapes = Shapes(none, none, none, none, {}, None, which, slots)
    return "".join(bank.ids[i] if i >= 0 else "-" for i in deal.items(keys, shapes, bank, slots))


def test_in_turn_no_item_comes_again_before_all_have_come() -> None:
    everything = replace(BANK, splits=(), _pools={})
    items = given(Deal("noise", in_turn=True), np.arange(70), bank=everything)
    assert all(set(items[i : i + 7]) == set(NAMES) for i in range(0, 70, 7))
    assert len({items[i : i + 7] for i in range(0, 70, 7)}) > 5
    assert items != given(Deal("noise", in_turn=True), np.arange(70), seed=2, bank=everything)


def test_a_place_gets_the_same_whatever_it_is_asked_with() -> None:
    deal = Deal("noise", cap=3, quota=Shares.parse({"street": 2, "rain": 1}, "quota"))
    whole = given(deal, np.arange(40))
    some = np.random.default_rng(1).permutation(40)[:17]
    assert given(deal, some) == "".join(whole[i] for i in some)


def test_a_cap_is_never_passed_and_what_comes_later_gets_nothing() -> None:
    deal = Deal("noise", cap=3)
    items = given(deal, np.arange(30))
    assert Counter(items) == Counter({**dict.fromkeys("abcdef", 3), "-": 12})
    assert items[:18].count("-") == 0


def test_every_beginning_of_a_run_has_the_shares() -> None:
    shares = Shares.parse({"street": 7, "rain": 2, "calm": 1}, "quota")
    tag, number = shares.at(np.arange(1000))
    for end in (1, 7, 10, 99, 1000):
        counts = np.bincount(tag[:end], minlength=3)
        assert np.abs(counts - end * np.array(shares.weights)).max() <= 1
    for one in range(3):
        assert (number[tag == one] == np.arange((tag == one).sum())).all()
    quota = Deal("noise", quota=Shares.parse({"street": 3, "rain": 1}, "quota"))
    labels = dict(zip(BANK.ids, BANK.labels, strict=True))
    assert Counter(labels[item] for item in given(quota, np.arange(40))) == {"street": 30, "rain": 10}


def test_without_a_run_shares_are_drawn() -> None:
    keys, none = Keys.of(1, [str(i) for i in range(4000)]).at("mix"), np.zeros(4000, np.int64)
    deal = Deal("noise", quota=Shares.parse({"street": 3, "rain": 1}, "quota"))
    picked = deal.items(keys, Shapes(none, none, none, none), BANK, None)
    assert np.mean([BANK.labels[i] == "street" for i in picked]) == pytest.approx(0.75, abs=4 * np.sqrt(0.1875 / 4000))


def test_splits_share_no_item_but_those_of_none() -> None:
    both = ["train", "test"] * 60
    for deal in (Deal("noise"), Deal("noise", in_turn=True)):
        items = given(deal, np.arange(120), splits=both)
        assert set(items[0::2]) == set("abcdef")
        assert set(items[1::2]) == set("bdfg")


def test_of_every_two_rows_one_takes_from_the_bank_and_of_every_round_each_bin_once() -> None:
    taken = halves(3, "mix", np.arange(200))
    assert (taken[0::2] ^ taken[1::2]).all()
    assert 0.3 < taken[0::2].mean() < 0.7
    bins, turn = rounds(3, "mix", "bin", [str(i) for i in range(5)], np.arange(200))
    assert (np.sort(bins.reshape(-1, 5), axis=1) == np.arange(5)).all()
    assert (turn == np.arange(200) // 5).all()


def test_wrong_quotas_are_one_line() -> None:
    for wrong in ("street", {"street": 0}, {"street": True}, {"street": "much"}, [1, 2]):
        with pytest.raises(SettingError, match=r"^steps\.mix\.quota: .*expected a share for each tag"):
            Shares.parse(wrong, "steps.mix.quota")
    with pytest.raises(SettingError, match=r"^banks\.noise: no item of it has the tag stret.*did you mean street\?$"):
        given(Deal("noise", quota=Shares.parse({"stret": 1}, "quota")), np.arange(3))
    with pytest.raises(SettingError, match=r"^banks\.noise: no item of it may serve the split dev$"):
        given(Deal("noise"), np.arange(3), splits="dev", bank=Inventory(["a"], np.ones(1), splits=["train"]))
