"""What a run took from its banks, and how its items are spread over the range of SNRs: coverage.parquet.

Rows, by `part`: `bank`, one for each step that takes from a bank; `tag`, one for each tag of it; `item`, one for each
item; `snr`, one for each bin of a mix's range. Only accepted items count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sliceforge.engine import commit, plan, receipts
from sliceforge.engine.banks import Shelf
from sliceforge.engine.distribution import Distribution
from sliceforge.engine.errors import did_you_mean
from sliceforge.engine.op import Inventory, Mix
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step

BINS = 5
"""Parts of a mix's range of SNRs, where its own settings name none."""

FIELDS = (
    *(("part", pa.string()), ("step", pa.string()), ("bank", pa.string()), ("name", pa.string())),
    *(("tag", pa.string()), ("split", pa.string()), ("items", pa.int64()), ("used", pa.int64()), ("uses", pa.int64())),
    *(("least", pa.int64()), ("most", pa.int64()), ("seconds", pa.float64()), ("heard", pa.float64())),
    *(("low", pa.float64()), ("high", pa.float64()), ("count", pa.int64())),
)
"""Of the bank `items`, those `used`, how often (`uses`, of an item at `least` and at `most`), `seconds`, and the share
of them that was `heard`; of an SNR's bin its ends in dB and the `count` of items."""


def unasked(recipe: Recipe, given: Mapping[str, str | None]) -> list[str]:
    """A line for each bank that is given and that no step takes from: most likely its name is a slip."""
    known = {bank for step in recipe.steps if (bank := getattr(step.op, "bank", ""))}
    return [
        f"banks.{name}: no step of this recipe takes from it{did_you_mean(name, known) if known else ''}"
        for name in sorted({name for name, path in given.items() if path} - known)
    ]


def write(run: Path, recipe: Recipe, seed: int, slice_: str | None, banks: Shelf) -> None:
    """Write the table unless it is there; nothing for a recipe with neither bank nor mix."""
    path, stamp = run / "coverage.parquet", receipts.stamp(run)
    counted = [step for step in recipe.steps if isinstance(step.op, Mix) or _named(step)]
    if not counted or receipts.stamped(path) == stamp.encode():
        return
    rows = _rows(run, recipe, seed, slice_, banks)
    lines = [line for step in counted for line in _of(step, rows, banks, recipe.rate)]
    if lines:
        commit.write_table(path, pa.Table.from_pylist(lines, pa.schema(FIELDS)), notes={"receipts": stamp})


def lines(run: Path) -> list[str]:
    """The table in words, a line for each bank and each mix."""
    path = run / "coverage.parquet"
    found = commit.read_table(path).to_pylist() if path.exists() else []
    said = []
    for row in found:
        if row["part"] == "bank":
            heard = "" if row["heard"] is None else f", {row['heard']:.0%} of {row['seconds']:.0f} s heard"
            often = f"{row['least']} to {row['most']} times"
            said.append(
                f"banks.{row['bank']}: {row['used']} of {row['items']} items used by {row['step']}, {often}{heard}"
            )
    for step in dict.fromkeys(row["step"] for row in found if row["part"] == "snr"):
        bins = [row for row in found if row["part"] == "snr" and row["step"] == step]
        counts = ", ".join(f"{row['low']:g}…{row['high']:g} dB {row['count']}" for row in bins)
        said.append(f"steps.{step}: {counts}")
    return said


def _rows(run: Path, recipe: Recipe, seed: int, slice_: str | None, banks: Shelf) -> list[dict[str, Any]]:
    """The plan rows of all accepted items, as they were drawn last."""
    accepted: dict[tuple[int, str], int] = {}
    for path in receipts.listed(run):
        table = commit.read_table(path, ["accepted", "id", "variant", "attempt"])
        table = table.filter(table["accepted"])
        triples = zip(*(table[name].to_pylist() for name in ("variant", "id", "attempt")), strict=True)
        accepted |= {(variant, item): attempt for variant, item, attempt in triples if variant}
    found: list[dict[str, Any]] = []
    for path in sorted(run.glob("plan-v*.parquet")):
        variant = int(path.stem.removeprefix("plan-v"))
        table = pq.read_table(path)
        readable = table.filter(pc.is_null(table["read.reason"]))
        got = [accepted.get((variant, item), -1) for item in readable["id"].to_pylist()]
        attempts, first = np.array(got, np.int64), readable["attempt"].to_numpy()
        found += readable.filter(pa.array(attempts == first)).to_pylist()
        again = readable.filter(pa.array(attempts > first)).combine_chunks()
        if len(again):
            given = banks.inventories(), slice_, attempts[attempts > first]
            found += plan.draw(recipe, again, seed, variant, *given).to_pylist()
    return found


