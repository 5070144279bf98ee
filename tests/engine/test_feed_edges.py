"""A training job at its edges: copies, loops in loops, late workers, and settings that are wrong."""

import copy
import math
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Batches, Hardness, Share, SliceDataset, Stream, load
from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.feed import Feed
from sliceforge.engine.stowed import SMALL, Several, Stowed

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def clips_of(clips: Path, **more: Any) -> SliceDataset:
    recipe = load("speech/car_noise", "rate=8000")
    return SliceDataset(str(clips), [Share(recipe)], 7, pattern="{label}_{speaker}_{index}", **more)


def feed_of(dataset: SliceDataset, **more: Any) -> Feed:
    return Augment(dataset)(DataLoader(dataset, 4, shuffle=True, **more))


def ids(batches: Iterable[dict[str, Any]]) -> list[str]:
    return [item for batch in batches for item in batch["id"]]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_workers_of_a_copy_follow_its_epochs(copied: Callable[[Any], Any], clips: Path) -> None:
    alone, dataset = feed_of(clips_of(clips)), copied(clips_of(clips))
    stream = DataLoader(Stream(Batches(dataset, 4)), batch_size=None, num_workers=1, persistent_workers=True)
    feed = Augment(dataset)(stream)
    for _ in range(3):
        assert ids(feed) == ids(alone)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loop_in_a_loop_has_the_next_epoch_and_the_outer_goes_on(workers: int, clips: Path) -> None:
    alone, feed = feed_of(clips_of(clips)), feed_of(clips_of(clips), num_workers=workers)
    epochs, outer = [ids(alone), ids(alone)], []
    for number, batch in enumerate(feed):
        outer += batch["id"]
        if number == 1:
            assert ids(feed) == epochs[1]
    assert outer == epochs[0]


def test_one_set_of_workers_goes_over_to_the_later_of_two_loops(clips: Path) -> None:
    alone, feed = feed_of(clips_of(clips)), feed_of(clips_of(clips), num_workers=1, persistent_workers=True)
    ids(alone)
    outer = iter(feed)
    next(outer)
    assert ids(feed) == ids(alone)
    with pytest.raises(RunError, match=r"^feed: its workers live on"):
        list(outer)
    assert ids(feed) == ids(alone)


def test_two_feeds_of_one_data_set_take_turns(clips: Path) -> None:
    alone, dataset = feed_of(clips_of(clips)), clips_of(clips)
    pairs = list(zip(feed_of(dataset), feed_of(dataset, num_workers=1), strict=True))
    assert [ids(feed) for feed in zip(*pairs, strict=True)] == [ids(alone), ids(alone)]


def test_an_epoch_goes_on_whatever_the_data_set_is_set_to_meanwhile(clips: Path) -> None:
    alone, dataset = feed_of(clips_of(clips)), clips_of(clips)
    batches, place = Batches(dataset, 4), []
    batches.start(batches.begin())
    dataset.set_epoch(9, shares=[0.5])
    for picks, _ in batches.steps(batches.begun()):
        place += [draft.row["id"] for draft in dataset.__getitems__(picks)]
    assert place == ids(alone)


