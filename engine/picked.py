"""Picks of an epoch, drawn and read: what a loader's workers do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sliceforge.engine import epoch, making, regions
from sliceforge.engine.drafts import Draft
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.mixing import Pick

if TYPE_CHECKING:
    from sliceforge.engine.loader import SliceDataset


def read(dataset: SliceDataset, picks: Sequence[Pick]) -> list[Draft]:
    """A draft of each pick; where it cannot be read, one of the next original.

    Raises:
        InputError: no original can be read.
    """
    return [_read(dataset, pick, row) for pick, row in zip(picks, _rows(dataset, picks), strict=True)]


def named(dataset: SliceDataset, item: str, share: int | None) -> list[Pick]:
    """What an id may be: see `SliceDataset.again`.

    Raises:
        SettingError: several shares make such items.
    """
    parent, mark, variant = item.rpartition("~")
    made = bool(mark and variant.isdecimal())
    row = dataset.stock.place(parent.rstrip("~")) if made else None
    if row is None:
        own = dataset.stock.place(item)
        return [] if own is None else [Pick(-1, own, 0)]
    able = [number for number, pool in enumerate(dataset.stock.pools) if row in pool]
    picks = [Pick(number, row, int(variant)) for number in able if share in (None, number)]
    if len(picks) > 1:
        raise SettingError(f"id: {item!r}: shares {able} make such items; name one, such as share={able[0]}")
    return picks


def _rows(dataset: SliceDataset, picks: Sequence[Pick]) -> list[dict[str, Any]]:
    return epoch.rows(picks, dataset.seed, dataset.stock, dataset.shares, dataset.inventories)


def _read(dataset: SliceDataset, pick: Pick, row: dict[str, Any]) -> Draft:
    share, reason, originals = pick.share, "", dataset.stock.originals
    after = int(originals.searchsorted(pick.row, side="right"))
    for turn in range(len(originals) + 1):
        dataset.hands.take(pick.row)
        try:
            source, rate = making.parent(dataset.untouched, dataset.root, row)
            marks = regions.read(dataset.root, row, source)
            return Draft(share, row, source, rate, marks, reason=reason)
        except InputError as error:
            reason = reason or error.reason
            share, pick = -1, Pick(-1, int(originals[(after + turn) % len(originals)]), 0)
            (row,) = _rows(dataset, [pick])
        except Exception as error:
            error.add_note(f"loader: it read {row['parent']!r} ({row['path']})")
            raise
    raise InputError(reason, "no original can be read")
