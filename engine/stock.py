"""What epochs are made of: the shares that recipes have, the originals, and the items that each share can take."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import quotas
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import item_hash
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.parents import SIZES, choose, survey
from sliceforge.engine.recipe import Recipe

SLACK = 1e-9
"""By which shares such as 0.1 + 0.2 may miss what they sum to."""


@dataclass(frozen=True)
class Share:
    """What part of an epoch a recipe makes, and of what.

    Args:
        recipe: what `load` returns.
        parents: which items it takes, as `generate` does: an SQL condition, or None for those that `slice` implies.
        slice: what every item that it makes is, such as `noise = 'car' AND snr < 10`.
        share: made items for each original of an epoch, 0 to 1.
        banks: name → folder or table.
    """

    recipe: Recipe
    parents: str | None = None
    slice: str | None = None
    share: float = 0.5
    banks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stock:
    """The N items that can be read, and which of them an epoch takes for what.

    Args:
        items: what `parents.survey` says of them.
        rejects: what cannot be read, and why.
        hashes: (N,) uint64, `item_hash` of each.
        originals: the rows that an epoch goes through.
        pools: for each share, the rows of its parents.
        slots: for each share, the items' places in the plan of a run, (N,), and how many rows that has.
    """

    items: pa.Table
    rejects: list[dict[str, Any]]
    hashes: np.ndarray
    originals: np.ndarray
    pools: tuple[np.ndarray, ...]
    slots: tuple[tuple[np.ndarray, int], ...]

    @cached_property
    def seconds(self) -> np.ndarray:
        """(N,) float64, how long each clip is; of images, pixels."""
        length, rate, height, width = (self.items[name].to_numpy().astype(np.float64) for name in SIZES)
        return length / rate if rate.any() else height * width

    @property
    def masked(self) -> bool:
        """Whether some images bring a mask along."""
        names = [name for name in ("read.mask", "read.segmentations") if name in self.items.column_names]
        return any(self.items[name].null_count < len(self.items) for name in names)

    def groups(self, rows: np.ndarray) -> list[np.ndarray]:
        """Some rows by their label, in the order of the labels; those without one are a group, the first."""
        labels = self.items["label"].take(pa.array(rows)).fill_null("").dictionary_encode().combine_chunks()
        order = np.argsort(np.array(labels.dictionary.to_pylist(), object), kind="stable")
        codes = labels.indices.to_numpy()
        return [rows[codes == code] for code in order]

    def place(self, item: str) -> int | None:
        """The row of an item, or None."""
        found = pc.index(self.items["parent"], item).as_py()
        return None if found < 0 else int(found)

    @cached_property
    def digest(self) -> str:
        """What says that two stocks hold the same items, for the same ends."""
        told = hashlib.blake2b(digest_size=8)
        for rows in (self.originals, *self.pools):
            told.update(self.hashes[rows].tobytes() + b"/")
        return told.hexdigest()

    @classmethod
    def of(cls, found: Manifest, shares: Sequence[Share], items: str | None, seed: int) -> Stock:
        """What a manifest has for some shares.

        Args:
            items: which items are originals, an SQL condition; None: every one of split train, or of no split.

        Raises:
            SettingError: an epoch, or a share, has nothing to take.
        """
        first = shares[0].recipe
        chosen = [choose(found, first, items, None)]
        chosen += [choose(found, share.recipe, share.parents, share.slice) for share in shares]
        known = survey(found, np.logical_or.reduce(chosen), first, seed)
        ranks = [quotas.ranks(known, found, mask) for mask in chosen[1:]]
        readable = known["read.reason"].is_null()
        kept = readable.to_numpy(zero_copy_only=False)
        table = known.filter(readable).combine_chunks()
        ids = table["parent"].to_pylist()
        masks = [np.isin(ids, found.table["id"].to_numpy()[mask].astype(str)) for mask in chosen]
        originals, *pools = (np.flatnonzero(mask) for mask in masks)
        _check_found(originals, pools, shares)
        return cls(
            table,
            known.filter(pc.invert(readable)).select(["parent", "read.reason"]).to_pylist(),
            np.fromiter((item_hash(item) for item in ids), np.uint64, len(ids)),
            originals,
            tuple(pools),
            tuple((rank[kept], size) for rank, size in ranks),
        )


def check(shares: Sequence[Share], extend: bool, clean_share: float) -> None:
    """Refuse shares that cannot stand in one epoch.

    Raises:
        SettingError: one line.
    """
    some = isinstance(shares, Sequence) and bool(shares)
    if not some or not all(isinstance(share, Share) and isinstance(share.recipe, Recipe) for share in shares):
        raise SettingError("shares: expected at least one, such as [Share(load('speech/car_noise'), share=0.3)]")
    for number, share in enumerate(shares):
        if not isinstance(share.banks, Mapping):
            raise SettingError(f"shares[{number}]: banks: {share.banks!r}: expected such as {{'noise': 'FOLDER'}}")
    check_parts([share.share for share in shares], extend, clean_share)
    kinds = {(share.recipe.kind, share.recipe.rate) for share in shares}
    if len(kinds) > 1:
        named = " and ".join(sorted(f"{kind} at {rate or 'any'} Hz" for kind, rate in kinds))
        raise SettingError(f"shares: their recipes are for {named}; expected one kind and rate, such as rate=16000")


def check_parts(shares: Sequence[float], extend: bool, clean_share: float) -> None:
    """Refuse shares that leave less of an epoch to originals than is promised.

    Raises:
        SettingError: one line.
    """
    if isinstance(clean_share, bool) or not isinstance(clean_share, int | float) or not 0 <= clean_share <= 1:
        raise SettingError(f"clean_share: {clean_share!r}: expected a number from 0 to 1, such as clean_share=0.4")
    known = all(isinstance(share, int | float) and not isinstance(share, bool) for share in shares)
    parts = ", ".join(f"{share:g}" if known else repr(share) for share in shares)
    if not known or any(not 0 <= share <= 1 for share in shares) or (not extend and sum(shares) > 1 + SLACK):
        raise SettingError(
            f"shares: {parts}: expected shares from 0 to 1, and no more than 1 together unless extend=True"
        )
    clean = 1 / (1 + sum(shares)) if extend else 1 - sum(shares)
    if clean < clean_share - SLACK:
        raise SettingError(
            f"shares: {parts}: leave {clean:.3g} of an epoch to originals; clean_share={clean_share:g} asks for more"
        )


def _check_found(originals: np.ndarray, pools: Sequence[np.ndarray], shares: Sequence[Share]) -> None:
    if not len(originals):
        raise SettingError("items: no item is chosen; look at data and items")
    for number, (pool, share) in enumerate(zip(pools, shares, strict=True)):
        if share.share and not len(pool):
            raise SettingError(f"shares[{number}]: no parent is chosen; look at its parents and slice")