@pytest.mark.parametrize("pinned", [False, True])
def test_a_batch_arrives_as_it_was_sent(pinned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = {
        "image": [torch.full((1, 2, 3), 60000, dtype=torch.uint16), torch.zeros((1, 200, 100), dtype=torch.uint16)],
        "mask": torch.ones((SMALL + 1,), dtype=torch.bool),
        "boxes": [torch.ones((2, 4)), torch.zeros((0, 4))],
        "mixed": [torch.ones(2), torch.ones(2, dtype=torch.uint8)],
        "target": torch.arange(3),
        "row": [{"id": "a"}],
        "none": [],
    }
    sent = Stowed.of(batch)
    assert isinstance(sent.parts["image"], Several)
    if pinned:
        monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
        sent = sent.pin_memory()
    found = sent.batch()
    assert found.keys() == batch.keys()
    for name, value in batch.items():
        one, other = (part if isinstance(part, list) else [part] for part in (value, found[name]))
        for a, b in zip(one, other, strict=True):
            assert torch.equal(a, b) and a.dtype == b.dtype if isinstance(a, torch.Tensor) else a == b


def test_workers_send_boxes_without_a_file_for_each(strips: Path) -> None:
    for more in ({}, {"size": 48, "tv_tensors": True}):
        dataset = SliceDataset(str(strips), [Share(load("steel/scratches"), share=1.0)], 7, **more)
        sent = dataset.finish([dataset[i] for i in range(len(dataset))])
        assert sum(isinstance(value, torch.Tensor) for value in sent.parts.values()) <= 2
        other = copy.deepcopy(dataset)
        for here, there in zip(feed_of(dataset), feed_of(other, num_workers=1), strict=True):
            assert here["id"] == there["id"]
            for name in ("image", "mask", "boxes"):
                assert type(here[name]) is type(there[name])
                for a, b in zip(here[name], there[name], strict=True):
                    assert type(a) is type(b)
                    assert torch.equal(a, b)


def test_a_stream_may_name_the_data_set_s_own_collate(clips: Path) -> None:
    alone, dataset = feed_of(clips_of(clips)), clips_of(clips)
    stream = DataLoader(Stream(Batches(dataset, 4)), batch_size=None, collate_fn=dataset.collate)
    assert ids(Augment(dataset)(stream)) == ids(alone)


def test_a_band_goes_on_once_it_is_told_and_a_refused_state_moves_nothing(clips: Path) -> None:
    dataset, other = clips_of(clips), clips_of(clips)
    band = Hardness({item: float(i % 3) for i, item in enumerate(dataset.stock.items["parent"].to_pylist())}, 0.5)
    dataset.set_epoch(3, hard=band)
    feed, again = feed_of(dataset), feed_of(other)
    batches = iter(feed)
    next(batches)
    state, left = feed.state_dict(), ids(batches)
    with pytest.raises(SettingError, match=r"^state: hard was '\w+' and is None; expected set_epoch\(…, hard=…\)"):
        again.load_state_dict(state)
    assert other.epoch == 1
    other.set_epoch(1, hard=band)
    again.load_state_dict(state)
    assert ids(again) == left


def test_what_is_wrong_is_one_line(clips: Path, strips: Path) -> None:
    dataset, share = clips_of(clips), Share(load("steel/scratches"))
    wrong: dict[str, Callable[[], Any]] = {
        "shares: expected at least one": lambda: SliceDataset(str(strips), share),
        r"shares\[0\]: banks: 'x': expected": lambda: SliceDataset(str(strips), [Share(share.recipe, banks="x")]),
        "seed: -1: expected a whole number": lambda: SliceDataset(str(strips), [share], -1),
        "retries: -1: expected a whole number": lambda: clips_of(clips, retries=-1),
        "size: 0: expected pixels": lambda: SliceDataset(str(strips), [share], size=0),
        r"size: \(64,\): expected pixels": lambda: SliceDataset(str(strips), [share], size=(64,)),
        "seconds: nan: expected": lambda: clips_of(clips, seconds=math.nan),
        "beta: 'x': expected": lambda: clips_of(clips, beta="x"),
        "threads: 0: expected": lambda: Augment(dataset, threads=0),
        "max_seconds: inf: expected": lambda: Batches(dataset, max_seconds=math.inf),
        "rank, world: '0', 2: expected": lambda: Batches(dataset, 4, rank="0", world=2),
        "dataset: list: expected": lambda: Batches([1], 4),
        "shares: 0.3: expected": lambda: dataset.set_epoch(2, shares=0.3),
        "hard: dict: expected": lambda: dataset.set_epoch(2, hard={}),
        "hard: a to inf is no band": lambda: Hardness({}, "a"),
        "hard: knows 'x~1' and no item": lambda: dataset.set_epoch(2, hard=Hardness({"x~1": 1.0})),
    }
    for said, call in wrong.items():
        with pytest.raises(SettingError, match=f"^{said}") as caught:
            call()
        assert "\n" not in str(caught.value)
    assert SliceDataset(str(strips), [share], size=(48, 80)).form.size == (48, 80)