@dataclass
class _Use:
    """One bank item: how often it was used, and which parts of it were heard, in seconds."""

    count: int = 0
    spans: list[tuple[float, float]] = field(default_factory=list)

    def heard(self, seconds: float) -> float:
        total = end = 0.0
        for begin, until in sorted(self.spans):
            begin, until = max(begin, end), min(until, seconds)
            total += max(until - begin, 0.0)
            end = max(end, until)
        return total


def _named(step: Step) -> str:
    """The bank that a step can take from, or empty."""
    return str(getattr(step.op, "bank", ""))


def _of(step: Step, rows: list[dict[str, Any]], banks: Shelf, rate: int | None) -> Iterator[dict[str, Any]]:
    bank = _named(step)
    if bank in banks.paths:
        yield from _bank(step.name, bank, banks.bank(bank).inventory, rows)
    asked = [row[f"{step.name}.snr"] for row in rows if row.get(f"{step.name}.snr") is not None]
    spread = getattr(step.op, "snr", None)
    ends: tuple[float, float] | None = spread.ends() if isinstance(spread, Distribution) else None
    if ends and asked:
        count: int = getattr(step.op, "bins", 0) or BINS
        edges = np.linspace(ends[0], ends[1], count + 1)
        bins = np.clip(np.searchsorted(edges, np.array(asked), side="right") - 1, 0, len(edges) - 2)
        counts = np.bincount(bins, minlength=len(edges) - 1)
        for low, high, number in zip(edges[:-1], edges[1:], counts, strict=True):
            name = f"{low:g}…{high:g}"
            yield {"part": "snr", "step": step.name, "name": name, "low": low, "high": high, "count": int(number)}


def _bank(step: str, bank: str, known: Inventory, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    uses = {item: _Use() for item in known.ids}
    lasts = dict(zip(known.ids, np.asarray(known.seconds).tolist(), strict=False))
    for row in rows:
        for item, begin, seconds in _taken(step, row):
            uses[item].count += 1
            # What goes on past the end is the beginning once more.
            uses[item].spans += [(begin, begin + seconds), (0.0, begin + seconds - lasts.get(item, 0.0))]
    count = len(known.ids)
    tags, splits = ([*one] or [None] * count for one in (known.labels, known.splits))
    items = [
        {"part": "item", "step": step, "bank": bank, "name": item, "tag": tag, "split": split or None}
        | _numbers({item: uses[item]}, lasts)
        for item, tag, split in zip(known.ids, tags, splits, strict=True)
    ]
    yield {"part": "bank", "step": step, "bank": bank, "name": bank} | _numbers(uses, lasts)
    for tag in sorted({tag for tag in tags if tag}):
        some = {item: uses[item] for item, own in zip(known.ids, tags, strict=True) if own == tag}
        yield {"part": "tag", "step": step, "bank": bank, "name": tag, "tag": tag} | _numbers(some, lasts)
    yield from items


def _taken(step: str, row: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    """(item, from second, seconds) of each bank item that a row names; all of one without an offset."""
    for name in (f"{step}.item", *(f"{step}.item_{k}" for k in range(1, 100))):
        if not row.get(name):
            if name in row or name == f"{step}.item":
                continue
            return
        offset = row.get(name.replace(".item", ".offset"))
        if offset is None:
            yield row[name], 0.0, np.inf
        else:
            yield row[name], offset / row["read.rate"], row["read.length"] / row["read.rate"]


def _numbers(uses: Mapping[str, _Use], seconds: Mapping[str, float]) -> dict[str, Any]:
    counts = [use.count for use in uses.values()]
    found = {"items": len(uses), "used": sum(count > 0 for count in counts), "uses": sum(counts)}
    found |= {"least": min(counts), "most": max(counts)}
    if not seconds:
        return found
    whole = sum(seconds[item] for item in uses)
    return found | {"seconds": whole, "heard": sum(use.heard(seconds[item]) for item, use in uses.items()) / whole}
