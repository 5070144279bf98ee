"""The plans of a run: one file for each variant, drawn when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine import commit, lineage, plan, shards
from sliceforge.engine.banks import Shelf
from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.parents import survey
from sliceforge.engine.pool import Pool
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.spec import Spec


@dataclass(frozen=True)
class Plans:
    """Draws the plan of a variant when it is first asked for."""

    run: Path
    spec: Spec
    recipe: Recipe
    manifest: Manifest
    rows: Any
    banks: Shelf
    shard: int
    pool: Pool

    def sizes(self, variant: int) -> list[int]:
        """The number of rows of each shard of a variant."""
        path = shards.plan_path(self.run, variant)
        if not path.exists():
            self._draw(path, variant)
        try:
            file = pq.ParquetFile(path).metadata
        except pa.ArrowInvalid:
            raise RunError(f"{path}: is damaged; without it, the same command makes it again") from None
        return [file.row_group(i).num_rows for i in range(file.num_row_groups)]

    def _draw(self, path: Path, variant: int) -> None:
        first = shards.plan_path(self.run, 1)
        if variant == 0:
            self.sizes(1)
            planned = pq.read_table(first)
            copies = lineage.originals(planned, plan.carried(planned, self.recipe))
            commit.write_table(path, copies, rows=self.shard)
            return
        if first.exists():
            parents = pq.read_table(first)
        else:
            parents = survey(self.manifest, self.rows, self.recipe, self.spec.seed, self.spec.suffix, self.pool)
        if not len(parents):
            raise SettingError("parents: no item is chosen; look at data=, parents= and slice=")
        inventories = self.banks.inventories()
        drawn = plan.draw(self.recipe, parents, self.spec.seed, variant, inventories, self.spec.slice)
        commit.write_table(path, drawn, rows=self.shard)

    def units(self, variants: int | None) -> Iterator[tuple[int, int, int]]:
        """(variant, shard, rows) in order, without end where `variants` is None."""
        variant = 0
        while variants is None or variant < variants:
            variant += 1
            for index, rows in enumerate(self.sizes(variant)):
                yield variant, index, rows
