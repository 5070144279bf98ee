"""Plan rows of what an epoch picks, drawn for a batch at a time, in whichever process asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import plan, quotas
from sliceforge.engine.mixing import EPOCHS, Pick
from sliceforge.engine.op import Inventory
from sliceforge.engine.stock import Share, Stock

Row = dict[str, Any]


def rows(
    picks: Sequence[Pick], seed: int, stock: Stock, shares: Sequence[Share], banks: Sequence[Mapping[str, Inventory]]
) -> list[Row]:
    """The plan row of each pick.

    Args:
        seed: the run's.
        stock: the items.
        shares: what is drawn.
        banks: those of each share.
    """
    found: list[Row] = [{}] * len(picks)
    for share in sorted({pick.share for pick in picks}):
        here = [i for i, pick in enumerate(picks) if pick.share == share]
        items = np.array([picks[i].row for i in here])
        drawn: list[Row]
        if share < 0:
            own = stock.items.take(pa.array(items)).to_pylist()
            drawn = [{"id": row["parent"], **row, "variant": 0, "attempt": 0} for row in own]
        else:
            drawn = _drawn(items, np.array([picks[i].variant for i in here]), seed, stock, shares, share, banks)
        for i, row in zip(here, drawn, strict=True):
            found[i] = row
    return found


def _drawn(
    items: np.ndarray,
    variants: np.ndarray,
    seed: int,
    stock: Stock,
    shares: Sequence[Share],
    share: int,
    banks: Sequence[Mapping[str, Inventory]],
) -> list[Row]:
    rank, size = stock.slots[share]
    # Bank items that have a quota go by a row's place in the run, which an epoch's order must not change. What a parent
    # makes beyond the first in an epoch has the places of the variants that follow.
    turn, variant = np.divmod(variants, EPOCHS)
    places = (variant + turn - 1) * size + rank[items]
    parents = stock.items.take(pa.array(items))
    parents = parents.append_column(quotas.SLOT, pa.array(places)).append_column("variant", pa.array(variants))
    known = shares[share]
    return list(plan.draw(known.recipe, parents, seed, variants, banks[share], known.slice).to_pylist())


def redraw(share: Share, seed: int, row: Mapping[str, Any], banks: Mapping[str, Inventory]) -> Row:
    """The next draw of a plan row that a gate turned down."""
    table = pa.Table.from_pylist([dict(row)])
    attempt = np.array([row["attempt"] + 1])
    again = plan.draw(share.recipe, table, seed, row["variant"], banks, share.slice, attempt).to_pylist()
    return dict(again[0])
