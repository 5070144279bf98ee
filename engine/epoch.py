"""The plan of one epoch: drawn as a whole, in each process that needs it, and then looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import plan, quotas
from sliceforge.engine.mixing import Mixture
from sliceforge.engine.op import Inventory
from sliceforge.engine.stock import Share, Stock


class Epoch:
    """Plan rows by position.

    Args:
        number: of the epoch, from 1.
        seed: the run's seed.
        mixture: what stands at each position.
        stock: the items.
        shares: what is drawn.
        inventories: the banks of each share.
    """

    def __init__(
        self,
        number: int,
        seed: int,
        mixture: Mixture,
        stock: Stock,
        shares: Sequence[Share],
        inventories: Sequence[Mapping[str, Inventory]],
    ) -> None:
        self.number, self._mixture, self._items = number, mixture, stock.items
        self._tables: list[pa.Table] = []
        self._table, self._place = np.zeros(len(mixture), int), np.zeros(len(mixture), int)
        for share, known in enumerate(shares):
            for variant in np.unique(mixture.variant[mixture.share == share]):
                here = np.flatnonzero((mixture.share == share) & (mixture.variant == variant))
                rank, rows = stock.slots[share]
                places = (variant - 1) * rows + rank[mixture.row[here]]
                parents = stock.items.take(pa.array(mixture.row[here]))
                # Bank items that have a quota go by a row's place in the run, which an epoch's order must not change.
                parents = parents.append_column(quotas.SLOT, pa.array(places))
                parents = parents.append_column("variant", pa.array(np.full(len(here), variant, np.int32)))
                drawn = plan.draw(known.recipe, parents, seed, int(variant), inventories[share], known.slice)
                self._table[here], self._place[here] = len(self._tables), np.arange(len(here))
                self._tables.append(drawn)

    def row(self, position: int) -> tuple[int, dict[str, Any]]:
        """(share, plan row) of a position."""
        share = int(self._mixture.share[position])
        if share < 0:
            return self.original(self._mixture.row[position])
        table = self._tables[self._table[position]]
        return share, table.slice(self._place[position], 1).to_pylist()[0]

    def original(self, item: int) -> tuple[int, dict[str, Any]]:
        """(−1, plan row) of an item as it is."""
        row = self._items.slice(int(item), 1).to_pylist()[0]
        return -1, {"id": row["parent"], **row, "variant": 0, "attempt": 0}


def redraw(share: Share, seed: int, row: Mapping[str, Any], banks: Mapping[str, Inventory]) -> dict[str, Any]:
    """The next draw of a plan row that a gate turned down."""
    table = pa.Table.from_pylist([dict(row)])
    attempt = np.array([row["attempt"] + 1])
    rows = plan.draw(share.recipe, table, seed, row["variant"], banks, share.slice, attempt).to_pylist()
    return dict(rows[0])
