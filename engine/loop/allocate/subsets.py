"""A table of trainings on subsets, `slice,n,loss`, as a learning curve for each slice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sliceforge.engine import tables
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.allocate.curves import Curve, fitted
from sliceforge.engine.paths import shown


def curves(
    place: str | None, names: Sequence[str]
) -> tuple[dict[str, Curve], dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Slice → its learning curve, and the sizes and mean losses behind it.

    Args:
        place: a table: of each training the slice, how many items of it there were, and its loss; or None.
        names: of the slices.

    Raises:
        SettingError: one line.
    """
    if not place:
        return {}, {}
    where = f"curves: {shown(place)}"
    if not Path(place).is_file():
        raise SettingError(f"{where}: no such file; expected a table with columns slice,n,loss")
    table = tables.read_table(Path(place), where)
    for name in ("slice", "n", "loss"):
        if name not in table.column_names:
            raise SettingError(f"{where}: no column {name}; expected columns slice,n,loss")
    found, points = {}, {}
    by_slice: dict[str, dict[int, list[float]]] = {}
    for row in table.select(["slice", "n", "loss"]).to_pylist():
        if row["slice"] not in names:
            raise SettingError(f"{where}: slice {row['slice']}: no such slice{did_you_mean(str(row['slice']), names)}")
        by_slice.setdefault(row["slice"], {}).setdefault(int(row["n"]), []).append(float(row["loss"]))
    for name, losses in by_slice.items():
        sizes = sorted(losses)
        repeats = min(map(len, losses.values()))
        try:
            found[name] = fitted(sizes, [losses[size][:repeats] for size in sizes])
        except SettingError as error:
            raise SettingError(f"{where}: {name}: {error}") from None
        points[name] = np.array(sizes, float), np.array([np.mean(losses[size]) for size in sizes])
    return found, points
