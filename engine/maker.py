"""Drafts made: the steps applied, gates asked and drawn again where they said no, facts written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sliceforge.engine import making
from sliceforge.engine.drafts import Draft
from sliceforge.engine.epoch import redraw
from sliceforge.engine.errors import InputError
from sliceforge.engine.outcome import Outcome, facts

if TYPE_CHECKING:
    from sliceforge.engine.loader import SliceDataset


def make(dataset: SliceDataset, some: Sequence[Draft], threads: int, device: str) -> None:
    """See `SliceDataset.make`."""
    outcomes = [Outcome(dict(draft.row)) for draft in some]
    left = list(range(len(some)))
    for attempt in range(dataset.retries + 1 if dataset.gates else 1):
        for i in left if attempt else []:
            share = some[i].share
            row = redraw(dataset.shares[share], dataset.seed, outcomes[i].row, dataset.inventories[share])
            outcomes[i] = Outcome(row)
        _attempt(dataset, some, outcomes, left, threads, device)
        left = [i for i in left if outcomes[i].reason and some[i].share >= 0]
        if not left:
            break
    for i in left:
        some[i].reason = outcomes[i].reason
        outcomes[i] = Outcome({**outcomes[i].row, "id": outcomes[i].row["parent"], "variant": 0, "attempt": 0})
    making.make(dataset.untouched, [outcomes[i] for i in left], [some[i].read() for i in left], None, False, threads)
    for draft, outcome in zip(some, outcomes, strict=True):
        _finish(dataset, draft, outcome)


def _attempt(
    dataset: SliceDataset,
    some: Sequence[Draft],
    outcomes: Sequence[Outcome],
    left: Sequence[int],
    threads: int,
    device: str,
) -> None:
    for share in sorted({some[i].share for i in left}):
        these = [i for i in left if some[i].share == share]
        recipe, shelf, on = dataset.untouched, None, "cpu"
        if share >= 0:
            recipe, shelf, on = dataset.shares[share].recipe, dataset.shelves[share], device
        sources = [some[i].read() for i in these]
        making.make(recipe, [outcomes[i] for i in these], sources, shelf, dataset.gates, threads, on)


def _finish(dataset: SliceDataset, draft: Draft, outcome: Outcome) -> None:
    made = outcome.made
    if made is None:
        raise InputError(outcome.reason, outcome.detail)
    whole = draft.share >= 0 and not draft.reason
    recipe = dataset.shares[draft.share].recipe if whole else dataset.untouched
    draft.facts = facts(recipe, outcome, dataset.shares[draft.share].slice if whole else None)
    draft.item = made.item
    if dataset.form.masked:
        draft.mask = np.logical_or.reduce([np.zeros(made.item.shape[:2], bool), *made.masks.values()])
