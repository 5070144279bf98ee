"""Learning curves for the loop: trainings on 4 sizes of the training set, judged on the rows that tune."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.loop.trainings import Training, write_manifest
from sliceforge.engine.loop.trial import losses

if TYPE_CHECKING:
    from sliceforge.engine.loop.loop import Loop

SIZES = (0.1, 0.2, 0.5, 1.0)


def grown(own: Loop, folder: Path, worked: Sequence[WeakSlice]) -> str | None:
    """The place of a table slice,n,loss; None where no slice has training items of three different numbers.

    Args:
        own: the loop.
        folder: of the step.
        worked: the slices.
    """
    sizes = {size: own.ground.subset(size) for size in SIZES}
    counts = {
        one.name: {size: int((rows & own.ground.inside(one.where)).sum()) for size, rows in sizes.items()}
        for one in worked
    }
    known = [one for one in worked if len({n for n in counts[one.name].values() if n}) > 2]
    if not known:
        return None
    rows: list[dict[str, object]] = []
    for size, chosen in sizes.items():
        train = write_manifest(folder / f"size_{100 * size:.0f}.{own.asked.table}", own.ground.manifest(chosen))
        seeds = range(own.asked.seeds)
        wanted = [Training(train, seed, folder, f"size_{100 * size:.0f}-seed_{seed}") for seed in seeds]
        for path in own.trainings.done(wanted, lambda done, of: own.said(f"curves: {done} of {of} trainings")):
            found = losses(own.ground, path, {one.name: one.where for one in known}, "tune")
            names = [name for name in found if counts.get(name, {}).get(size)]
            rows += [{"slice": name, "n": counts[name][size], "loss": found[name]} for name in names]
    if not rows:
        return None
    return str(write_manifest(folder / "curves.csv", pa.Table.from_pylist(rows)))
