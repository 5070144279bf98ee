"""The leakage guard: what is evaluated shares no file, no bytes, no coil, tile or recording with what trains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from sliceforge.engine.apart import apart
from sliceforge.engine.banks import Shelf
from sliceforge.engine.codecs import files
from sliceforge.engine.donors import Place
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.groups import GROUPS, split_of
from sliceforge.engine.loop.allocate.budget import APART
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.paths import shown
from sliceforge.engine.shapes import TRAIN


@dataclass(frozen=True)
class Side:
    """Items of one side: those that train, or those that are evaluated.

    Args:
        said: how messages name them, such as `data`.
        ids: (N,).
        paths: (N,) resolved.
        groups: column → (N,) text, or None where an item says nothing.
    """

    said: str
    ids: Sequence[str]
    paths: Sequence[Path]
    groups: Mapping[str, Sequence[str | None]]

    @classmethod
    def of(cls, found: Manifest, rows: np.ndarray, said: str) -> Side:
        """Some rows, (N,) bool, of a manifest."""
        table = found.table.filter(pa.array(rows))
        paths = [(found.root / path).resolve() for path in table["path"].to_pylist()]
        text = {name: table[name].to_pylist() for name in table.column_names if _groups(table[name].type)}
        groups = {name: [None if v in (None, "") else str(v) for v in values] for name, values in text.items()}
        return cls(said, table["id"].to_pylist(), paths, groups)


def training(found: Manifest) -> np.ndarray:
    """Which rows of a manifest may train, (N,) bool: those of split train, or without a split."""
    return np.array([split_of(split) == TRAIN for split in found.table["split"].to_pylist()], bool)


def check(train: Side, held: Sequence[Side], ids: Collection[str], columns: Sequence[str]) -> None:
    """Refuse training items that are evaluated.

    Args:
        train: what may be trained on and enlarged.
        held: what is evaluated: rows of other splits, the evaluation data.
        ids: evaluated, where no evaluation data say which files they are.
        columns: whose values must not be on both sides; those of `APART` where they are there.

    Raises:
        SettingError: one line: the first breach, and how many there are; or a column that is not there.
    """
    for name in set(columns) - set(APART):
        for side in (train, *held):
            if name not in side.groups:
                near = did_you_mean(name, side.groups)
                raise SettingError(f"apart: {name}: {side.said} has no such column of texts or whole numbers{near}")
    found = [line for side in held for line in _shared(train, side, columns)]
    known = set(ids)
    found += [f"{_short(item)} is evaluated: predictions has it" for item in train.ids if item in known]
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise SettingError(
            f"train: {found[0]}{more}; expected training items that share nothing with what is evaluated"
        )


def check_banks(shelf: Shelf, found: Manifest, train: Side, held: Sequence[Side]) -> None:
    """Refuse banks with material of what is evaluated, but for items that a split of the data keeps apart already.

    Args:
        shelf: the banks of one recipe.
        found: the training data.
        train, held: as of `check`.

    Raises:
        SettingError: one line.
    """
    rules = apart(found, shelf.places())
    owners = {value for name in GROUPS for value in train.groups.get(name, ()) if value is not None}
    for bank, places in shelf.places().items():
        own, of = rules.items.get(bank, {}), rules.groups.get(bank, {})
        splits = {item: own.get(item) or one.split or of.get(one.group, TRAIN) for item, one in places.items()}
        some = {item: one for item, one in places.items() if split_of(splits[item]) == TRAIN}
        for side in held:
            line = next(_of_bank(some, side, owners), "")
            if line:
                raise SettingError(
                    f"banks.{bank}: {line}; expected material that shares nothing with what is evaluated"
                )


def shared_speakers(train: Side, held: Sequence[Side]) -> str:
    """A line where a speaker is on both sides: allowed, since many data sets are split so, and worth knowing."""
    own = set(train.groups.get("speaker", ())) - {None}
    both = own & {one for side in held for one in side.groups.get("speaker", ())}
    if not both:
        return ""
    return f"{len(both)} speakers are trained on and evaluated; apart=[speaker] refuses that"


def _shared(train: Side, held: Side, columns: Sequence[str]) -> Iterator[str]:
    at = dict(zip(held.paths, held.ids, strict=True))
    same = _Same(held.paths)
    values = {name: {v for v in held.groups.get(name, ()) if v is not None} for name in columns if name in train.groups}
    for row, (item, path) in enumerate(zip(train.ids, train.paths, strict=True)):
        if path in at:
            yield f"{_short(item)} is evaluated: its file is {_short(at[path])} of {held.said}"
        elif other := same(path):
            yield f"{_short(item)} has the same bytes as {_short(at[other])} of {held.said}"
        else:
            for name, taken in values.items():
                if train.groups[name][row] in taken:
                    yield f"{_short(item)}: its {name} {_short(str(train.groups[name][row]))} is in {held.said}"
                    break


def _of_bank(places: Mapping[str, Place], held: Side, owners: Collection[str]) -> Iterator[str]:
    at, same = dict(zip(held.paths, held.ids, strict=True)), _Same(held.paths)
    groups = {v for name in GROUPS for v in held.groups.get(name, ()) if v is not None} - set(owners)
    for item, place in places.items():
        path = place.path.resolve()
        other = path if path in at else same(path)
        if other:
            yield f"{_short(item)} is {_short(at[other])} of {held.said}, which is evaluated"
        elif place.group in groups:
            yield f"{_short(item)}: its group {_short(place.group)} is in {held.said}, which is evaluated"


class _Same:
    """Which of some files has the same bytes as another; only files of one length are read."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._sizes: dict[int, list[Path]] = defaultdict(list)
        self._digests: dict[Path, str] = {}
        for path in dict.fromkeys(paths):
            if (size := _size(path)) >= 0:
                self._sizes[size].append(path)

    def __call__(self, path: Path) -> Path | None:
        same = self._sizes.get(_size(path), ())
        return next((other for other in same if self._digest(other) == self._digest(path)), None)

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            try:
                self._digests[path] = files.sha256(path)
            except InputError:
                self._digests[path] = str(path)
        return self._digests[path]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _groups(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_integer(kind))


def _short(text: str) -> str:
    return shown(text, 60)
