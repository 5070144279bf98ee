"""Several processes of one training job, by gloo: each item once per epoch, and on with another number of them."""

import json
from pathlib import Path
from typing import Any

import torch.multiprocessing as mp
from ranks import feed_of, rank, told

EVEN, ODD = "index <> '22'", None
"""22 clips, and all 23."""


def run(clips: Path, out: Path, world: int, jobs: list[tuple[str | None, Any, int]]) -> list[tuple[list[Any], Any]]:
    """Of each job, what all ranks together were given, step after step and rank after rank; and where they came to."""
    out.mkdir()
    mp.spawn(rank, (world, str(clips), str(out), jobs), nprocs=world)
    ranks = [json.loads((out / f"{number}.json").read_text()) for number in range(world)]
    results = []
    for parts in zip(*ranks, strict=True):
        states = [state for _, state in parts]
        assert all(state == states[0] for state in states)
        rounds = zip(*(found for found, _ in parts), strict=True)
        results.append(([tuple(item) for batches in rounds for batch in batches for item in batch], states[0]))
    return results


def test_ranks_share_an_epoch_and_any_number_of_them_goes_on(clips: Path, tmp_path: Path) -> None:
    whole = {items: [item for batch in feed_of(str(clips), items) for item in told(batch)] for items in (EVEN, ODD)}
    odd, even, begun = run(clips, tmp_path / "two", 2, [(ODD, None, 0), (EVEN, None, 0), (ODD, None, 2)])
    assert (len(set(whole[ODD])), len(set(whole[EVEN]))) == (23, 22)
    # The very order of one process, and so the very data set.
    assert odd[0] == whole[ODD]
    assert even[0] == whole[EVEN]
    first, state = begun
    assert len(first) == 12
    feed = feed_of(str(clips), ODD)
    feed.load_state_dict(state)
    batches = iter(feed)
    second = told(next(batches))
    batches.close()
    (last,) = run(clips, tmp_path / "three", 3, [(ODD, feed.state_dict(), 0)])
    assert first + second + last[0] == whole[ODD]
