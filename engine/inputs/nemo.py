"""NeMo's manifests: lines of JSON that name a clip, or with `offset` a part of a recording."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

ALIAS = "audio_filepath"
"""What NeMo calls `path`."""


def placed(raw: pa.Table) -> pa.Table:
    """A table with NeMo's columns under our names; another one as it is.

    `offset` and `duration` of a row are the part of the recording that is meant, `clip_start` and `clip_seconds`; a row
    without `offset` is the whole, one without `duration` all that follows.
    """
    names = raw.column_names
    if ALIAS not in names or "path" in names:
        return raw
    raw = raw.rename_columns(["path" if name == ALIAS else name for name in names])
    if "offset" not in names or not _number(raw["offset"].type):
        return raw
    start = np.array([np.nan if at is None else at for at in raw["offset"].to_pylist()], np.float64)
    duration = raw["duration"] if "duration" in names and _number(raw["duration"].type) else pa.nulls(len(raw))
    seconds = np.array([np.nan if one is None else one for one in duration.to_pylist()], np.float64)
    raw = raw.drop_columns(["offset"])
    raw = raw.append_column("clip_start", pa.array(start, from_pandas=True))
    return raw.append_column("clip_seconds", pa.array(np.where(np.isnan(start), np.nan, seconds), from_pandas=True))


def _number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
