"""A training job's batches: in one order for any workers, ahead of the step, on from any place."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch.utils.data import DataLoader, DistributedSampler, RandomSampler, WeightedRandomSampler

from sliceforge.engine import Augment, Batches, Hardness, Share, SliceDataset, Stream, load
from sliceforge.engine.errors import SettingError
from sliceforge.engine.feed import Feed
from sliceforge.engine.prefetch import Ahead

PATTERN = "{label}_{speaker}_{index}"


def clips_of(clips: Path, share: float = 0.5, **more: Any) -> SliceDataset:
    recipe = load("speech/car_noise", "rate=8000")
    return SliceDataset(str(clips), [Share(recipe, share=share)], 7, pattern=PATTERN, **more)


def feed_of(dataset: SliceDataset, workers: int = 0, **more: Any) -> Feed:
    return Augment(dataset)(DataLoader(dataset, 4, shuffle=True, num_workers=workers, **more))


def told(batches: Iterator[dict[str, Any]]) -> list[tuple[list[str], bytes]]:
    """Ids and bytes of each batch."""
    return [(batch["id"], batch["audio"].numpy().tobytes()) for batch in batches]


def test_each_iteration_is_the_next_epoch(clips: Path) -> None:
    feed = feed_of(clips_of(clips))
    for epoch in (1, 2, 3):
        ids = [item for batch in feed for item in batch["id"]]
        assert len(ids) == len(set(ids)) == 23
        assert {item.rpartition("~")[2] for item in ids if "~" in item} == {str(epoch)}
    assert len(feed) == 6


def test_an_epoch_can_be_asked_for(clips: Path) -> None:
    dataset = clips_of(clips)
    loader = DataLoader(dataset, 4, shuffle=True, collate_fn=dataset.collate)
    fifth = told(Augment(dataset)(loader, 5))
    dataset.set_epoch(5)
    assert told(Augment(dataset)(loader)) == fifth != told(Augment(dataset)(loader))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_workers_streams_and_break_offs_change_nothing(clips: Path) -> None:
    alone = feed_of(clips_of(clips))
    epochs = [told(alone), told(alone)]
    dataset = clips_of(clips)
    stream = Stream(Batches(dataset, 4))
    for loader in (
        DataLoader(dataset, 4, shuffle=True, num_workers=2, persistent_workers=True),
        DataLoader(stream, batch_size=None, num_workers=2, persistent_workers=True),
        DataLoader(stream, batch_size=None),
    ):
        feed = Augment(dataset)(loader, 1)
        assert told(feed) == epochs[0]
        assert told(feed) == epochs[1]
        assert len(feed) == len(epochs[0])
        for _ in zip(range(2), feed, strict=False):
            pass
        assert dataset.epoch == 3


@pytest.mark.parametrize("taken", range(1, 7))
def test_a_state_goes_on_with_what_was_left(taken: int, clips: Path) -> None:
    feed = feed_of(clips_of(clips))
    told(feed)
    batches = iter(feed)
    for _ in range(taken):
        next(batches)
    state = json.loads(json.dumps(feed.state_dict()))
    left = told(batches)
    after = told(feed)
    other = feed_of(clips_of(clips), workers=1, multiprocessing_context="fork")
    other.load_state_dict(state)
    if left:
        assert other.state_dict() == state
        assert told(other) == left
    assert told(other) == after
    assert len(json.dumps(state)) < 1024


def test_a_state_of_other_data_or_settings_is_refused(clips: Path) -> None:
    state = feed_of(clips_of(clips)).state_dict()
    for dataset, said in (
        (clips_of(clips, items="speaker = 'ann'"), "data"),
        (clips_of(clips, sampling="class"), "mixing"),
        (SliceDataset(str(clips), [Share(load("speech/car_noise", "rate=16000"))], 7, pattern=PATTERN), "recipes"),
        (SliceDataset(str(clips), [Share(load("speech/car_noise", "rate=8000"))], 8, pattern=PATTERN), "seed"),
    ):
        with pytest.raises(SettingError, match=f"^state: {said} was "):
            feed_of(dataset).load_state_dict(state)
    for wrong in ({}, {"epoch": "x"}, {**state, "shares": "x"}):
        with pytest.raises(SettingError, match=r"^(state|shares): "):
            feed_of(clips_of(clips)).load_state_dict(wrong)


def test_shares_change_with_an_epoch_and_reach_running_workers(clips: Path) -> None:
    dataset = clips_of(clips, 0.5, clean_share=0.4)
    loader = DataLoader(
        dataset, 4, shuffle=True, num_workers=1, persistent_workers=True, multiprocessing_context="fork"
    )
    feed = Augment(dataset)(loader)

    def made() -> int:
        return sum(int(batch["made"].sum()) for batch in feed)

    assert made() == round(0.5 * 23)
    dataset.set_epoch(2, shares=[0.1])
    assert made() == round(0.1 * 23)
    assert made() == round(0.1 * 23)
    with pytest.raises(SettingError, match=r"^shares: 0.7: leave 0.3 of an epoch to originals; clean_share=0.4"):
        dataset.set_epoch(4, shares=[0.7])
    assert dataset.present.shares == [0.1]
    state = feed.state_dict()
    other = feed_of(clips_of(clips, 0.5, clean_share=0.4))
    other.load_state_dict(state)
    assert sum(int(batch["made"].sum()) for batch in other) == round(0.1 * 23)


def test_what_is_learned_already_is_enlarged_no_more(clips: Path) -> None:
    dataset = clips_of(clips, 0.5)
    ids = dataset.stock.items["parent"].to_pylist()
    losses = {item: 0.01 if i % 2 else 1.0 for i, item in enumerate(ids)}
    dataset.set_epoch(2, hard=Hardness(losses, low=0.1))
    batches = list(feed_of(dataset))
    parents = [p for batch in batches for p, made in zip(batch["parent"], batch["made"], strict=True) if made]
    assert len(parents) == round(0.5 * 23)
    assert all(losses[parent] == 1.0 for parent in parents)
    dataset.set_epoch(3, hard=Hardness(losses, low=0.1, originals=True))
    batches = list(feed_of(dataset))
    assert all(losses[parent] == 1.0 for batch in batches for parent in batch["parent"])
    assert sum(len(batch["id"]) for batch in batches) == 12
    with pytest.raises(SettingError, match=r"^hard: no parent of shares\[0\]"):
        dataset.set_epoch(4, hard=Hardness(losses, low=5))


def test_fixed_epochs_have_the_same_items_in_another_order(clips: Path) -> None:
    feed = feed_of(clips_of(clips, fixed=True))
    one, two = ([item for batch in feed for item in batch["id"]] for _ in range(2))
    assert set(one) == set(two)
    assert one != two


def test_classes_are_evened_out(strips: Path) -> None:
    share = Share(load("steel/scratches"), share=0.0)
    dataset = SliceDataset(str(strips), [share], 7, sampling="class", items="label = 'plain' OR id LIKE '%1%'")
    labels = [item for batch in feed_of(dataset) for item in batch["label"]]
    assert abs(labels.count("plain") - labels.count("patchy")) <= 1
    assert len(labels) == len(dataset.stock.originals)


def test_durations_and_lengths_decide_batches_of_a_loader(clips: Path) -> None:
    dataset = clips_of(clips, 0.3)
    batches = Batches(dataset, max_seconds=1.5, group_by_length=True)
    found = list(Augment(dataset)(DataLoader(dataset, batch_sampler=batches)))
    assert sorted(item.split("~")[0] for batch in found for item in batch["parent"]).__len__() == 23
    assert all(batch["audio"].numel() <= 1.5 * 8000 or len(batch["id"]) == 1 for batch in found)
    assert len(found) == len(batches)


def test_clips_of_one_length_are_asked_for_in_seconds(clips: Path) -> None:
    feed = feed_of(clips_of(clips, seconds=0.3))
    for batch in feed:
        assert batch["audio"].shape[1] == 2400
        assert int(batch["length"].max()) <= 2400
    with pytest.raises(SettingError, match=r"^seconds: needs clips at one rate"):
        SliceDataset(str(clips), [Share(load("speech/car_noise"))], pattern=PATTERN, seconds=1)


def test_an_item_is_made_again_by_its_id(clips: Path) -> None:
    dataset, other = clips_of(clips, 0.9), clips_of(clips, 0.9)
    dataset.set_epoch(4)
    for batch in feed_of(dataset):
        again = other.again(batch["id"][0])
        assert np.array_equal(again.item, batch["audio"][0, : batch["length"][0]].numpy())
    with pytest.raises(SettingError, match=r"^id: 'nobody~1'"):
        dataset.again("nobody~1")


def test_a_loader_with_an_order_that_cannot_be_told_is_refused(clips: Path) -> None:
    dataset, other = clips_of(clips), clips_of(clips)
    weighted = WeightedRandomSampler([1.0] * 23, 23)
    for loader, said in (
        (DataLoader(dataset, 4, sampler=weighted), "has a sampler of its own"),
        (DataLoader(dataset, 4, sampler=RandomSampler(dataset, replacement=True)), "has a sampler of its own"),
        (DataLoader(other, 4), "goes through another data set"),
        (DataLoader(dataset, batch_size=None), "has a sampler of its own"),
    ):
        with pytest.raises(SettingError, match=f"^loader: {said}"):
            Augment(dataset)(loader)
    for call, said in (
        (lambda: Batches(dataset), "^batch_size: is not given"),
        (lambda: Batches(dataset, 0), "^batch_size: 0"),
        (lambda: Batches(dataset, 2, max_seconds=-1), "^max_seconds: -1"),
        (lambda: Batches(dataset, 2, rank=2, world=2), "^rank, world: 2, 2"),
    ):
        with pytest.raises(SettingError, match=said):
            call()


def test_a_distributed_sampler_says_the_ranks(clips: Path) -> None:
    found = []
    for rank in range(3):
        dataset = clips_of(clips)
        sampler = DistributedSampler(dataset, 3, rank)
        found += [item for batch in Augment(dataset)(DataLoader(dataset, 4, sampler=sampler)) for item in batch["id"]]
    assert len(found) == len(set(found)) == 23


def test_what_goes_wrong_is_raised_where_the_batch_is_asked_for(clips: Path) -> None:
    def fails(given: int) -> int:
        if given == 2:
            raise ValueError("the third")
        return given

    ahead = Ahead(lambda: iter(range(5)), fails, 2)
    assert [next(ahead), next(ahead)] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(ahead)


def test_no_more_is_made_ahead_than_was_said_and_no_thread_stays() -> None:
    made: list[int] = []
    ahead = Ahead(lambda: iter(range(100)), lambda given: made.append(given) or given, 3)
    assert next(ahead) == 0
    for _ in range(100):
        if len(made) == 5:
            break
        threading.Event().wait(0.05)
    assert len(made) == 5
    ahead.close()
    assert not [one for one in threading.enumerate() if one.name == "sliceforge"]


def test_pinned_parents_are_where_drafts_are_unpacked_from(clips: Path) -> None:
    from sliceforge.engine import drafts

    dataset = clips_of(clips)
    some = [dataset[i] for i in range(5)]
    packed = drafts.pack(some)
    assert packed.data.numel() % drafts.ALIGNED == 0
    for one, other in zip(drafts.unpack(packed), some, strict=True):
        assert np.array_equal(one.source, other.source)
        assert one.source.flags.aligned
        assert one.row == other.row


def test_an_original_is_what_its_file_holds(clips: Path, tmp_path: Path) -> None:
    dataset = SliceDataset(str(clips), [Share(load("speech/car_noise"), share=0.0)], 7, pattern=PATTERN)
    for batch in Augment(dataset)(DataLoader(dataset, 5, shuffle=True)):
        for item, audio, length in zip(batch["id"], batch["audio"], batch["length"], strict=True):
            assert torch.equal(
                audio[:length], torch.from_numpy(soundfile.read(clips / f"{item}.wav", dtype="float32")[0])
            )
