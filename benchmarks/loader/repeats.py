"""Does training see the same made item twice, and can each be had again by its id? (D3 of the promises.)

python -m benchmarks.loader.repeats

Plan rows come from loaders of 2 ranks with 4 workers each over 3 epochs. Two are the same where parent and all drawn
numbers are; draws are continuous, so that by chance none are. `one pool` needs each of two parents several times in an
epoch; `shares change` has other shares in every epoch. Then every item again by id: its bytes, and how long that takes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from benchmarks.loader import results
from benchmarks.loader.cases import Case, quiet, recipe
from sliceforge.engine import Augment, Batches, Share, SliceDataset

EPOCHS, WORLD, WORKERS = 3, 2, 4
CHANGING = ((0.5, 0.5), (1.0, 0.2), (0.1, 1.0))


def one_pool() -> SliceDataset:
    """Two shares that take all their items from two parents."""
    names = ("speech/car_noise", "speech/far_field")
    shares = [Share(recipe(name), parents="label = 'left'", share=1.0) for name in names]
    return SliceDataset(None, shares, 7, extend=True)


def rows(datasets: list[SliceDataset], changing: bool) -> Iterator[dict[str, Any]]:
    """The plan rows of made items, of all ranks and epochs."""
    for rank, dataset in enumerate(datasets):
        batches = Batches(dataset, 2, rank=rank, world=WORLD)
        for epoch in range(1, EPOCHS + 1):
            dataset.set_epoch(epoch, CHANGING[epoch - 1] if changing else None)
            loader = DataLoader(dataset, batch_sampler=batches, num_workers=WORKERS, collate_fn=dataset.collate)
            for packed in loader:
                yield from (draft.row for draft in packed.drafts if draft.share >= 0)


def drawn(row: dict[str, Any]) -> tuple[Any, ...]:
    """The parent and every number that was drawn for it."""
    told = [(name, value) for name, value in sorted(row.items()) if "." in name and not name.startswith("read.")]
    return (row["parent"], *told)


def repeated(datasets: list[SliceDataset], changing: bool = False) -> dict[str, int]:
    """Made items, their ids, and how many have the numbers of another."""
    found = list(rows(datasets, changing))
    ids, numbers = Counter(row["id"] for row in found), Counter(map(drawn, found))
    most = max(Counter((row["parent"], row["variant"] % 65536) for row in found).values())
    same = len(found) - len(numbers)
    return {"made": len(found), "most_of_a_parent_in_an_epoch": most, "same_ids": len(found) - len(ids), "same": same}


def again() -> dict[str, float]:
    """Each item of three epochs once more, by another data set: seconds, and how many differ."""
    dataset, other, took, differ, count = one_pool(), one_pool(), [], 0, 0
    feed = Augment(dataset)(DataLoader(dataset, 4, shuffle=True, collate_fn=dataset.collate))
    for _ in range(EPOCHS):
        for batch in feed:
            shares, lengths = batch["share"].tolist(), batch["length"].tolist()
            for item, share, audio, length in zip(batch["id"], shares, batch["audio"], lengths, strict=True):
                began = time.perf_counter()
                draft = other.again(item, share if share >= 0 else None)
                took.append(time.perf_counter() - began)
                differ += draft.item is None or draft.item.tobytes() != audio[:length].numpy().tobytes()
                count += 1
    return {"items": count, "differ": differ, "first_s": took[0], "longest_after_s": max(took[1:])}


def main() -> None:
    """All of it, as JSON."""
    quiet()
    case = Case((0.5, 0.5), more={"extend": True})
    found: dict[str, Any] = {
        "as ever": repeated([case.dataset() for _ in range(WORLD)]),
        "shares change": repeated([case.dataset() for _ in range(WORLD)], changing=True),
        "one pool": repeated([one_pool() for _ in range(WORLD)]),
        "one pool, shares change": repeated([one_pool() for _ in range(WORLD)], changing=True),
        "again": again(),
    }
    results.write("repeats", found)


if __name__ == "__main__":
    main()
