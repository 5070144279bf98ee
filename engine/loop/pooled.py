"""Predictions of several seeds as one table, so that slices are found on what the training set does, not one seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from sliceforge.engine.loop.rows import predictions
from sliceforge.engine.loop.rows.predictions import Predictions
from sliceforge.engine.loop.trainings import load


def pooled(paths: Sequence[Path], ids: Sequence[str], rows: np.ndarray) -> pa.Table:
    """What models of several seeds say of some rows together.

    Probabilities and continuous losses are averaged; of classes without probabilities the one that most models chose
    counts, the first of equals; of transcripts, which cannot be averaged, those of the first model.

    Args:
        paths: one table of predictions for each seed.
        ids: of all rows.
        rows: (N,) bool, which.

    Raises:
        SettingError: they differ in kind, or lack a row.
    """
    every = [one.take(np.flatnonzero(rows)) for one in load(paths, ids)]
    first = every[0]
    fields: dict[str, pa.Array | pa.ChunkedArray] = {"id": pa.array(first.ids.tolist(), pa.string())}
    if first.kind == "words":
        whole = predictions.read(str(paths[0]), "predictions")
        return whole.filter(pa.array(np.isin(whole["id"].to_numpy(), first.ids))).sort_by("id")
    if first.labels is None:
        loss = np.mean([one.loss for one in every], axis=0)
        return pa.table(fields | ({"iou": pa.array(1 - loss)} if first.kind == "iou" else {"loss": pa.array(loss)}))
    fields["label"] = pa.array(first.labels.tolist(), pa.string())
    if first.probabilities is None:
        return pa.table(fields | {"pred": pa.array(_voted(every), pa.string())})
    p = np.mean([one.probabilities for one in every if one.probabilities is not None], axis=0)
    return pa.table(fields | {f"p_{name}": pa.array(p[:, at]) for at, name in enumerate(first.classes)})


def joined(parts: Sequence[Path]) -> pa.Table:
    """Tables of predictions of different rows, such as folds, under each other; a class that one lacks has p 0."""
    every = [predictions.read(str(path), "predictions") for path in parts]
    whole = pa.concat_tables(every, promote_options="default")
    filled = {name: _zeroed(whole[name], name) for name in whole.column_names}
    return pa.table(filled)


def _voted(every: Sequence[Predictions]) -> list[str]:
    chosen = np.array([[str(one) for one in told.predicted] for told in every if told.predicted is not None])
    found = []
    for votes in chosen.T:
        names, counts = np.unique(votes, return_counts=True)
        found.append(str(names[int(np.argmax(counts))]))
    return found


def _zeroed(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    return column.fill_null(0.0) if name.startswith("p_") and pa.types.is_floating(column.type) else column
