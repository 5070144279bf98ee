"""Several sources as one: `data=[train.parquet, RUN]`, and a run as a table of its items."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import store, tables
from sliceforge.engine.errors import SettingError
from sliceforge.engine.fetch import here
from sliceforge.engine.paths import shown

EXAMPLE = "[train.parquet, RUN]"

Part = tuple[Path, pa.Table]
"""The folder that paths are under, and rows."""


def split(data: str | Sequence[str], key: str = "data", fresh: bool = False) -> list[str]:
    """The sources that a setting names; of one in a store the place of its mirror (`engine/store.py`).

    A name with a comma in it stands in double quotes; a path that exists as it is written is one source. `fresh` lists
    a store anew though this process has listed it.

    >>> split("[train.parquet, RUN]"), split("clips"), split('["a, b.csv", c]')
    (['train.parquet', 'RUN'], ['clips'], ['a, b.csv', 'c'])

    Raises:
        SettingError: a list with nothing in it.
    """
    if isinstance(data, str):
        text = data.strip()
        if not (text.startswith("[") and text.endswith("]")) or _exists(data):
            return [_reachable(data, key, fresh)]
        names = [name.strip() for name in next(csv.reader([text[1:-1]], skipinitialspace=True), [])]
    else:
        names = [str(name) for name in data]
    if not names or not all(names):
        raise SettingError(f"{key}: {shown(str(data))}: expected names between commas, such as {key}={EXAMPLE}")
    return [_reachable(name, key, fresh) for name in names]


def _reachable(place: str, key: str, fresh: bool) -> str:
    """A place as a path; what follows a folder in braces is a pattern for its file names."""
    if not store.is_url(place) or _exists(place):
        return place
    head, brace, tail = place.partition("{")
    if not brace:
        return str(store.opened(place, key, fresh))
    at = head.rindex("/") + 1
    tail, link, archive = tail.partition("::")
    return f"{store.opened(head[:at] + link + archive, key, fresh)}/{head[at:]}{brace}{tail}"


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def root(data: str | Sequence[str]) -> Path:
    """The folder that the paths of some sources are under."""
    places = [Path(place).resolve() for place in split(data)]
    return Path(os.path.commonpath([place if place.is_dir() else place.parent for place in places]))


def is_run(path: Path) -> bool:
    """Whether a folder is a run."""
    return (path / "run.yaml").is_file() and any((path / name).exists() for name in ("manifest.parquet", "receipts"))


def run_table(run: Path, suffixes: Sequence[str], kind: str, where: str) -> pa.Table:
    """A finished run's items; their paths lead into its shards.

    Raises:
        SettingError: it is not finished, has no items, or items of another kind.
    """
    path = here(run / "manifest.parquet")
    if not path.exists():
        raise SettingError(f"{where}: is a run that is not finished; the command that began it goes on")
    table = tables.read_table(path, f"{where}: is a run, and its manifest.parquet")
    if "path" in table.column_names:
        first = str(table["path"][0].as_py())
        if not first.lower().endswith(tuple(suffixes)):
            raise SettingError(f"{where}: is a run of items such as {shown(first, 80)}; expected {kind}")
    return table


def together(parts: Sequence[Part], where: str) -> Part:
    """Rows of several sources under the folder that holds them all; metadata that a source lacks is null there.

    A run's copy of an original (variant 0) counts once, and not at all beside the original itself.

    Raises:
        SettingError: a column that is of quite another kind in two sources.
    """
    root = Path(os.path.commonpath([root for root, _ in parts]))
    moved, seen = [], np.zeros(0, object)
    for own, table in parts:
        ids = table["id"].to_numpy()
        copy = _copies(table)
        moved.append(_under(table, own.relative_to(root)).filter(pa.array(~(copy & np.isin(ids, seen)))))
        seen = np.concatenate([seen, ids])
    return root, pa.concat_tables(_alike(moved, where), promote_options="default")


def _copies(table: pa.Table) -> np.ndarray:
    if "variant" not in table.column_names or not pa.types.is_integer(table["variant"].type):
        return np.zeros(len(table), bool)
    return np.asarray(pc.fill_null(pc.equal(table["variant"], 0), False).to_numpy(zero_copy_only=False), bool)


def _under(table: pa.Table, folder: Path) -> pa.Table:
    if folder == Path():
        return table
    for name in {"path", "mask"} & set(table.column_names):
        if pa.types.is_string(table[name].type):
            moved = pc.binary_join_element_wise(folder.as_posix(), table[name], "/")
            table = table.set_column(table.column_names.index(name), name, moved)
    return table


def _alike(parts: list[pa.Table], where: str) -> list[pa.Table]:
    """The same tables, with one type for each column: text where numbers meet text."""
    for name in dict.fromkeys(name for table in parts for name in table.column_names):
        kinds = {table.schema.field(name).type for table in parts if name in table.column_names} - {pa.null()}
        if len(kinds) < 2:
            continue
        try:
            kind = pa.unify_schemas(
                [pa.schema([(name, kind)]) for kind in sorted(kinds, key=str)], promote_options="permissive"
            ).field(name)
            parts = [_cast(table, name, kind.type) for table in parts]
        except pa.ArrowException:
            parts = [_cast(table, name, None, f"{where}: {shown(name, 60)}") for table in parts]
    return parts


def _cast(table: pa.Table, name: str, kind: pa.DataType | None, where: str = "") -> pa.Table:
    if name not in table.column_names:
        return table
    column = tables.as_text(table[name], where) if kind is None else table[name].cast(kind)
    return table.set_column(table.column_names.index(name), name, column)
