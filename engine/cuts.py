"""Batches of a window of items: by count, by duration, of like lengths; and batches divided where ranks lack one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sliceforge.engine.shuffle import Shuffle


def cut(
    lengths: np.ndarray, most: int | None, seconds: float | None, grouped: bool, shuffle: str | None
) -> list[np.ndarray]:
    """Places in the window, batch by batch; each place once.

    Args:
        lengths: (N,) of the window's items.
        most: items of a batch, or None.
        seconds: of a batch, items times the longest, or None. An item that is longer is a batch of its own.
        grouped: neighbours in length come together.
        shuffle: the label of the order of grouped batches; None: the shortest come first.
    """
    order = np.argsort(lengths, kind="stable") if grouped else np.arange(len(lengths))
    batches, first, longest = [], 0, 0.0
    for place, length in enumerate(lengths[order].tolist()):
        longest = max(longest, length)
        count = place - first + 1
        if count > 1 and ((most and count > most) or (seconds is not None and count * longest > seconds)):
            batches.append(order[first:place])
            first, longest = place, length
    batches.append(order[first:])
    if grouped and shuffle is not None:
        # A batch that is short comes last, so that it is the end of an epoch.
        whole = len(batches) - (seconds is None and len(batches[-1]) != most)
        turned = Shuffle(whole, shuffle).at(np.arange(whole))
        batches[:whole] = [batches[i] for i in turned]
    return batches


def divided(batches: Sequence[np.ndarray], parts: int) -> list[np.ndarray]:
    """The same items in the same order in more batches, none empty, as alike as can be.

    Args:
        batches: not empty; not more than `parts`, and with no fewer items.

    >>> [one.tolist() for one in divided([np.arange(5), np.arange(2)], 3)]
    [[0, 1, 2], [3, 4], [0, 1]]
    """
    times = [1] * len(batches)
    for _ in range(parts - len(batches)):
        size = [len(batch) / often if len(batch) > often else 0 for batch, often in zip(batches, times, strict=True)]
        times[int(np.argmax(size))] += 1
    return [part for batch, often in zip(batches, times, strict=True) for part in np.array_split(batch, often)]
